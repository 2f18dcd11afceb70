/* SPDX-License-Identifier: MIT */
/*
 * Reads the command line. The help is written for a person who tries alation-cred on the sandbox.
 */
#include "tests/sandbox/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/text.h"

#define DEFAULT_USER "demo"
#define DEFAULT_PASSWORD "demo-password"
#define DEFAULT_ID 102
#define ACCESS_LIFETIME_S 86400
#define REFRESH_LIFETIME_S 5184000
#define LIFETIME_MAX_S 315360000

static const char help_start[] =
	"alation-sandbox: a pretend Alation on this machine, to try alation-cred on\n"
	"\n"
	"It answers the six token calls of Alation's API and two that need an access\n"
	"token, as a real instance does, and can be told to answer wrongly. It knows no\n"
	"real user, asks no other machine, keeps everything in memory and forgets it at\n"
	"the end.\n"
	"\n"
	"Usage: alation-sandbox [OPTION]...\n"
	"\n"
	"Try it: it prints its address and runs until Ctrl-C. In one terminal\n"
	"\n"
	"    $ .build/tests/alation-sandbox --port 8600\n"
	"    http://127.0.0.1:8600\n"
	"\n"
	"and in another, with the user 'demo' and the password 'demo-password':\n"
	"\n"
	"    $ alation-cred login http://127.0.0.1:8600\n"
	"    $ alation-cred token\n"
	"    $ curl -H @<(alation-cred get --format header) http://127.0.0.1:8600/integration/v1/userinfo/\n"
	"    $ curl http://127.0.0.1:8600/sandbox/log\n"
	"\n"
	"Options:\n"
	"  --port N              listen on this port; 0 (the default) takes any free one\n"
	"  --address A           listen on this address (127.0.0.1); ::1 works too\n"
	"  --tls DIR             speak https; writes a throw-away CA, ca.pem, into DIR\n"
	"                        (CURL_CA_BUNDLE=DIR/ca.pem makes clients trust it)\n"
	"  --log FILE            add a line a call to FILE; it holds the tokens in full\n"
	"  --user NAME:PASSWORD:ID\n"
	"                        a user who may sign in; repeatable; without it there is\n"
	"                        demo:demo-password:102\n"
	"  --sso NAME:ID         a user whom a password never lets in; repeatable\n"
	"  --access-lifetime S   seconds that an access token lives (86400)\n"
	"  --refresh-lifetime S  seconds that a RefreshToken lives (5184000: 60 days)\n"
	"  --dates STYLE         offset (2020-07-15T16:08:09.673391-07:00, the default),\n"
	"                        z (2020-07-15T23:08:09.673391Z) or plain (no fraction)\n"
	"  --die-with-parent     end when the process that started it ends; for tests\n"
	"  --help                this text\n"
	"\n"
	"Control calls, with the members as a form (curl -d, or --data-urlencode):\n"
	"  POST /sandbox/refresh-token   user_id=N [name=TEXT] [expires_in=S] [token=TEXT]:\n"
	"                                a RefreshToken as the web UI makes it, on a line\n"
	"  POST /sandbox/expire          token=TOKEN: it expires now\n"
	"  POST /sandbox/revoke          token=TOKEN: it is revoked now\n"
	"  POST /sandbox/dates           style=STYLE\n"
	"  POST /sandbox/date-header     skew_s=N: Date and all times are wrong by so much\n"
	"  POST /sandbox/connection      fault=WHAT [times=N]: the next N connections (1) go wrong\n"
	"                                before a request is read: close, reset; with --tls also\n"
	"                                expired, wrong-host, self-signed (certificates), tls1.1\n"
	"                                (nothing newer), client-certificate (asks for one),\n"
	"                                cut, stall (both after the client's hello)\n"
	"  POST /sandbox/clear           forget all faults\n"
	"  POST /sandbox/held            [calls=N]: answers once N calls (1) are held up by\n"
	"                                delay_ms, or with 504 after 10 s\n"
	"  POST /sandbox/release         the calls held now go on\n"
	"  GET  /sandbox/log             the log: number, ms since 1970, method, path, status,\n"
	"                                user_id, refresh, access, fault, made\n"
	"  POST /sandbox/fault           the next call goes wrong; faults queue in order:\n";

static const char help_end[] =
	"\n"
	"For instance, a maintenance page in the place of the next token:\n"
	"\n"
	"    $ curl -d endpoint=createAPIAccessToken -d status=503 -d type=text/html \\\n"
	"        --data-urlencode 'body=<h1>back soon</h1>' http://127.0.0.1:8600/sandbox/fault\n";

