/* SPDX-License-Identifier: MIT */
/*
 * One POST or GET over libcurl: TLS, proxy, deadlines, caps on what comes back, memory that is wiped. One handle and
 * one connection a request, because most of libcurl's credential leaks came from reuse, redirects, netrc and
 * cookies. Never reads what a body says: no JSON here. Nothing that it puts into `detail` is a server's.
 */
#include "helper/alation/http.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "helper/alation/sight.h"
#include "helper/alation/trust.h"
#include "helper/base/clock.h"

#define CONNECT_MAX_MS 10000
#define TOTAL_MAX_MS (60 * 60 * 1000)
#define RETRY_AFTER_MAX_S (24 * 60 * 60)
#define HEADER_VALUE_BYTES 64
#define URL_BYTES 512

/* What the call-backs fill. */
struct transfer {
	const struct http_request *request;
	struct http_answer *answer;
	size_t header_bytes;
	bool headers_too_long;
	char retry_after[HEADER_VALUE_BYTES];
	char error[CURL_ERROR_SIZE];
};

/*
 * libcurl keeps requests and replies in buffers it does not wipe, so it gets an allocator that does. Its
 * resolver thread calls these too: they have no state, and malloc takes care of itself.
 */
static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t n)
{
	void *bigger = malloc(n);
	size_t had = p ? malloc_usable_size(p) : 0;

	if (bigger && p) {
		memcpy(bigger, p, had < n ? had : n);
		wiping_free(p);
	}
	return bigger;
}

static bool start_library(void)
{
	static bool started;

	if (!started)
		started = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc) ==
		          CURLE_OK;
	return started;
}

static void say(struct http_answer *answer, enum alation_result result, const char *detail)
{
	answer->result = result;
	snprintf(answer->detail, sizeof answer->detail, "%s", detail);
}

static bool is_http(const char *base_url)
{
	return strncmp(base_url, "http://", strlen("http://")) == 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *user)
{
	struct http_answer *answer = ((struct transfer *)user)->answer;
	size_t room = HTTP_BODY_MAX_BYTES - answer->len;

	n *= size;
	answer->cut = n > room;
	memcpy(answer->body + answer->len, p, answer->cut ? room : n);
	answer->len += answer->cut ? room : n;
	return answer->cut ? 0 : n;
}

/* Whether LINE is the header NAME; then *ret_value is its value, without blanks around it. */
static bool header_is(struct bytes line, const char *name, struct bytes *ret_value)
{
	size_t n = strlen(name);

	if (line.n <= n || line.p[n] != ':' || strncasecmp(line.p, name, n) != 0)
		return false;
	line.p += n + 1;
	line.n -= n + 1;
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
		line.p++;
		line.n--;
	}
	while (line.n > 0 && strchr(" \t\r\n", line.p[line.n - 1]) && line.p[line.n - 1] != '\0')
		line.n--;
	*ret_value = line;
	return true;
}

/* As a C string; of a value that is too long, the empty one. */
static void copy_value(struct bytes value, char text[HEADER_VALUE_BYTES])
{
	size_t n = value.n < HEADER_VALUE_BYTES ? value.n : 0;

	memcpy(text, value.p, n);
	text[n] = '\0';
}

static int64_t http_date(const char *text)
{
	/* curl_getdate takes bare numbers for dates, too; HTTP's begin with the day's name. */
	time_t date = byte_is_plain(text[0], "") && (text[0] < '0' || text[0] > '9') ? curl_getdate(text, NULL) : -1;

	return date < 0 ? ALATION_TIME_UNKNOWN : (int64_t)date;
}

/* Of `scheme://user@host:port/path…` the scheme, host and port: the rest may hold a login's secrets. */
static void take_redirect(struct bytes location, const char *base_url, struct http_answer *answer)
{
	struct bytes scheme = { location.p, 0 }, host = location;

	answer->redirect[0] = '\0';
	while (scheme.n < location.n && byte_is_plain(location.p[scheme.n], "+.-"))
		scheme.n++;
	host.p += scheme.n;
	host.n -= scheme.n;
	if (!bytes_after(&host, scheme.n ? "://" : "//"))
		return; /* relative: it stays with the server that was asked */
	for (size_t i = 0; i < host.n; i++)
		if (strchr("/?#\\", host.p[i]))
			host.n = i;
	for (const char *at; (at = memchr(host.p, '@', host.n)) != NULL;) {
		host.n -= (size_t)(at + 1 - host.p);
		host.p = at + 1;
	}
	if (scheme.n == 0)
		scheme = bytes_of(is_http(base_url) ? "http" : "https");
	if (scheme.n + host.n + sizeof "://" <= sizeof answer->redirect)
		snprintf(answer->redirect, sizeof answer->redirect, "%.*s://%.*s", (int)scheme.n, scheme.p, (int)host.n, host.p);
}

