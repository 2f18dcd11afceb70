/* SPDX-License-Identifier: MIT */
/*
 * A sound keyring, a file an entry in a directory, and with a name in $ONE_FAULT one that does one thing wrong: for the
 * conformance test, whose case for that must notice. Each fault stands where it acts.
 *
 *   dir=DIR        where the files lie. While `frozen` is there nothing answers, with `unwritable` nothing is written
 *   held=yes       it can only be read
 */
#include "keyring/module.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECRET_MAX_BYTES 65536
#define NAME_BYTES 256
#define PATH_BYTES 1024

struct keyring {
	char dir[256];
	int held;
	const char *kept_pointer; /* of fault=pointer */
};

static struct keyring *shared; /* of fault global-state */

static int fault(const char *name)
{
	const char *wanted = getenv("ONE_FAULT");

	return wanted != NULL && strcmp(wanted, name) == 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int say(struct acred_call *call, int status, const char *text)
{
	if (!fault("mute-refusal"))
		call->note(call->host, text);
	return status;
}

static void hang(void)
{
	for (;;)
		pause();
}

/* What has nothing to do with the operation: FAULT in any look-up. */
static void misbehave(struct acred_call *call)
{
	static void *nowhere;
	int fd;

	if (fault("crash"))
		*(volatile int *)nowhere = 1;
	if (fault("exits"))
		exit(0);
	if (fault("hangs"))
		hang();
	if (fault("stdout"))
		printf("hello\n");
	if (fault("stderr"))
		fprintf(stderr, "hello\n");
	if (fault("stdin") && read(0, &fd, 1) < 0)
		abort();
	if (fault("umask"))
		umask(022);
	if (fault("directory") && chdir("/") != 0)
		abort();
	if (fault("signals"))
		signal(SIGPIPE, SIG_DFL);
	if (fault("mask")) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
	}
	if (fault("environment"))
		setenv("ONE_FAULT", "1", 1);
	if (fault("locale"))
		setlocale(LC_ALL, "C.UTF-8");
	if (fault("dumpable"))
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (fault("child") && fork() == 0) {
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	if (fault("zombie") && fork() == 0)
		_exit(0);
	if (fault("leak-lookup"))
		open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fault("inherited"))
		open("/dev/null", O_RDONLY);
	if (fault("two-lines"))
		call->note(call->host, "one\nand another");
}

static void *note_from_thread(void *call)
{
	((struct acred_call *)call)->note(((struct acred_call *)call)->host, "from a thread");
	return NULL;
}

static int one_open(struct acred_call *call, int argc, const char *const *argv, void **state)
{
	struct keyring *self = calloc(1, sizeof *self);

	if (self == NULL)
		return ACRED_FAILED;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "dir=", 4) == 0)
			snprintf(self->dir, sizeof self->dir, "%s", argv[i] + 4);
		else if (strcmp(argv[i], "held=yes") == 0)
			self->held = 1;
		else if (!fault("any-argument")) {
			free(self);
			return say(call, ACRED_FAILED, "there are dir= and held=");
		}
	}
	if (fault("leak-open"))
		open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fault("open-status"))
		return 77;
	if (fault("open-crash"))
		abort();
	if (fault("open-refuses"))
		return say(call, ACRED_UNAVAILABLE, "no");
	if (fault("global-state"))
		shared = self;
	*state = self;
	return ACRED_OK;
}

static void one_close(void *state)
{
	struct keyring *self = state;

	if (fault("close-crash"))
		abort();
	if (fault("close-hangs"))
		hang();
	if (fault("global-state") && shared != NULL)
		shared->dir[0] = '\0';
	free(self);
}

static int is_kept(const struct acred_key *key)
{
	return strcmp(key->facility, "recovery") != 0;
}

/* The file of KEY, FACILITY:USER_ID@BASE_URL with its slashes escaped. */
static void path_of(const struct keyring *self, const struct acred_key *key, char path[PATH_BYTES])
{
	const char *dir = fault("global-state") && shared != NULL ? shared->dir : self->dir;
	char url[NAME_BYTES];
	size_t n = 0;

	for (const char *p = key->base_url; *p != '\0' && n + 1 < sizeof url; p++)
		url[n++] = *p == '/' ? '%' : *p;
	url[n] = '\0';
	if (fault("no-scheme"))
		memmove(url, strchr(url, ':'), strlen(strchr(url, ':')) + 1);
	if (fault("no-port") && strrchr(url, ':') > strstr(url, "%%"))
		*strrchr(url, ':') = '\0';
	if (fault("short-url"))
		url[100] = '\0';
	snprintf(path, PATH_BYTES, "%s/%s:%lld@%s", dir, fault("no-facility") ? "any" : key->facility,
	         fault("no-user") ? 0LL : fault("short-user") ? (long long)key->user_id % 1000 : (long long)key->user_id, fault("no-url") ? "any" : url);
}

