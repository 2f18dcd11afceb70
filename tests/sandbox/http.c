/* SPDX-License-Identifier: MIT */
/*
 * Takes requests off the wire and puts replies onto it. Only this file sees libmicrohttpd. Knows no endpoint; what
 * a body may be is limited here, what it means is not looked at.
 */
#include "tests/sandbox/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sandbox/api.h"
#include "tests/sandbox/control.h"
#include "tests/sandbox/wire.h"

#define BODY_MAX_BYTES (1 << 20)
#define CONTROL_BODY_MAX_BYTES (16 << 20) /* a fault may carry an answer that is too large on purpose */
#define CONNECTIONS_MAX 2048
#define CONNECTION_MEMORY_BYTES (128 << 10) /* room for a header with a token of 16 KiB and more */
#define THREAD_STACK_BYTES (1 << 20)
#define BACKLOG 1024

struct http {
	struct MHD_Daemon *daemon;
	struct sandbox *sandbox;
	int port;
};

/* One request while its body arrives. */
struct arriving {
	struct text body;
};

struct cut_body {
	struct text body;
	size_t cut_n;
};

static ssize_t read_cut(void *arg, uint64_t pos, char *buf, size_t max)
{
	const struct cut_body *cut = arg;
	size_t n;

	if (pos >= cut->cut_n)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = cut->cut_n - (size_t)pos;
	n = n < max ? n : max;
	memcpy(buf, cut->body.p + pos, n);
	return (ssize_t)n;
}

static void free_cut(void *arg)
{
	struct cut_body *cut = arg;

	text_free(&cut->body);
	free(cut);
}

/* Announces the whole body and breaks off after the first bytes of it. */
static struct MHD_Response *cut_response(struct reply *reply)
{
	struct cut_body *cut = must_alloc(sizeof *cut);

	cut->body = reply->body;
	cut->cut_n = reply->cut_n;
	reply->body = (struct text){ 0 };
	return MHD_create_response_from_callback(cut->body.n, 4096, read_cut, cut, free_cut);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	if (MHD_add_response_header(response, name, value) != MHD_YES)
		fprintf(stderr, "alation-sandbox: libmicrohttpd refuses the header '%s'\n", name);
}

static enum MHD_Result send_reply(struct sandbox *sandbox, struct MHD_Connection *connection, struct reply *reply)
{
	struct MHD_Response *response;
	char date[DATE_BYTES];
	enum MHD_Result result;