static size_t on_header(char *p, size_t size, size_t n, void *user)
{
	struct transfer *x = user;
	struct http_answer *answer = x->answer;
	struct bytes line = { p, size * n }, value;
	char date[HEADER_VALUE_BYTES];

	x->header_bytes += line.n;
	x->headers_too_long = x->header_bytes > HTTP_HEADER_MAX_BYTES;
	if (x->headers_too_long)
		return 0;
	if (line.n >= 5 && memcmp(line.p, "HTTP/", 5) == 0) {
		/* What came before was a 1xx and its headers. */
		x->retry_after[0] = answer->redirect[0] = '\0';
		answer->date = ALATION_TIME_UNKNOWN;
		answer->html = false;
	} else if (header_is(line, "Date", &value)) {
		copy_value(value, date);
		answer->date = http_date(date);
	} else if (header_is(line, "Retry-After", &value)) {
		copy_value(value, x->retry_after);
	} else if (header_is(line, "Location", &value)) {
		take_redirect(value, x->request->base_url, answer);
	} else if (header_is(line, "Content-Type", &value)) {
		answer->html = (value.n >= 9 && strncasecmp(value.p, "text/html", 9) == 0) ||
		               (value.n >= 21 && strncasecmp(value.p, "application/xhtml+xml", 21) == 0);
	}
	return line.n;
}

/* Seconds or a date; 0 for anything else and for what has passed. */
static int64_t retry_after_s(const char *text, int64_t date)
{
	int64_t wait_s = 0, until;

	if (text[0] && text[strspn(text, "0123456789")] == '\0') {
		for (; *text && wait_s < RETRY_AFTER_MAX_S; text++)
			wait_s = wait_s * 10 + (*text - '0');
	} else {
		until = http_date(text);
		/* By the server's own clock, where it shows it. */
		if (until != ALATION_TIME_UNKNOWN)
			wait_s = until - (date != ALATION_TIME_UNKNOWN ? date : clock_wall_s());
	}
	if (wait_s < 0)
		return 0;
	return wait_s < RETRY_AFTER_MAX_S ? wait_s : RETRY_AFTER_MAX_S;
}

/* An option that this libcurl does not take is a request that is not made. */
#define SET(option, value) (curl_easy_setopt(curl, (option), (value)) == CURLE_OK)

/* What must be so whatever the environment says. */
static bool set_rules(CURL *curl, const char *base_url)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	bool ok = SET(CURLOPT_PROTOCOLS_STR, is_http(base_url) ? "http" : "https");
#else
	bool ok = SET(CURLOPT_PROTOCOLS, (long)(is_http(base_url) ? CURLPROTO_HTTP : CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else a silent DNS server holds us 10 s longer than the deadline. Before 7.87: the watchdog ends it. */
	ok = ok && SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	return ok && SET(CURLOPT_SSL_VERIFYPEER, 1L) && SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(CURLOPT_SSL_SESSIONID_CACHE, 0L) &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && SET(CURLOPT_FRESH_CONNECT, 1L) &&
	       SET(CURLOPT_FORBID_REUSE, 1L) && SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_HTTP09_ALLOWED, 0L) && SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       SET(CURLOPT_NOSIGNAL, 1L);
}

static bool set_trust(CURL *curl, const struct alation_way *way, struct trust *trust)
{
	struct trust_choice choice;
	CURLcode rc = CURLE_OK;

	if (way->ca_file) {
		struct curl_blob blob = { .flags = CURL_BLOB_NOCOPY };

		if (!trust_read(way->ca_file, trust))
			return false;
		blob.data = trust->pem;
		blob.len = trust->len;
		return SET(CURLOPT_CAINFO_BLOB, &blob);
	}
	trust_choose(&choice);
	if (choice.folder)
		rc = curl_easy_setopt(curl, CURLOPT_CAPATH, choice.folder);
	if (rc != CURLE_OK && rc != CURLE_NOT_BUILT_IN && rc != CURLE_UNKNOWN_OPTION)
		return false;
	return !choice.file || SET(CURLOPT_CAINFO, choice.file);
}

