/* SPDX-License-Identifier: MIT */
/*
 * What the files of alation-cred-check-module share. A case asks for runs of operations, each run in a process of its own
 * that loads the module as the program does (host.c watches it, guest.c is it), and judges what came back (expect.c).
 * Nothing of a module is ever loaded into the process that counts.
 */
#ifndef TESTS_CHECK_MODULE_CHECK_H
#define TESTS_CHECK_MODULE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "keyring/module.h"

#define SECRET_MAX_BYTES (2 * 1024 * 1024) /* what put() takes; a module that hands over more is refused */
#define OPS_MAX 64
#define LISTED_MAX 256
#define HELD_MAX 16
#define ONLY_MAX 16
#define ANSWER_MAX_BYTES 4096
#define TEXT_BYTES 512
#define MALFORMED_BYTES 128
#define FACILITY_MAX_BYTES 16
#define URL_BYTES 256 /* the longest base URL has 217 */

enum operation { OP_LOOKUP, OP_STORE, OP_ERASE, OP_LIST, OP_LOCK, OPERATIONS };

/* What is always wrong, whichever case comes upon it. Each is a case of its own at the end; the first one met is shown. */
enum offence {
	OFFENCE_STATUS,      /* a status that is none */
	OFFENCE_PUT,         /* put() out of turn, twice, or not at all */
	OFFENCE_NOTE,        /* more than a line, or the secret in it */
	OFFENCE_ASK,         /* a list or a lock that asks a person */
	OFFENCE_THREAD,      /* a call-back from another thread, after the call, or with another host */
	OFFENCE_STDOUT,
	OFFENCE_STDERR,
	OFFENCE_STDIN,
	OFFENCE_PROCESS,     /* umask, directory, signals, environment, locale, dumpable */
	OFFENCE_CHILD,
	OFFENCE_DESCRIPTOR,  /* one that an exec would pass on */
	OFFENCE_LEAK,        /* one more with each open and close */
	OFFENCE_HANG,
	OFFENCE_DEATH,
	OFFENCES
};

/* One call that a run makes, and how it is made. */
struct op {
	enum operation what;
	struct acred_key key;
	const char *bytes; /* of a store */
	size_t n;
	int64_t ttl_s;
	int64_t time_ms;   /* from now to the deadline; 0: as the options say */
	bool late;         /* the deadline has passed */
	bool no_deadline;
	bool refuse_put;
	bool nobody;       /* whatever the options say, nobody can be asked */
	bool mute;         /* a person is said to be there, and there is no ask() */
	bool silent;       /* a person is there who does not answer */
	bool newer;        /* struct acred_call is longer than any module knows, and has flags that none does */
};

struct listed {
	char facility[FACILITY_MAX_BYTES + 1], base_url[URL_BYTES];
	int64_t user_id;
};

/* What became of it, in memory that outlives the process. */
struct result {
	bool done;
	int status;
	unsigned puts, asked;
	size_t n;                     /* of the secret; its bytes lie in the board */
	size_t at;
	int64_t late_ms;              /* past its deadline */
	unsigned n_listed;            /* all of them; kept are those whose address is one of this run's */
	unsigned n_kept;
	unsigned n_malformed;         /* keys that nobody can have, and what is wrong with the first */
	char malformed[MALFORMED_BYTES];
	struct listed listed[LISTED_MAX];
	char note[TEXT_BYTES];        /* the last one */
};

/* What the run says to the one who watches: where it is, and by when it must be elsewhere. */
struct board {
	char doing[64];               /* "lookup", "open", … */
	volatile int64_t ends_ms;
	int load_status, open_status;
	bool opened, finished;
	char why[TEXT_BYTES];         /* the loader's words */
	char open_note[TEXT_BYTES];
	struct acred_module facts;    /* its pointers only tell whether there is an operation */
	char name[TEXT_BYTES], about[TEXT_BYTES];
	char offences[OFFENCES][TEXT_BYTES];
	struct result results[OPS_MAX];
	size_t used;
	char secrets[2 * SECRET_MAX_BYTES];
};