enum {
	OPT_PORT, OPT_ADDRESS, OPT_TLS, OPT_LOG, OPT_USER, OPT_SSO, OPT_ACCESS, OPT_REFRESH, OPT_DATES, OPT_DIE, OPT_HELP,
};

static const struct option table[] = {
	{ "port", required_argument, NULL, OPT_PORT },
	{ "address", required_argument, NULL, OPT_ADDRESS },
	{ "tls", required_argument, NULL, OPT_TLS },
	{ "log", required_argument, NULL, OPT_LOG },
	{ "user", required_argument, NULL, OPT_USER },
	{ "sso", required_argument, NULL, OPT_SSO },
	{ "access-lifetime", required_argument, NULL, OPT_ACCESS },
	{ "refresh-lifetime", required_argument, NULL, OPT_REFRESH },
	{ "dates", required_argument, NULL, OPT_DATES },
	{ "die-with-parent", no_argument, NULL, OPT_DIE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

/* NAME up to the first ':', ID after the last: what is between is the password, and may hold more of them. */
static bool add_user(struct state *state, const char *text, bool has_password)
{
	const char *first = strchr(text, ':'), *last = strrchr(text, ':');
	char *name, *password = NULL;
	long long id;
	bool ok;

	if (!first || first == text || (first != last) != has_password)
		return false;
	if (!fields_number(last + 1, 1, INT64_MAX, &id))
		return false;
	name = must_copy(text, (size_t)(first - text));
	if (has_password)
		password = must_copy(first + 1, (size_t)(last - first - 1));
	ok = state_add_user(state, name, password, id);
	free(name);
	free(password);
	return ok;
}

static bool read_port(const char *text, int *ret_port)
{
	long long port;

	if (!fields_number(text, 0, 65535, &port))
		return false;
	*ret_port = (int)port;
	return true;
}

static bool read_lifetime(const char *text, int64_t *ret_s)
{
	long long s;

	if (!fields_number(text, 1, LIFETIME_MAX_S, &s))
		return false;
	*ret_s = s;
	return true;
}

static bool read_one(int which, const char *value, struct options *o, struct sandbox *sandbox, bool *has_user)
{
	switch (which) {
	case OPT_PORT:
		return read_port(value, &o->port);
	case OPT_ADDRESS:
		o->address = value;
		return true;
	case OPT_TLS:
		o->tls_dir = value;
		return true;
	case OPT_LOG:
		o->log_path = value;
		return true;
	case OPT_USER:
		*has_user = true;
		return add_user(&sandbox->state, value, true);
	case OPT_SSO:
		return add_user(&sandbox->state, value, false);
	case OPT_ACCESS:
		return read_lifetime(value, &sandbox->state.access_lifetime_s);
	case OPT_REFRESH:
		return read_lifetime(value, &sandbox->state.refresh_lifetime_s);
	case OPT_DATES:
		return dates_style(value, &sandbox->dates.style);
	case OPT_DIE:
		o->die_with_parent = true;
		return true;
	default:
		return false;
	}
}

static enum options_result bad(const char *option)
{
	if (option)
		fprintf(stderr, "alation-sandbox: --%s cannot be that\n", option);
	fprintf(stderr, "alation-sandbox: --help lists the options\n");
	return OPTIONS_BAD;
}

enum options_result options_read(struct options *o, struct sandbox *sandbox, int argc, char **argv)
{
	bool has_user = false;
	int which, at = 0;

	*o = (struct options){ .address = "127.0.0.1" };
	sandbox->state.access_lifetime_s = ACCESS_LIFETIME_S;
	sandbox->state.refresh_lifetime_s = REFRESH_LIFETIME_S;
	while ((which = getopt_long(argc, argv, "", table, &at)) != -1) {
		if (which == OPT_HELP) {
			printf("%s%s%s", help_start, faults_help, help_end);
			return OPTIONS_HELP;
		}
		if (which == '?')
			return bad(NULL);
		if (!read_one(which, optarg, o, sandbox, &has_user))
			return bad(table[which].name);
	}
	if (optind < argc)
		return bad(NULL);
	if (!has_user && !state_add_user(&sandbox->state, DEFAULT_USER, DEFAULT_PASSWORD, DEFAULT_ID))
		return bad("sso");
	return OPTIONS_RUN;
}