/* A key that wants a passphrase is refused: OpenSSL would ask for it on whatever terminal there is. */
static bool set_client(CURL *curl, const struct alation_way *way)
{
	if (!way->client_cert)
		return true;
	return SET(CURLOPT_SSLCERT, way->client_cert) && SET(CURLOPT_KEYPASSWD, "") &&
	       (!way->client_key || SET(CURLOPT_SSLKEY, way->client_key));
}

/* Plain http is loopback's alone: no proxy gets to see what it carries, whoever names one. */
static bool set_proxy(CURL *curl, const struct alation_way *way, const char *base_url)
{
	if (is_http(base_url))
		return SET(CURLOPT_NOPROXY, "*");
	return (!way->proxy || SET(CURLOPT_PROXY, way->proxy)) && (!way->no_proxy || SET(CURLOPT_NOPROXY, way->no_proxy));
}

/* POSTFIELDS is the pointer alone: COPYPOSTFIELDS would make one copy more of the secret. */
static bool set_method(CURL *curl, const struct http_request *request)
{
	if (!request->form.p)
		return SET(CURLOPT_HTTPGET, 1L);
	return SET(CURLOPT_POST, 1L) && SET(CURLOPT_POSTFIELDS, request->form.p) &&
	       SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->form.n);
}

static bool set_request(CURL *curl, struct transfer *x, struct curl_slist *headers, int64_t left_ms)
{
	const struct http_request *request = x->request;
	char url[URL_BYTES];
	int n = snprintf(url, sizeof url, "%s%s", request->base_url, request->path);

	return n > 0 && (size_t)n < sizeof url && SET(CURLOPT_URL, url) && set_method(curl, request) && SET(CURLOPT_HTTPHEADER, headers) &&
	       SET(CURLOPT_USERAGENT, "alation-cred/" ALATION_CRED_VERSION) && SET(CURLOPT_ERRORBUFFER, x->error) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, (void *)x) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, (void *)x) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)left_ms) &&
	       SET(CURLOPT_CONNECTTIMEOUT_MS, (long)(left_ms < CONNECT_MAX_MS ? left_ms : CONNECT_MAX_MS));
}

static enum alation_result result_of(CURLcode rc)
{
	switch (rc) {
	case CURLE_OPERATION_TIMEDOUT:
		return ALATION_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY:
		return ALATION_PROXY;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM: /* a client certificate of ours, or its key, that cannot be used */
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CLIENTCERT:
		return ALATION_TLS;
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_URL_MALFORMAT:
		return ALATION_FAILED;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return ALATION_BAD_REPLY;
	default:
		return ALATION_NETWORK;
	}
}

static const char unsupported_proxy[] = "Unsupported proxy"; /* libcurl's sentences that quote its whole address */

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* libcurl has no code for a proxy that cannot be reached; its sentence names whom it tried to reach. */
static bool blames_proxy(const char *text, const char *base_url)
{
	const char *host = base_url + strlen(is_http(base_url) ? "http://" : "https://");
	bool v6 = *host == '[';
	size_t n = v6 ? strcspn(host, "]") : strcspn(host, ":");
	const char *port = host[n + v6] == ':' ? host + n + v6 + 1 : is_http(base_url) ? "80" : "443";
	char ours[URL_BYTES];

	if (begins(text, unsupported_proxy))
		return true;
	snprintf(ours, sizeof ours, "Failed to connect to %.*s port %s ", (int)n - v6, host + v6, port);
	return begins(text, "Failed to connect to ") && (!begins(text, ours) || strstr(text, " via ") != NULL);
}

/* Its own sentence, unless a proxy's password may stand in it: one that is misspelt has no '@' perhaps. It quotes names from
 * certificates: bytes that a terminal would act on go. */