/* What a file holds: the end (milliseconds of CLOCK_MONOTONIC, 0: none), a blank, the secret. -1: there is none. */
static ssize_t read_entry(const char *path, char *bytes)
{
	char text[32 + SECRET_MAX_BYTES], *secret;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, header;
	long long end;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	end = strtoll(text, &secret, 10);
	header = secret + 1 - text;
	if (end != 0 && end <= now_ms() && !fault("expires-half"))
		return -1;
	if (end != 0 && end <= now_ms())
		header += (n - header) / 2;
	memcpy(bytes, text + header, (size_t)(n - header));
	return n - header;
}

/* Nothing has ever been stored, for faults that end with the first store. */
static int is_new(const struct keyring *self, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/.used", self->dir);
	return fault(name) && access(path, F_OK) != 0;
}

static void use(const struct keyring *self)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/.used", self->dir);
	if (fault("new-absent") || fault("new-fails") || fault("new-erases"))
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int is_damaged(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size == 0;
}

static int is_late(const struct acred_call *call)
{
	return call->deadline_ms != 0 && now_ms() >= call->deadline_ms;
}

static int is_there(const struct keyring *self, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", self->dir, name);
	return access(path, F_OK) == 0;
}

/* Its service hangs. True: the deadline has come. */
static int waits(const struct acred_call *call, const struct keyring *self)
{
	while (is_there(self, "frozen")) {
		if (is_late(call) && !fault("waits-for-ever"))
			return 1;
		poll(NULL, 0, 10);
	}
	return 0;
}

static int one_lookup(struct acred_call *call, void *state, const struct acred_key *key)
{
	struct keyring *self = state;
	char path[PATH_BYTES];
	static char bytes[SECRET_MAX_BYTES + 32];
	pthread_t thread;
	ssize_t n;
	int refused;

	misbehave(call);
	if (fault("lookup-status"))
		return 8;
	if (!is_kept(key))
		return fault("not-kept-fails") ? ACRED_FAILED : ACRED_ABSENT;
	if (!fault("reads-without-lock") && waits(call, self))
		return fault("frozen-absent") ? ACRED_ABSENT : ACRED_TIMEOUT;
	if (is_late(call) && fault("late-absent"))
		return ACRED_ABSENT;
	if (call->deadline_ms == 0 && fault("wants-deadline"))
		return ACRED_TIMEOUT;
	if (call->size != sizeof *call && fault("exact-size"))
		return ACRED_FAILED;
	if ((call->flags & ~3u) && fault("exact-flags"))
		return ACRED_FAILED;
	if (fault("needs-person") && !(call->flags & ACRED_MAY_PROMPT))
		return ACRED_ABSENT;
	if (fault("asks-blindly") && (call->flags & ACRED_MAY_PROMPT)) {
		const char *answer;
		size_t len;

		if (call->ask(call->host, "Passphrase: ", &answer, &len) != ACRED_OK)
			return ACRED_LOCKED;
	}
	if (fault("absent-unanswered") && (call->flags & ACRED_MAY_PROMPT) && call->ask != NULL) {
		const char *answer;
		size_t len;

		if (call->ask(call->host, "Passphrase: ", &answer, &len) != ACRED_OK)
			return ACRED_ABSENT;
	}
	if (self->held && fault("held-line"))
		return call->put(call->host, "yes\n", 4) == 0 ? ACRED_OK : ACRED_FAILED;
	if (self->held)
		return fault("held-anybody") ? (call->put(call->host, "yes", 3) == 0 ? ACRED_OK : ACRED_FAILED) : ACRED_ABSENT;
	if (fault("pointer") && self->kept_pointer != NULL)
		return call->put(call->host, self->kept_pointer, 300) == 0 ? ACRED_OK : ACRED_FAILED;
	if (is_new(self, "new-fails"))
		return ACRED_UNAVAILABLE;
	path_of(self, key, path);
	if (is_damaged(path) && !fault("corrupt-absent"))
		return say(call, ACRED_FAILED, "this file is damaged");
	n = read_entry(path, bytes);
	if (n < 0)
		return fault("absent-fails") ? ACRED_FAILED : fault("ok-without-put") ? ACRED_OK : fault("invents") ? call->put(call->host, "x", 1) : ACRED_ABSENT;
	if (fault("thread") && pthread_create(&thread, NULL, note_from_thread, call) == 0)
		pthread_join(thread, NULL);
	if (fault("secret-in-note"))
		call->note(call->host, bytes);
	if (fault("takes-away"))
		unlink(path);
	if (fault("cuts") && n > 1000)
		n = 1000;
	if (fault("line-feed"))
		bytes[n++] = '\n';
	if (fault("nul"))
		bytes[n++] = '\0';
	if (fault("decodes") && memchr(bytes, '%', (size_t)n) != NULL)
		*(char *)memchr(bytes, '%', (size_t)n) = '/';
	refused = call->put(call->host, bytes, (size_t)n);
	if (fault("puts-twice"))
		refused = call->put(call->host, bytes, (size_t)n);
	if (fault("put-and-absent"))
		return ACRED_ABSENT;
	if (fault("refused-ok"))
		return ACRED_OK;
	return refused == 0 ? ACRED_OK : ACRED_FAILED;
}

