/* SPDX-License-Identifier: MIT */
/*
 * The steps on the way to the server. One call is made, for the page of its API; each step reads what libcurl met there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/alation/client.h"
#include "helper/base/clock.h"
#include "helper/doctor/doctor.h"

#define SKEW_MAX_S 60
#define DAY_S 86400

/* The host of BASE_URL without its port. */
static struct bytes host_of(const char *base_url)
{
	const char *host = strstr(base_url, "://");
	struct bytes found = bytes_of(host ? host + 3 : base_url);
	const char *end = found.n && found.p[0] == '[' ? memchr(found.p, ']', found.n) : memchr(found.p, ':', found.n);

	if (end)
		found.n = (size_t)(end - found.p) + (*end == ']');
	return found;
}

static bool is_number(struct bytes host)
{
	return host.n && (host.p[0] == '[' || strspn(host.p, "0123456789.") >= host.n);
}

static bool is_plain(const struct doctor *doctor)
{
	return strncmp(doctor->account.base_url, "http://", strlen("http://")) == 0;
}

/* The call that all these steps read; what came of it is a later step's, too. */
static void call(struct doctor *doctor)
{
	struct context *context = doctor->context;

	client_look(context, &doctor->account, ALATION_PAGE_API, (struct bytes){ "", 0 }, &doctor->sight);
	doctor->sight_trouble = context->trouble;
	context->trouble = (struct trouble){ 0 };
}

static void fail_as_call(struct doctor *doctor)
{
	doctor->context->trouble = doctor->sight_trouble;
	doctor_fail_so(doctor);
}

/* What is wrong with certificates or keys of this machine is known before anything is looked up. */
static bool was_tried(const struct alation_sight *sight)
{
	return sight->resolved || sight->result == ALATION_NETWORK || sight->result == ALATION_TIMEOUT || sight->result == ALATION_PROXY;
}

void doctor_dns(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;
	struct bytes host = host_of(doctor->account.base_url);

	if (!doctor->account.base_url[0]) {
		doctor_skip(doctor, "no instance is known");
		return;
	}
	call(doctor);
	if (is_number(host))
		doctor_ok(doctor, "%.*s is an address", (int)host.n, host.p);
	else if (sight->via_proxy)
		doctor_skip(doctor, "the proxy looks the name up");
	else if (sight->resolved)
		doctor_ok(doctor, "%.*s is at %s", (int)host.n, host.p, sight->addresses[0] ? sight->addresses : "an address");
	else if (was_tried(sight) || doctor->sight_trouble.code == TROUBLE_CONFIGURATION)
		fail_as_call(doctor);
	else
		doctor_skip(doctor, "it was not tried");
}

/* Which proxy, and who says so; or why there is none. */
static const char *proxy_words(const struct doctor *doctor, char words[DOCTOR_TEXT_BYTES])
{
	const struct {
		const char *name, *value; /* of which no more is said than whether there is one */
	} variables[] = {
		{ "https_proxy", getenv("https_proxy") }, { "HTTPS_PROXY", getenv("HTTPS_PROXY") },
		{ "all_proxy", getenv("all_proxy") }, { "ALL_PROXY", getenv("ALL_PROXY") },
	};
	const struct alation_sight *sight = &doctor->sight;
	const char *named = sight->proxy[0] ? "the configuration" : NULL;

	for (size_t i = 0; i < sizeof variables / sizeof *variables && !named; i++)
		named = variables[i].value && *variables[i].value ? variables[i].name : NULL;
	if (sight->via_proxy)
		snprintf(words, DOCTOR_TEXT_BYTES, "by the proxy %s (%s)", sight->proxy, sight->proxy_from[0] ? sight->proxy_from : "the configuration");
	else if (named && is_plain(doctor))
		snprintf(words, DOCTOR_TEXT_BYTES, "by no proxy: plain http goes through none");
	else if (named)
		snprintf(words, DOCTOR_TEXT_BYTES, "by no proxy: %s names one, and %s excepts this host", named, sight->exception_from[0] ? sight->exception_from : "no-proxy");
	else
		snprintf(words, DOCTOR_TEXT_BYTES, "by no proxy");
	return words;
}

