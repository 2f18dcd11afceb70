/* SPDX-License-Identifier: MIT */
/*
 * What the rooms of the module docker-helper share. Each of them owns one question:
 *
 *   docker-helper-program      which file is meant, and whether it may be run
 *   docker-helper-run          one run of it, with a deadline
 *   docker-helper-environment  what it is given of our environment
 *   docker-helper-json         JSON to it and from it
 *   docker-helper-words        what its words mean, and what of them may be repeated
 */
#ifndef KEYRING_MODULES_DOCKER_HELPER_H
#define KEYRING_MODULES_DOCKER_HELPER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "keyring/module.h"
#include "keyring/note.h"

#define DOCKER_PREFIX "docker-credential-"
#define DOCKER_NAME_MAX_BYTES 64            /* of a program that is not named by a path, without the prefix */
#define DOCKER_SECRET_MAX_BYTES (56 * 1024) /* the helpers that are written in Go take a line of 64 KiB, and no longer one */
#define DOCKER_OUT_MAX_BYTES (256 * 1024)
#define DOCKER_ERR_MAX_BYTES (16 * 1024)    /* what is kept of it; the rest is read and let go */
#define DOCKER_SAID_BYTES 320

struct docker_view {
	const char *p;
	size_t n;
};

struct docker_program {
	const char *path;                       /* absolute, the string of the line; or NULL, and */
	char name[DOCKER_NAME_MAX_BYTES + 1];   /* what stands behind the prefix */
	char shown[sizeof DOCKER_PREFIX + DOCKER_NAME_MAX_BYTES]; /* for notes: the last part of its path */
};

/* The file to run, open, looked at. */
struct docker_file {
	int fd;
	bool script;         /* it begins with #!: its interpreter must find it by */
	char path[PATH_MAX]; /* without links */
};

/* What one run gave. Both texts may hold a secret: docker_answer_free() wipes them. */
struct docker_answer {
	char *out, *err;
	size_t n_out, n_err;
	int status; /* waitpid's */
};
void docker_answer_free(struct docker_answer *);
#define DOCKER_ANSWER __attribute__((cleanup(docker_answer_free))) struct docker_answer

/* The value of program=. ACRED_OK; else it is noted what is wrong. VALUE is not copied where it is a path. */
int docker_program_read(struct acred_call *, const char *value, struct docker_program *ret);

/* ACRED_OK: RET->fd is the caller's to close. ACRED_UNAVAILABLE: there is no such program; ACRED_FAILED: it is not to be
 * run. Both are noted. */
int docker_program_open(struct acred_call *, const struct docker_program *, struct docker_file *ret);

/* Its environment, ended with NULL; NULL: no memory. free() takes all of it; the other strings are the environment's own. */
char **docker_environment(const struct acred_call *);

/* Whether a run only looks; then it ends with us. One that changes something goes on if we are killed. */
enum docker_kind { DOCKER_LOOKS, DOCKER_CHANGES };

/*
 * Runs PROGRAM with the argument VERB and IN on its stdin. ACRED_OK: it ended by itself, *RET tells how. Else it has been
 * ended, or never began; noted, and RET holds nothing. ACRED_TIMEOUT: the call's deadline came first.
 */
int docker_run(struct acred_call *, const struct docker_program *, const char *verb, enum docker_kind, struct docker_view in,
               struct docker_answer *ret);

/* What a run means that did not exit with 0: ACRED_ABSENT, or another status, and a note. SECRET, which may be empty, is
 * what was sent, and must not be repeated. */
int docker_words_judge(struct acred_call *, const struct docker_program *, const struct docker_answer *, struct docker_view secret);

/* The last line of stderr is noted, where there is one, of a run that went well. */
void docker_words_pass_on(struct acred_call *, const struct docker_program *, const struct docker_answer *, struct docker_view secret);

#endif