static int one_store(struct acred_call *call, void *state, const struct acred_key *key, const char *bytes, size_t len, int64_t ttl_s)
{
	struct keyring *self = state;
	char path[PATH_BYTES], temporary[PATH_BYTES], header[32];
	size_t half;
	int fd, n;

	if (self->held)
		return ACRED_READONLY;
	use(self);
	if (fault("store-wants-deadline") && call->deadline_ms == 0)
		return ACRED_TIMEOUT;
	if (fault("store-puts"))
		call->put(call->host, bytes, len);
	if (fault("store-crash"))
		abort();
	if (fault("store-absent"))
		return ACRED_ABSENT;
	if (fault("takes-nothing"))
		return say(call, ACRED_FAILED, "nothing is taken here");
	if (!is_kept(key))
		return fault("not-kept-denied") ? ACRED_DENIED : say(call, ACRED_FAILED, "no copies are kept here");
	if (len > (fault("small") ? 4096 : fault("limit-loses") ? 30000 : SECRET_MAX_BYTES)) {
		path_of(self, key, path);
		if (fault("limit-loses"))
			unlink(path);
		return say(call, ACRED_FAILED, "that is too long");
	}
	if (waits(call, self))
		return ACRED_TIMEOUT;
	if (is_there(self, "unwritable"))
		return fault("unwritable-ok") ? ACRED_OK : say(call, ACRED_FAILED, "it cannot be written");
	if (is_late(call) && fault("late-half"))
		len /= 2;
	if (fault("forgets"))
		return ACRED_OK;
	if (fault("forgets-long") && len > 4096)
		return ACRED_OK;
	if (fault("denies"))
		return ACRED_DENIED;
	path_of(self, key, path);
	if (fault("first-stays") && access(path, F_OK) == 0)
		return ACRED_OK;
	snprintf(temporary, sizeof temporary, "%s/.%d", self->dir, (int)getpid());
	if (fault("shared-temporary"))
		snprintf(temporary, sizeof temporary, "%s/.new", self->dir);
	n = snprintf(header, sizeof header, "%lld ", ttl_s == 0 ? 0LL : (long long)(now_ms() + ttl_s * 1000));
	if (fault("ttl-minutes") && ttl_s > 60)
		n = snprintf(header, sizeof header, "%lld ", (long long)(now_ms() + 1));
	if (fault("ttl-milliseconds") && ttl_s != 0)
		n = snprintf(header, sizeof header, "%lld ", (long long)(now_ms() + ttl_s));
	if (fault("ttl-stays") && access(path, F_OK) == 0) {
		int old = open(path, O_RDONLY | O_CLOEXEC);

		if (old >= 0 && read(old, header, sizeof header - 1) > 0)
			n = (int)strcspn(header, " ") + 1;
		close(old);
	}
	if (fault("in-place") || fault("overlays") || fault("appends"))
		snprintf(temporary, sizeof temporary, "%s", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | (fault("overlays") ? 0 : fault("appends") ? O_APPEND : O_TRUNC), 0600);
	if (fd < 0)
		return say(call, ACRED_FAILED, strerror(errno));
	if (write(fd, header, (size_t)n) != n)
		return ACRED_FAILED;
	if (fault("in-place"))
		poll(NULL, 0, 5);
	half = fault("shared-temporary") ? len / 2 : 0; /* and another's other half */
	if (half > 0 && (write(fd, bytes, half) != (ssize_t)half || poll(NULL, 0, 5) != 0))
		return ACRED_FAILED;
	if (write(fd, bytes + half, len - half) != (ssize_t)(len - half))
		return ACRED_FAILED;
	close(fd);
	if (strcmp(temporary, path) != 0 && rename(temporary, path) != 0)
		return say(call, ACRED_FAILED, strerror(errno));
	if (fault("pointer"))
		self->kept_pointer = bytes;
	return ACRED_OK;
}