void doctor_connection(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;
	char words[DOCTOR_TEXT_BYTES];
	struct trouble *trouble = &doctor->sight_trouble;

	if (doctor->results[DOCTOR_DNS] == DOCTOR_FAIL)
		doctor_skip(doctor, "it needs 'dns', which failed");
	else if (!sight->via_proxy && !sight->connected && !was_tried(sight))
		doctor_skip(doctor, doctor->account.base_url[0] ? "it was not tried" : "no instance is known");
	else if (sight->connected)
		doctor_ok(doctor, "%s", proxy_words(doctor, words));
	else
		doctor_fail(doctor, trouble->code, trouble->remedy, "%s; %s", trouble->message, proxy_words(doctor, words));
}

static void tell_certificate(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;
	char end[CLOCK_TEXT_BYTES] = "";
	long long days = (long long)((sight->certificate_ends - clock_wall_s()) / DAY_S);

	if (sight->certificate_ends != ALATION_TIME_UNKNOWN)
		clock_format_time(sight->certificate_ends, end);
	if (end[0])
		doctor_ok(doctor, "trusted by %s; the certificate ends %s (%lld days left), issued by %s", sight->trust, end, days, sight->issuer);
	else
		doctor_ok(doctor, "trusted by %s", sight->trust);
}

void doctor_tls(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;
	const struct trouble *trouble = &doctor->sight_trouble;

	if (sight->secured)
		tell_certificate(doctor);
	else if (is_plain(doctor))
		doctor_skip(doctor, "plain http, to this machine itself");
	else if (trouble->code == TROUBLE_TLS || sight->connected)
		doctor_fail(doctor, trouble->code, trouble->remedy, "%s%s%s", trouble->message, sight->trust[0] ? "; what counts is " : "", sight->trust);
	else
		doctor_skip(doctor, "it needs 'connection', which %s", doctor->results[DOCTOR_CONNECTION] == DOCTOR_FAIL ? "failed" : "was skipped");
}

/* Whatever with: but for what every call would meet. */
void doctor_answer(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;

	if (sight->http_status == 0 || sight->result == ALATION_SERVER_ERROR || sight->result == ALATION_THROTTLED || sight->result == ALATION_PROXY)
		fail_as_call(doctor);
	else
		doctor_ok(doctor, "HTTP %d", sight->http_status);
}

void doctor_clock(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;
	long long skew_s = (long long)(sight->date - clock_wall_s());

	if (sight->date == ALATION_TIME_UNKNOWN)
		doctor_skip(doctor, "the server does not tell its time");
	else if (llabs(skew_s) > SKEW_MAX_S)
		doctor_fail(doctor, TROUBLE_CONFIGURATION, "set this machine's clock: 'timedatectl set-ntp true'; if it is right, tell the catalog's administrator",
		            "this machine is %lld s %s the server", llabs(skew_s), skew_s > 0 ? "behind" : "ahead of");
	else
		doctor_ok(doctor, "within a minute of the server's");
}

void doctor_api_page(struct doctor *doctor)
{
	const struct alation_sight *sight = &doctor->sight;

	if (sight->result == ALATION_DONE)
		doctor_ok(doctor, "%s/openapi/api_authentication/", doctor->account.base_url);
	else if (sight->http_status == 404)
		doctor_skip(doctor, "not enabled here");
	else if (sight->result == ALATION_REFUSED || sight->result == ALATION_FORBIDDEN || (sight->http_status >= 300 && sight->http_status <= 399))
		doctor_skip(doctor, "not open without signing in (HTTP %d)", sight->http_status);
	else
		fail_as_call(doctor);
}