static void explain(struct transfer *x, CURLcode rc)
{
	const char *text = x->error[0] ? x->error : curl_easy_strerror(rc);
	char *p = x->answer->detail;

	if (strchr(text, '@') || begins(text, unsupported_proxy))
		text = x->answer->result == ALATION_PROXY ? "the proxy that is named is not usable" :
		                                           curl_easy_strerror(rc);
	snprintf(p, sizeof x->answer->detail, "%s", text);
	for (; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* A header line without an end never reaches on_header: libcurl gives up on its own buffer. */
static bool is_too_long(CURLcode rc)
{
#if LIBCURL_VERSION_NUM >= 0x080600
	if (rc == CURLE_TOO_LARGE)
		return true;
#endif
	return rc == CURLE_OUT_OF_MEMORY;
}

static void conclude(CURL *curl, struct transfer *x, CURLcode rc)
{
	struct http_answer *answer = x->answer;
	long status = 0, connect_status = 0;
	curl_off_t connected_us = 0;

	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &connect_status);
	/* From here on the request goes out; the size libcurl says it sent counts a proxy's CONNECT, too. */
	curl_easy_getinfo(curl, is_http(x->request->base_url) ? CURLINFO_CONNECT_TIME_T : CURLINFO_APPCONNECT_TIME_T,
	                  &connected_us);
	answer->status = (int)status;
	answer->retry_after_s = retry_after_s(x->retry_after, answer->date);
	if (rc == CURLE_OK || (rc == CURLE_WRITE_ERROR && answer->cut)) {
		answer->result = ALATION_DONE;
		return;
	}
	answer->maybe_acted = connected_us > 0;
	if ((rc == CURLE_WRITE_ERROR && x->headers_too_long) || (connected_us > 0 && is_too_long(rc))) {
		say(answer, ALATION_BAD_REPLY, "the headers of the reply are longer than 32 KiB");
		return;
	}
	answer->result = result_of(rc);
	if ((rc == CURLE_COULDNT_CONNECT || rc == CURLE_NOT_BUILT_IN) && blames_proxy(x->error, x->request->base_url))
		answer->result = ALATION_PROXY;
	if (rc == CURLE_RECV_ERROR && connect_status >= 300)
		answer->result = ALATION_PROXY;
	else if (rc == CURLE_RECV_ERROR && strstr(x->error, " alert "))
		answer->result = ALATION_TLS; /* TLS 1.3 asks for a client's certificate after the handshake */
	explain(x, rc);
}

/* The header that carries an access token, and no other does. libcurl's copy is wiped with the list. */
static struct curl_slist *append_token(struct curl_slist *headers, struct bytes token)
{
	struct curl_slist *more;
	char *line;

	if (!token.n)
		return headers;
	if (asprintf(&line, "TOKEN: %.*s", (int)token.n, token.p) < 0)
		return NULL;
	more = curl_slist_append(headers, line);
	explicit_bzero(line, strlen(line));
	free(line);
	return more;
}

/* NULL: no memory; what there was by then is in *LIST, which is the caller's to free. */
static struct curl_slist *headers_of(const struct http_request *request, struct curl_slist **list)
{
	static const char *const lines[] = { "Accept: application/json", "Expect:" };
	const bool any = !request->form.p && !request->token.n; /* a page for people */

	for (size_t i = any ? 1 : 0; i < sizeof lines / sizeof *lines; i++) {
		struct curl_slist *more = curl_slist_append(*list, lines[i]);

		if (!more)
			return NULL;
		*list = more;
	}
	return append_token(*list, request->token);
}

void http_ask(const struct http_request *request, struct http_answer *ret_answer)
{
	struct transfer x = { .request = request, .answer = ret_answer };
	int64_t left_ms = request->deadline_ms - clock_mono_ms();
	struct curl_slist *list = NULL, *headers = NULL;
	struct trust trust = { .detail = "" };
	CURL *curl = NULL;

	*ret_answer = (struct http_answer){ .date = ALATION_TIME_UNKNOWN };
	if (left_ms <= 0) {
		say(ret_answer, ALATION_TIMEOUT, "no time was left to ask the server");
		return;
	}
	say(ret_answer, ALATION_FAILED, "libcurl does not start, or memory is short");
	ret_answer->body = malloc(HTTP_BODY_MAX_BYTES);
	if (start_library())
		curl = curl_easy_init();
	if (curl)
		headers = headers_of(request, &list);
	if (ret_answer->body && headers && set_rules(curl, request->base_url) && set_trust(curl, &request->way, &trust) &&
	    set_client(curl, &request->way) && set_proxy(curl, &request->way, request->base_url) && set_request(curl, &x, headers, left_ms < TOTAL_MAX_MS ? left_ms : TOTAL_MAX_MS) &&
	    (!request->sight || sight_begin(curl, &request->way, request->sight))) {
		ret_answer->detail[0] = '\0';
		conclude(curl, &x, curl_easy_perform(curl));
		if (request->sight)
			sight_end(curl, request->base_url, ret_answer->result, request->sight);
	} else if (trust.detail[0]) {
		say(ret_answer, ALATION_TLS, trust.detail);
	}
	free(trust.pem);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers ? headers : list);
}

void http_answer_wipe(struct http_answer *answer)
{
	if (answer->body)
		explicit_bzero(answer->body, answer->len);
	free(answer->body);
	answer->body = NULL;
	answer->len = 0;
}
