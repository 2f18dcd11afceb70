/* SPDX-License-Identifier: MIT */
/*
 * The child that renews, and the reminder.
 */
#include "helper/lifecycle/renewal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/account.h"
#include "helper/base/child.h"
#include "helper/base/clock.h"
#include "helper/base/trace.h"
#include "helper/lifecycle/cached.h"
#include "helper/lifecycle/lock.h"
#include "helper/lifecycle/vault.h"

#define WARNED_LAST_S (7 * 86400)
#define WARNED_EVERY_MS 86400000
#define CHILD_MS 150000 /* its wait for the lock, 60 s for the call, 20 s for keeping: what does not end then is left alone */
#define RESULT_FD 3     /* where it holds the pipe; nothing is written there, its end is the news */

static int64_t left_s(const struct account *account)
{
	return account->refresh_expires_at == RECORD_TIME_UNKNOWN ? INT64_MAX : account->refresh_expires_at - clock_wall_s();
}

int64_t renewal_before_end_s(const struct context *context, const struct account *account)
{
	const struct config_value *value = config_find(&context->config, CONFIG_AUTO_ROTATE, account->base_url);
	int64_t s = value ? config_seconds(value) : OPTIONS_RENEW_S;

	return s == CONFIG_NEVER ? 0 : s;
}

bool renewal_is_due(const struct context *context, const struct account *account)
{
	int64_t left = left_s(account);

	/* One that has ended cannot be renewed any more: the mint will say so. */
	return account->exclusive && left > 0 && left <= renewal_before_end_s(context, account);
}

/* A session of its own, no terminal, nothing of the caller's but the pipe, no signal held. */
static int prepare(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int pipe_end)
{
	sigset_t none;
	int error = 0;

	sigemptyset(&none);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && !error; fd++)
		error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, pipe_end, RESULT_FD);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(actions, RESULT_FD + 1);
	if (!error)
		error = posix_spawnattr_setsigmask(attributes, &none);
	if (!error)
		error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	return error;
}

/* The program once more: no library of a module is loaded in it yet, whatever this process has loaded. */
static int start(const struct account *account, int pipe_end, pid_t *ret_pid)
{
	char text[ACCOUNT_TEXT_BYTES];
	char *const argv[] = { "alation-cred", "rotate", "--auto", (char *)account_text(account, text), NULL };

	return child_start("/proc/self/exe", false, argv, environ, prepare, pipe_end, ret_pid);
}

/* Until the child's end closes the pipe; false: it did not in its time. */
static bool wait_for(int pipe_end)
{
	int64_t deadline_ms = clock_mono_ms() + CHILD_MS, left_ms;
	struct pollfd end = { .fd = pipe_end, .events = POLLIN };

	while ((left_ms = deadline_ms - clock_mono_ms()) > 0)
		if (poll(&end, 1, (int)left_ms) > 0)
			return true;
	return false;
}

/* Its exit code; -1: it was not started, did not end, or was killed. */
static int renew(const struct account *account)
{
	const struct sigaction by_default = { .sa_handler = SIG_DFL };
	struct sigaction before;
	int ends[2], status = -1;
	pid_t pid, ended = -1;
	bool started;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	/* Where the caller's caller ignores it, nobody could ask how the child ended. */
	sigaction(SIGCHLD, &by_default, &before);
	started = start(account, ends[1], &pid) == 0;
	close(ends[1]);
	if (started && wait_for(ends[0]))
		while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
			;
	close(ends[0]);
	sigaction(SIGCHLD, &before, NULL);
	return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void renewal_run(struct context *context, struct account *account)
{
	int64_t began_ms = clock_mono_ms();
	char text[ACCOUNT_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	int code = renew(account);

	context->deadline_ms += clock_mono_ms() - began_ms;
	trace("the RefreshToken is in its last days: rotate --auto ended with %d", code);
	accounts_look_again(account);
	if (code == DONE)
		return;
	clock_format_time(account->refresh_expires_at, until);
	context_warn(context, "not_renewed", "the RefreshToken of %s ends %s and could not be renewed (exit %d); 'alation-cred rotate %s' tells why",
	             account_text(account, text), until, code, text);
}

static bool was_reminded(const struct access_record *record)
{
	int64_t ago_ms = cached_ago_ms(record, record->warned_ms);

	return record->warned_ms && ago_ms < WARNED_EVERY_MS;
}

/* Once a day; whoever gets the lock at once is the one who says it. */
static bool is_my_turn(struct context *context, const struct account *account)
{
	struct trouble ignored = { 0 };
	char name[ACCOUNT_LOCK_BYTES];
	ACCESS_RECORD record = { 0 };
	LOCK lock = LOCK_NONE;

	if (lock_try(account_lock_name(account, name), &lock, &ignored) != DONE || lock.fd < 0 || !vault_access(context, account, &record) ||
	    was_reminded(&record))
		return false;
	record.warned_ms = clock_boot_ms();
	cached_put_back(context, account, &record);
	return true;
}

void renewal_remind(struct context *context, const struct account *account, const struct access_record *access)
{
	char text[ACCOUNT_TEXT_BYTES], until[CLOCK_TEXT_BYTES];
	int64_t left = left_s(account);

	if (account->exclusive || left > WARNED_LAST_S || was_reminded(access) || !is_my_turn(context, account))
		return;
	clock_format_time(account->refresh_expires_at, until);
	context_warn(context, "refresh_token_ends", "the RefreshToken of %s %s %s; make another at %s/account/auth and log in with it", account_text(account, text),
	             left > 0 ? "ends" : "has ended", until, account->base_url);
}