struct held { /* what a read-only module is said to hold */
	struct acred_key key;
	char base_url[URL_BYTES], facility[16];
	char *bytes;
	size_t n;
	bool line_feed; /* behind them; whether the module hands it over is its own matter */
};

struct options {
	const char *module; /* a name, or an absolute path */
	int argc;
	const char *const *argv;
	const char *facility; /* NULL: whichever it takes */
	const char *freeze, *thaw, *unwritable, *writable, *corrupt, *mend;
	struct held held[HELD_MAX];
	size_t n_held;
	const char *only[ONLY_MAX]; /* how the names of the cases begin that are tried; none: all are */
	size_t n_only;
	char *answer; /* NULL: nobody is there */
	size_t answer_n;
	int64_t deadline_ms, margin_ms;
};

/* One run: which arguments, which operations, and how often from open to close. */
struct errand {
	int argc;
	const char *const *argv;
	const struct op *ops;
	size_t n;
	unsigned rounds; /* 0 is 1 */
	bool twice;      /* a second one is open beside it, as for two lines of a stack, until the first call has been made */
};

struct run {
	struct board *board;
	pid_t pid; /* -1: it could not be started */
	int out, err, pidfd;
	const struct errand *errand;
	struct run *next;
};

#define USED_MAX 64
#define EARLY_MAX 8

#define NOT_TRIED (-1)
#define NOT_COME_BACK (-2)

struct check {
	struct options options;
	char token[16];             /* of this run's addresses: nobody else's entries are touched */
	struct board *facts;        /* of the run that only opened it */
	char facts_log[TEXT_BYTES]; /* and what was wrong with that */
	int first[OPERATIONS];      /* what it answered before anything was stored, or as below */
	char first_note[OPERATIONS][TEXT_BYTES];
	int took[3];                /* what it answered to a store into each of facilities[], or one of those below, */
	char took_note[3][TEXT_BYTES]; /* its note, or what became of it */
	bool keeps[3];              /* and whether it took it */
	const char *facility;       /* the first that it takes; NULL: none */
	bool readonly;              /* no store, or one that says so */
	bool frozen, closed, damaged; /* a hook has run, and its opposite has not */
	unsigned hangs;
	char offences[OFFENCES][TEXT_BYTES];
	struct listed used[USED_MAX]; /* what was stored, to be erased again */
	size_t n_used;
	char early_url[URL_BYTES];  /* at which lies what the cases of time have stored before all others; "": nothing */
	char *early[EARLY_MAX];     /* and what that is */
	bool early_failed[EARLY_MAX];
	char early_log[TEXT_BYTES];
	int64_t early_ms;           /* since when it lies there */
	unsigned left_behind;

	/* of the case that runs */
	unsigned number;            /* 0: before the first; its addresses have it */
	bool failed;
	const char *skipped;
	char log[8192];
	size_t log_n;
	struct run *runs;
};

extern const char *const facilities[3];
extern const char *const operation_words[];
extern const char *const offence_words[OFFENCES]; /* what should be, as a case is named */

/* options.c */

#define EXIT_USAGE 2

_Noreturn void refuse(const char *why, const char *what);
void take_arguments(int argc, char **argv, struct options *options);
void options_wipe(struct options *options); /* what files held, before the end */

/* main.c */

void list_cases(void);

/* host.c */

int64_t now_ms(void);

/* Starts a run; what ERRAND points at must outlive it. Wait for it with run_wait(). Never NULL; freed with the case. */
struct run *run_start(struct check *check, const struct errand *errand);

/* Waits for its end, at most until its board says. True: every operation came back and the process ended well; else the
 * case has failed and its log says where and how. */
bool run_wait(struct check *check, struct run *run);

/* Both for OPS with the options' arguments, and what became of the first one. NULL: as false above. */
struct result *run_ops(struct check *check, const struct op *ops, size_t n);

const char *secret_of(const struct run *run, const struct result *result);
struct run *run_of(struct check *check, const struct result *result);

/* Ends what still runs, wipes and frees the boards of the case. */
void runs_end(struct check *check);

