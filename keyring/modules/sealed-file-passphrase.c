/* SPDX-License-Identifier: MIT */
/*
 * Reads the key-file and asks people. Opens, looks at what it opened, then uses that; never says a byte of what it read.
 */
#include "keyring/modules/sealed-file-passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define KEY_FILE_MAX_BYTES (64 * 1024)
#define QUESTION_BYTES (PATH_MAX + 64)
#define NEW_TRIES 2

/*
 * NULL: it may be used. In a credentials directory root's files are as the service manager made them: systemd gives
 * 0400, or 0440 where the service's user is let in by an ACL, container engines 0444. Where that is mounted read-only, as
 * they do it, nobody here could write what another owner's file says. Elsewhere a file that all can read is a mistake,
 * while a group's is root's decision.
 */
static const char *refusal(int fd, const struct stat *st, bool credential)
{
	struct statvfs fs;

	if (!S_ISREG(st->st_mode))
		return "it is no regular file";
	if (credential && fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return NULL;
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user";
	if ((st->st_mode & 022) != 0)
		return "others can write it";
	if (st->st_uid != 0 && (st->st_mode & 044) != 0)
		return "others can read it; chmod it to 0600";
	if (st->st_uid == 0 && (st->st_mode & 004) != 0 && !credential)
		return "everybody can read it; chmod it to 0600, or to 0640 and a group";
	return NULL;
}

/* The path of KEY_FILE, which may lie in the credentials directory that this process was given. */
static int resolve(struct acred_call *call, const char *key_file, char path[PATH_MAX])
{
	const char *directory = "", *rest = key_file;

	if (key_file[0] != '/') {
		rest = key_file + sizeof SEALED_CREDENTIALS - 1;
		directory = secure_getenv("CREDENTIALS_DIRECTORY");
		if (directory == NULL || directory[0] == '\0')
			return note_say(call, ACRED_UNAVAILABLE, "key-file=%s: CREDENTIALS_DIRECTORY is not set; a systemd unit with LoadCredential= has it", key_file);
		if (directory[0] != '/')
			return note_say(call, ACRED_FAILED, "key-file=%s: CREDENTIALS_DIRECTORY is '%s', not an absolute path", key_file, directory);
	}
	if (snprintf(path, PATH_MAX, "%s%s", directory, rest) >= PATH_MAX)
		return note_say(call, ACRED_FAILED, "key-file=%s: its path is too long", key_file);
	return ACRED_OK;
}

/* Up to room bytes; 0 or an errno. */
static int read_all(int fd, struct wiped *bytes)
{
	size_t n = 0;

	while (n < bytes->n) {
		ssize_t got = read(fd, bytes->p + n, bytes->n - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	bytes->n = n;
	return 0;
}

static int read_passphrase(struct acred_call *call, const char *path, int fd, struct wiped *ret)
{
	int error;

	if (!wiped_new(ret, KEY_FILE_MAX_BYTES + 1))
		return note_say(call, ACRED_FAILED, "no memory for the passphrase");
	error = read_all(fd, ret);
	if (error != 0)
		return note_say(call, ACRED_FAILED, "the key-file %s cannot be read: %s", path, strerror(error));
	if (ret->n > KEY_FILE_MAX_BYTES)
		return note_say(call, ACRED_FAILED, "the key-file %s is longer than %d bytes", path, KEY_FILE_MAX_BYTES);
	if (ret->n > 0 && ret->p[ret->n - 1] == '\n')
		ret->n--;
	return ret->n > 0 ? ACRED_OK : note_say(call, ACRED_FAILED, "the key-file %s is empty; put a passphrase into it", path);
}

int sealed_passphrase_read(struct acred_call *call, const char *key_file, struct wiped *ret)
{
	char path[PATH_MAX];
	const char *why;
	struct stat st;
	int fd, status = resolve(call, key_file, path);

	if (status != ACRED_OK)
		return status;
	/* A link is followed: what it leads to is looked at, and secrets that a cluster mounts are links. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return note_say(call, ACRED_UNAVAILABLE, "there is no key-file %s", path);
	if (fd < 0)
		return note_say(call, ACRED_FAILED, "the key-file %s cannot be opened: %s", path, strerror(errno));
	why = fstat(fd, &st) != 0 ? strerror(errno) : refusal(fd, &st, key_file[0] != '/');
	if (why != NULL)
		status = note_say(call, ACRED_FAILED, "the key-file %s is not used: %s (mode %04o)", path, why, (unsigned)st.st_mode & 07777);
	else
		status = read_passphrase(call, path, fd, ret);
	close(fd);
	return status;
}

/* The path is the user's, or who wrote the configuration's; it shall not draw on the terminal. */
static void write_question(char question[QUESTION_BYTES], const char *before, const char *path)
{
	snprintf(question, QUESTION_BYTES, "%s %s: ", before, path);
	for (char *p = question; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

/* The host keeps its answer until the call's end; ours is wiped sooner. */
static int ask(struct acred_call *call, const char *question, struct wiped *ret)
{
	const char *answer = NULL;
	size_t n = 0;
	int status = call->ask(call->host, question, &answer, &n);

	if (status != ACRED_OK)
		return note_say(call, status, "nobody gave the passphrase");
	if (!wiped_new(ret, n))
		return note_say(call, ACRED_FAILED, "no memory for the passphrase");
	if (n > 0)
		memcpy(ret->p, answer, n);
	return ACRED_OK;
}

int sealed_passphrase_ask(struct acred_call *call, const char *path, bool again, struct wiped *ret)
{
	char question[QUESTION_BYTES];

	write_question(question, again ? "that was wrong; passphrase of the sealed file" : "passphrase of the sealed file", path);
	return ask(call, question, ret);
}

/* NULL: both are the same, and RET has it. *RET_STATUS is another than ACRED_OK where nobody answered. */
static const char *ask_twice(struct acred_call *call, const char *question, struct wiped *ret, int *ret_status)
{
	WIPED second = { 0 };

	*ret_status = ask(call, question, ret);
	if (*ret_status != ACRED_OK)
		return NULL;
	if (ret->n == 0)
		return "the passphrase is empty";
	*ret_status = ask(call, "again: ", &second);
	if (*ret_status != ACRED_OK)
		return NULL;
	return ret->n == second.n && sodium_memcmp(ret->p, second.p, ret->n) == 0 ? NULL : "the two differ";
}

int sealed_passphrase_ask_new(struct acred_call *call, const char *path, struct wiped *ret)
{
	char question[QUESTION_BYTES], before[96] = "new passphrase for the sealed file";
	const char *why = NULL;
	int status;

	for (int tries = 0; tries < NEW_TRIES; tries++) {
		write_question(question, before, path);
		why = ask_twice(call, question, ret, &status);
		if (why == NULL)
			return status;
		wiped_free(ret);
		snprintf(before, sizeof before, "%s; new passphrase for the sealed file", why);
	}
	return note_say(call, ACRED_LOCKED, "%s; no sealed file was made, try again", why);
}