	reply_finish(reply);
	if (reply->is_cut && reply->cut_n < reply->body.n)
		response = cut_response(reply);
	else
		response = MHD_create_response_from_buffer(reply->body.n, reply->body.p, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return MHD_NO;
	pthread_mutex_lock(&sandbox->lock);
	dates_write_header(&sandbox->dates, date);
	pthread_mutex_unlock(&sandbox->lock);
	add_header(response, "Date", date);
	if (*reply->type)
		add_header(response, "Content-Type", reply->type);
	for (size_t i = 0; i < reply->headers_n; i++)
		add_header(response, reply->headers[i].name, reply->headers[i].raw);
	result = MHD_queue_response(connection, (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static int socket_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info ? info->connect_fd : -1;
}

/* NULL: it is none of TLS. */
static gnutls_session_t tls_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? info->tls_session : NULL;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result answer(struct sandbox *sandbox, struct MHD_Connection *connection, const char *method,
                              const char *path, const struct text *body)
{
	const struct request request = {
		.method = method,
		.path = path,
		.content_type = header(connection, "Content-Type"),
		.token = header(connection, "TOKEN"),
		.body = body->p ? body->p : "",
		.body_n = body->n,
	};
	struct reply reply = { .status = 0 };
	enum MHD_Result result = MHD_NO;

	if (control_is(path))
		control_answer(sandbox, &request, &reply);
	else
		api_answer(sandbox, &request, &reply);
	if (reply.raw.is_set)
		wire_send(socket_of(connection), tls_of(connection), &reply.raw);
	if (reply.status)
		result = send_reply(sandbox, connection, &reply);
	reply_free(&reply);
	return result; /* MHD_NO closes the connection, which is what status 0 asks for */
}

static enum MHD_Result refuse_large(struct sandbox *sandbox, struct MHD_Connection *connection)
{
	struct reply reply = { .status = 0 };
	enum MHD_Result result;

	reply_refuse(&reply, 413, "The request is too large.", "413000");
	result = send_reply(sandbox, connection, &reply);
	reply_free(&reply);
	return result;
}

/* libmicrohttpd calls this once with the headers, then with each piece of the body, then once more. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_n, void **state)
{
	struct http *http = arg;
	struct arriving *arriving = *state;
	size_t max_n = control_is(url) ? CONTROL_BODY_MAX_BYTES : BODY_MAX_BYTES;
	const char *length;

	(void)version;
	if (!arriving) {
		*state = must_alloc(sizeof *arriving);
		length = header(connection, "Content-Length");
		if (length && strtoull(length, NULL, 10) > max_n)
			return refuse_large(http->sandbox, connection);
		return MHD_YES;
	}
	if (*upload_n > 0) {
		if (arriving->body.n + *upload_n > max_n)
			return MHD_NO;
		text_add(&arriving->body, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	return answer(http->sandbox, connection, method, url, &arriving->body);
}

static void on_end(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	struct arriving *arriving = *state;

	(void)arg;
	(void)connection;
	(void)why;
	if (arriving)
		text_free(&arriving->body);
	free(arriving);
	*state = NULL;
}

/* Without TCP_NODELAY, the session tickets of TLS 1.3 and Nagle's algorithm hold every first answer up for 40 ms. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what)
{
	struct sandbox *sandbox = arg;
	int fd = socket_of(connection), on = 1;

	(void)state;
	if (what != MHD_CONNECTION_NOTIFY_STARTED)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	pthread_mutex_lock(&sandbox->lock);
	connection_start(&sandbox->connection, fd, tls_of(connection));
	pthread_mutex_unlock(&sandbox->lock);
}

static int listen_at(const char *address, int port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	char service[16];
	int fd, on = 1;

	snprintf(service, sizeof service, "%d", port);
	if (getaddrinfo(address, service, &hints, &found) != 0) {
		fprintf(stderr, "alation-sandbox: '%s' is not a numeric address\n", address);
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	                bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	if (fd < 0)
		perror("alation-sandbox: cannot listen");
	return fd;
}

static int bound_port(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t n = sizeof at;

	if (getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		return 0;
	return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
	                                      : ((struct sockaddr_in *)&at)->sin_port);
}

static struct MHD_Daemon *start_daemon(struct http *http, int fd, const struct http_options *options)
{
	unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
	                 MHD_USE_SUPPRESS_DATE_NO_CLOCK;
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->key_pem },
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->certificate_pem },
		{ MHD_OPTION_END, 0, NULL },
	};

	if (options->key_pem)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	return MHD_start_daemon(flags, 0, NULL, NULL, on_request, http,
	                        MHD_OPTION_LISTEN_SOCKET, fd,
	                        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	                        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
	                        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK_BYTES,
	                        MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
	                        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http->sandbox,
	                        MHD_OPTION_ARRAY, tls,
	                        MHD_OPTION_END);
}

struct http *http_start(struct sandbox *sandbox, const struct http_options *options)
{
	struct http *http = must_alloc(sizeof *http);
	int fd = listen_at(options->address, options->port);

	http->sandbox = sandbox;
	http->port = fd >= 0 ? bound_port(fd) : 0;
	http->daemon = fd >= 0 ? start_daemon(http, fd, options) : NULL;
	if (http->daemon)
		return http;
	if (fd >= 0) {
		fprintf(stderr, "alation-sandbox: libmicrohttpd does not start\n");
		close(fd);
	}
	free(http);
	return NULL;
}

int http_port(const struct http *http)
{
	return http->port;
}

void http_stop(struct http *http)
{
	pthread_mutex_lock(&http->sandbox->lock);
	http->sandbox->stopping = true;
	pthread_cond_broadcast(&http->sandbox->changed);
	pthread_mutex_unlock(&http->sandbox->lock);
	MHD_stop_daemon(http->daemon);
	free(http);
}