/* Runs COMMAND by /bin/sh, its output on stderr. False: it failed, and the case with it. */
bool hook(struct check *check, const char *command);

/* guest.c: what a run's process does; returns only to end. */
void guest_main(const struct options *options, const char *token, const struct errand *errand, struct board *board);

/* surroundings.c */

struct surroundings;
struct surroundings *surroundings_take(void); /* of this process as it is now; NULL: no memory */
/* Whether it still is; else *WHAT says what changed, and it is taken anew. */
bool surroundings_same(struct surroundings *was, char what[TEXT_BYTES]);
/* Descriptors alone: a new one without close-on-exec. */
bool surroundings_closed_on_exec(struct surroundings *was, char what[TEXT_BYTES]);
unsigned descriptors_open(void);

/* expect.c: what a case says. Each failure is one line or more of the log; LAW is what module.h says. */

void say(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fail(struct check *check, const char *law, const char *format, ...) __attribute__((format(printf, 3, 4)));
void skip(struct check *check, const char *why);
const char *status_word(int status);

#define STATUS(s) (1u << (s))
#define ANY_STATUS 0xffu
#define REFUSALS (ANY_STATUS & ~(STATUS(ACRED_OK) | STATUS(ACRED_ABSENT)))

/* Whether RESULT's status is one of WANTED, a set of STATUS(); else the case fails. */
bool want(struct check *check, const struct op *op, const struct result *result, unsigned wanted, const char *law);

/* The same for what an operation answered before anything was stored. */
bool want_first(struct check *check, enum operation what, unsigned wanted, const char *law);

/* Whether a look-up found exactly these bytes. */
bool want_bytes(struct check *check, const struct op *op, const struct result *result, const char *bytes, size_t n, const char *law);

/* Whether a list was answered so and all keys in it are well formed; else the case fails. */
bool want_list(struct check *check, const struct op *op, const struct result *result, unsigned wanted, const char *law);

/* How often a list has KEY. */
unsigned times_listed(const struct result *result, const struct acred_key *key);

/* The same in a process of its own. */
bool stores(struct check *check, struct acred_key key, const char *bytes, size_t n);
bool finds(struct check *check, struct acred_key key, const char *bytes, size_t n, const char *law);
bool finds_nothing(struct check *check, struct acred_key key, const char *law);
bool erases(struct check *check, struct acred_key key);

/* https://NAME.cNUMBER.TOKEN.check-module.invalid in a buffer that lives as long as the case; "" is without NAME. Each case has
 * addresses of its own: what an earlier one has left behind, in a module without an erase, is none of them. */
const char *address(struct check *check, const char *name);
bool is_of_this_case(const struct check *check, const char *base_url);
bool is_held(const struct check *check, const struct acred_key *key);
struct acred_key key_for(struct check *check, int64_t user_id);
const char *facility_of(const struct check *check); /* one to ask for where none is taken */

/* N bytes that look like a record, different for each call; the caller frees them. */
char *record(size_t n);

/* Erases all that was stored but for what lies early_url, and counts what could not be erased. */
void clean_up(struct check *check);
void will_use(struct check *check, const struct acred_key *key);

/* cases-ttl.c: what its cases store before all others, and that this goes again. */

void early_begin(struct check *check);
void early_end(struct check *check);

/* cases-*.c */

enum need {
	NEEDS_STORE = 1u << 0,
	NEEDS_ERASE = 1u << 1,
	NEEDS_LIST = 1u << 2,
	NEEDS_HELD = 1u << 3,
	NEEDS_SECRET = 1u << 4, /* something stored, or held */
	NEEDS_LOCK = 1u << 5,
	NEEDS_FREEZE = 1u << 6,
	NEEDS_UNWRITABLE = 1u << 7,
	NEEDS_NO_STORE = 1u << 8,
	NEEDS_OPEN = 1u << 9,
	NEEDS_CORRUPT = 1u << 10,
};

struct test_case {
	const char *name;
	void (*run)(struct check *check);
	unsigned needs;
};

extern const struct test_case cases_read[], cases_store[], cases_many[], cases_trouble[], cases_ttl[]; /* each ends with a NULL */

#endif