#ifndef WITHOUT_ERASE
static int one_erase(struct acred_call *call, void *state, const struct acred_key *key)
{
	struct keyring *self = state;
	char path[PATH_BYTES];
	static char bytes[SECRET_MAX_BYTES + 32];

	if (self->held)
		return fault("held-erases") ? ACRED_OK : ACRED_READONLY;
	if (!is_kept(key))
		return ACRED_ABSENT;
	if (fault("erase-wants-deadline") && call->deadline_ms == 0)
		return ACRED_TIMEOUT;
	if (is_new(self, "new-erases"))
		return ACRED_OK;
	if (fault("erases-all")) {
		char command[PATH_BYTES];

		snprintf(command, sizeof command, "%s/", self->dir);
		for (DIR *dir = opendir(command); dir != NULL; closedir(dir), dir = NULL)
			for (struct dirent *each; (each = readdir(dir)) != NULL;)
				unlinkat(dirfd(dir), each->d_name, 0);
		return ACRED_OK;
	}
	if (waits(call, self))
		return ACRED_TIMEOUT;
	if (is_there(self, "unwritable"))
		return say(call, ACRED_FAILED, "it cannot be written");
	if (is_late(call) && fault("late-erase-absent"))
		return ACRED_ABSENT;
	path_of(self, key, path);
	if (fault("erase-nothing-ok") && access(path, F_OK) != 0)
		return ACRED_OK;
	if (fault("erases-nothing"))
		return ACRED_OK;
	if (read_entry(path, bytes) < 0) {
		unlink(path); /* its time may be over */
		return ACRED_ABSENT;
	}
	if (unlink(path) != 0)
		return say(call, ACRED_FAILED, strerror(errno));
	return ACRED_OK;
}
#endif

static int is_over(const struct keyring *self, const char *name)
{
	static char bytes[SECRET_MAX_BYTES + 32];
	char path[PATH_BYTES];

	snprintf(path, sizeof path, "%s/%s", self->dir, name);
	return read_entry(path, bytes) < 0;
}

static int one_list(struct acred_call *call, void *state, void (*each)(void *host, const struct acred_key *))
{
	struct keyring *self = state;
	struct dirent *entry;
	DIR *dir;

	if (fault("list-asks") && call->ask != NULL) {
		const char *answer;
		size_t n;

		call->ask(call->host, "May I? ", &answer, &n);
	}
	if (!fault("reads-without-lock") && waits(call, self))
		return fault("frozen-list-ok") ? ACRED_OK : ACRED_TIMEOUT;
	if (fault("list-absent") || is_new(self, "new-absent"))
		return ACRED_ABSENT;
	dir = opendir(self->dir);
	if (dir == NULL)
		return ACRED_OK;
	while ((entry = readdir(dir)) != NULL) {
		char name[NAME_BYTES], key_url[2 * NAME_BYTES], *id = strchr(entry->d_name, ':'), *url = strchr(entry->d_name, '@');
		struct acred_key key = { name, NULL, 0 };

		snprintf(name, sizeof name, "%.200s", entry->d_name);
		if (entry->d_name[0] == '.' || id == NULL || url == NULL)
			continue;
		if (is_over(self, entry->d_name) && !fault("list-expired"))
			continue;
		name[id - entry->d_name] = '\0';
		for (char *p = url + 1; *p != '\0'; p++)
			*p = *p == '%' ? '/' : *p;
		key.base_url = url + 1;
		key.user_id = atoll(id + 1);
		if (fault("list-short") && key.user_id == 1021)
			continue;
		if (fault("list-runs-on"))
			snprintf(key_url, sizeof key_url, "%s 0 v=1&secret", url + 1), key.base_url = key_url;
		if (fault("list-zero"))
			key.user_id = 0;
		each(fault("list-host") ? NULL : call->host, &key);
		if (fault("list-twice"))
			each(call->host, &key);
	}
	closedir(dir);
	return ACRED_OK;
}

static int one_lock(struct acred_call *call, void *state)
{
	struct keyring *self = state;
	char path[PATH_BYTES];

	(void)call;
	if (fault("lock-always"))
		return ACRED_OK;
	if (fault("lock-erases")) {
		for (DIR *dir = opendir(self->dir); dir != NULL; closedir(dir), dir = NULL)
			for (struct dirent *each; (each = readdir(dir)) != NULL;)
				unlinkat(dirfd(dir), each->d_name, 0);
	}
	snprintf(path, sizeof path, "%s/.key", self->dir);
	return unlink(path) == 0 ? ACRED_OK : ACRED_ABSENT;
}

extern const struct acred_module alation_cred_module;

const struct acred_module alation_cred_module = {
	.abi = ACRED_MODULE_ABI,
	.size = sizeof alation_cred_module,
#ifdef ONE_FAULT_NAME
	.name = ONE_FAULT_NAME,
#else
	.name = "one-fault",
#endif
	.about = "a file an entry, with one fault; for tests",
	.open = one_open,
	.lookup = one_lookup,
	.store = one_store,
#ifndef WITHOUT_ERASE
	.erase = one_erase,
#endif
	.list = one_list,
	.close = one_close,
	.lock = one_lock,
};
