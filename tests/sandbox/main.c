/* SPDX-License-Identifier: MIT */
/*
 * Starts the sandbox, prints its base URL once it listens, and ends it at SIGTERM or SIGINT. That one line is all
 * that ever goes to stdout: a test reads it as the sign that it can begin.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/sandbox/http.h"
#include "tests/sandbox/options.h"
#include "tests/sandbox/sandbox.h"
#include "tests/sandbox/tls.h"

static void init_lock(struct sandbox *sandbox)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&sandbox->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&sandbox->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* Blocked in every thread that is started later, so that main alone takes them, by sigwait. A shell starts what it
 * puts into the background with SIGINT ignored: that is undone. */
static void hold_signals(sigset_t *ret_ends)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigemptyset(ret_ends);
	sigaddset(ret_ends, SIGTERM);
	sigaddset(ret_ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, ret_ends, NULL);
}

static bool follow_parent(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent;
}

/* A certificate's name is localhost; an address that is not IPv4 loopback is written as it is. */
static bool print_url(const struct options *o, int port)
{
	bool is_v6 = strchr(o->address, ':') != NULL;
	const char *host = o->tls_dir && strcmp(o->address, "127.0.0.1") == 0 ? "localhost" : o->address;

	printf("http%s://%s%s%s:%d\n", o->tls_dir ? "s" : "", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
	return fflush(stdout) == 0;
}

static int serve(struct sandbox *sandbox, const struct options *o, const struct tls *tls, const sigset_t *ends)
{
	const struct http_options listen = {
		.address = o->address,
		.port = o->port,
		.certificate_pem = tls->servers[TLS_GOOD].certificate_pem.p,
		.key_pem = tls->servers[TLS_GOOD].key_pem.p,
	};
	struct http *http = http_start(sandbox, &listen);
	int got, status = EXIT_FAILURE;

	if (!http)
		return EXIT_FAILURE;
	if (print_url(o, http_port(http))) {
		status = EXIT_SUCCESS;
		sigwait(ends, &got);
	} else {
		fprintf(stderr, "alation-sandbox: cannot write the address to stdout\n");
	}
	http_stop(http);
	return status;
}

static int run(struct sandbox *sandbox, const struct options *o, const sigset_t *ends)
{
	struct tls tls = { 0 };
	int status = EXIT_FAILURE;

	if (!log_open(&sandbox->log, o->log_path))
		fprintf(stderr, "alation-sandbox: cannot open '%s': %s\n", o->log_path, strerror(errno));
	else if (!o->tls_dir ||
	         (tls_make(&tls, o->tls_dir, o->address) && connection_prepare(&sandbox->connection, &tls)))
		status = serve(sandbox, o, &tls, ends);
	connection_free(&sandbox->connection);
	tls_free(&tls);
	log_close(&sandbox->log);
	return status;
}

int main(int argc, char **argv)
{
	static struct sandbox sandbox;
	pid_t parent = getppid();
	struct options options;
	sigset_t ends;
	int status = EXIT_FAILURE;

	init_lock(&sandbox);
	switch (options_read(&options, &sandbox, argc, argv)) {
	case OPTIONS_HELP:
		status = EXIT_SUCCESS;
		break;
	case OPTIONS_BAD:
		status = 2;
		break;
	case OPTIONS_RUN:
		hold_signals(&ends);
		if (!options.die_with_parent || follow_parent(parent))
			status = run(&sandbox, &options, &ends);
		break;
	}
	faults_clear(&sandbox.faults);
	state_free(&sandbox.state);
	return status;
}
