/* SPDX-License-Identifier: MIT */
/*
 * alation-cred-check-module: puts a keyring module through the cases that every module of the program passes, and prints
 * TAP. The order of the cases, and the count; what a case does stands in cases-*.c. For authors of modules: it stores
 * and erases entries of its own below .check-module.invalid, and touches no other.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <unistd.h>

#include "tests/check-module/check.h"

#define HANGS_MAX 3

volatile sig_atomic_t interrupted;

static const struct test_case *const tables[] = { cases_read, cases_store, cases_many, cases_trouble, cases_ttl };
#define TABLES (sizeof tables / sizeof *tables)

static bool is_meant(const struct options *options, const char *name)
{
	for (size_t i = 0; i < options->n_only; i++)
		if (strncmp(name, options->only[i], strlen(options->only[i])) == 0)
			return true;
	return options->n_only == 0;
}

static bool is_any_meant(const struct options *options, const struct test_case *table)
{
	for (; table->name != NULL; table++)
		if (is_meant(options, table->name))
			return true;
	return false;
}

static unsigned count_cases(const struct options *options)
{
	unsigned n = 0;

	for (size_t t = 0; t < TABLES; t++)
		for (const struct test_case *each = tables[t]; each->name != NULL; each++)
			n += is_meant(options, each->name);
	for (int i = 0; i < OFFENCES; i++)
		n += is_meant(options, offence_words[i]);
	return n;
}

/* Whoever mistypes a case must not take an empty run for a good one. */
static void check_only(const struct options *options)
{
	for (size_t i = 0; i < options->n_only; i++) {
		const struct options one = { .only = { options->only[i] }, .n_only = 1 };

		if (count_cases(&one) == 0)
			refuse("--list has no case that begins with", options->only[i]);
	}
}

void list_cases(void)
{
	for (size_t t = 0; t < TABLES; t++)
		for (const struct test_case *each = tables[t]; each->name != NULL; each++)
			puts(each->name);
	for (int i = 0; i < OFFENCES; i++)
		puts(offence_words[i]);
}

/* Why a case cannot be tried; NULL: it can. */
static const char *missing(const struct check *check, unsigned needs)
{
	const struct acred_module *m = &check->facts->facts;
	bool stores = m->store != NULL && !check->readonly;
	const struct {
		unsigned need;
		bool there;
		const char *why;
	} rows[] = {
		{ NEEDS_NO_STORE, !stores, "it stores" },
		{ NEEDS_OPEN, m->open != NULL, "it has no open" },
		{ NEEDS_STORE, m->store != NULL, "it has no store" },
		{ NEEDS_STORE, stores, "it can only be read" },
		{ NEEDS_STORE, check->facility != NULL, "it takes no secret" },
		{ NEEDS_ERASE, m->erase != NULL, "it has no erase" },
		{ NEEDS_LIST, m->list != NULL, "it has no list" },
		{ NEEDS_LOCK, m->lock != NULL, "it has no lock" },
		{ NEEDS_HELD, check->options.n_held > 0, stores ? "it stores" : "no --holds says what it holds" },
		{ NEEDS_SECRET, check->options.n_held > 0 || (stores && check->facility != NULL), "no --holds says what it holds" },
		{ NEEDS_FREEZE, check->options.freeze != NULL, "no --freeze stops its service" },
		{ NEEDS_UNWRITABLE, check->options.unwritable != NULL, "no --unwritable closes its place" },
		{ NEEDS_CORRUPT, check->options.corrupt != NULL, "no --corrupt damages what it keeps" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if ((needs & rows[i].need) && !rows[i].there)
			return rows[i].why;
	return NULL;
}

static unsigned number, passed, failed, skipped;

static void print_log(const struct check *check)
{
	const char *line = check->log;

	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		printf("# %.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void report(const char *name, const char *why_skipped, bool has_failed)
{
	if (why_skipped != NULL) {
		skipped++;
		printf("ok %u - %s # SKIP %s\n", ++number, name, why_skipped);
		return;
	}
	*(has_failed ? &failed : &passed) += 1;
	printf("%sok %u - %s\n", has_failed ? "not " : "", ++number, name);
}

/* Whatever a case has left open. */
static void undo_hooks(struct check *check)
{
	if (check->frozen)
		hook(check, check->options.thaw);
	if (check->closed)
		hook(check, check->options.writable);
	if (check->damaged)
		hook(check, check->options.mend);
	check->frozen = check->closed = check->damaged = false;
}

static void run_case(struct check *check, const struct test_case *each)
{
	check->number++;
	check->failed = false;
	check->skipped = missing(check, each->needs);
	check->log_n = 0;
	check->log[0] = '\0';
	if (check->skipped == NULL && check->hangs >= HANGS_MAX)
		fail(check, NULL, "not tried: calls have not come back three times already");
	else if (check->skipped == NULL)
		each->run(check);
	undo_hooks(check);
	if (check->skipped == NULL)
		clean_up(check);
	report(each->name, check->failed ? NULL : check->skipped, check->failed);
	print_log(check);
	fflush(stdout);
	runs_end(check);
}

/* What cannot be opened is not tried further: every other case would fail for that alone. */
static bool opens_at_all(const struct check *check, char *why, size_t room)
{
	const struct board *facts = check->facts;

	if (facts->opened)
		return true;
	if (facts->open_status == ACRED_OK)
		snprintf(why, room, "%s", check->facts_log);
	else
		snprintf(why, room, "open failed: %s (%d), noting: %s", status_word(facts->open_status), facts->open_status,
		         facts->open_note[0] ? facts->open_note : "nothing");
	return false;
}

static bool precedes_opening(const char *name)
{
	return strncmp(name, "descriptor:", 11) == 0 || strncmp(name, "open:", 5) == 0;
}

static void report_offences(struct check *check)
{
	for (int i = 0; i < OFFENCES; i++) {
		bool met = check->offences[i][0] != '\0';

		if (!is_meant(&check->options, offence_words[i]))
			continue;
		report(offence_words[i], NULL, met);
		if (met)
			printf("# %s\n", check->offences[i]);
	}
}

/* A run that does nothing but load and open. False: the loader refuses it; it is no module then, and no case is tried. */
static bool get_facts(struct check *check, struct board *ret_facts)
{
	const struct errand errand = { check->options.argc, check->options.argv, NULL, 0, .rounds = 1 };
	struct run *run = run_start(check, &errand);

	run_wait(check, run);
	memcpy(ret_facts, run->board, offsetof(struct board, results));
	snprintf(check->facts_log, sizeof check->facts_log, "%.*s", (int)strcspn(check->log, "\n"), check->log);
	check->facts = ret_facts;
	return run->board->load_status == ACRED_OK;
}

/* A keyring in which nothing has ever been is another than one that was emptied: a file or a directory may not be there yet. */
static void ask_first(struct check *check)
{
	const struct acred_key key = { facility_of(check), address(check, "never"), 102 };
	const struct op all[] = { { .what = OP_LOOKUP, .key = key }, { .what = OP_LIST }, { .what = OP_ERASE, .key = key } };
	const bool there[] = { true, check->facts->facts.list != NULL, check->facts->facts.erase != NULL };

	for (int i = 0; i < OPERATIONS; i++)
		check->first[i] = NOT_TRIED;
	for (size_t i = 0; i < 3; i++) {
		const struct result *result = there[i] ? run_ops(check, &all[i], 1) : NULL;

		if (there[i])
			check->first[all[i].what] = result != NULL ? result->status : NOT_COME_BACK;
		if (result != NULL)
			memcpy(check->first_note[all[i].what], result->note, TEXT_BYTES);
	}
	runs_end(check);
}

/* Of what a file ends with a line feed, and its module hands over so, that belongs to it from now on. */
static void settle_line_feeds(struct check *check)
{
	for (size_t i = 0; i < check->options.n_held; i++) {
		struct held *held = &check->options.held[i];
		const struct op op = { .what = OP_LOOKUP, .key = held->key };
		const struct result *result = held->line_feed ? run_ops(check, &op, 1) : NULL;

		if (result != NULL && result->status == ACRED_OK && result->n == held->n + 1 &&
		    memcmp(secret_of(run_of(check, result), result), held->bytes, result->n) == 0) {
			held->n++;
			held->line_feed = false;
		}
	}
	runs_end(check);
}

static const char *first_line(struct check *check)
{
	check->log[strcspn(check->log, "\n")] = '\0';
	return check->log;
}

/* Which facilities it takes, each in a process of its own; the case that judges it comes later. */
static void probe(struct check *check)
{
	bool all_readonly = true;

	for (int i = 0; i < 3 && check->facts->facts.store != NULL; i++) {
		char *bytes = record(200);
		const struct op op = { .what = OP_STORE, .key = { facilities[i], address(check, ""), 102 }, .bytes = bytes, .n = 200 };
		const struct result *result = NULL;

		check->took[i] = NOT_TRIED;
		check->log_n = 0;
		check->log[0] = '\0';
		if (check->options.facility == NULL || strcmp(check->options.facility, facilities[i]) == 0) {
			result = run_ops(check, &op, 1);
			check->took[i] = result != NULL ? result->status : NOT_COME_BACK;
			snprintf(check->took_note[i], TEXT_BYTES, "%.*s", TEXT_BYTES - 1, result != NULL ? result->note : first_line(check));
			all_readonly &= check->took[i] == ACRED_READONLY;
		}
		check->keeps[i] = check->took[i] == ACRED_OK;
		if (check->keeps[i] && check->facility == NULL)
			check->facility = facilities[i];
		free(bytes);
	}
	check->readonly = check->facts->facts.store != NULL && all_readonly;
	clean_up(check);
	runs_end(check);
}

/* What the module keeps open for its user, such as a derived key, goes as well. */
static void lock_in_the_end(struct check *check)
{
	const struct op op = { .what = OP_LOCK, .nobody = true };

	if (check->facts->facts.lock != NULL && check->hangs == 0)
		run_ops(check, &op, 1);
	runs_end(check);
}

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void make_token(struct check *check)
{
	unsigned random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		random = (unsigned)getpid();
	snprintf(check->token, sizeof check->token, "k%08x", random);
}

int main(int argc, char **argv)
{
	static struct check check = { .options = { .deadline_ms = 5000, .margin_ms = 5000 } };
	static struct board facts;
	char why[2 * TEXT_BYTES];
	bool opens;

	if (getauxval(AT_SECURE))
		return EXIT_USAGE;
	take_arguments(argc, argv, &check.options);
	make_token(&check);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	signal(SIGPIPE, SIG_IGN);
	check_only(&check.options);
	if (!get_facts(&check, &facts)) {
		fprintf(stderr, "alation-cred-check-module: %s\n", facts.why[0] ? facts.why : check.log);
		runs_end(&check);
		return EXIT_USAGE;
	}
	runs_end(&check);
	opens = opens_at_all(&check, why, sizeof why);
	if (opens) {
		ask_first(&check);
		settle_line_feeds(&check);
		probe(&check);
	}
	if (opens && is_any_meant(&check.options, cases_ttl))
		early_begin(&check);
	printf("TAP version 13\n1..%u\n", count_cases(&check.options));
	for (size_t t = 0; t < TABLES && !interrupted; t++)
		for (const struct test_case *each = tables[t]; each->name != NULL && !interrupted; each++)
			if (is_meant(&check.options, each->name) && (opens || precedes_opening(each->name)))
				run_case(&check, each);
	if (interrupted) {
		interrupted = 0; /* what is erased now has its time */
		clean_up(&check);
		early_end(&check);
		lock_in_the_end(&check);
		options_wipe(&check.options);
		printf("Bail out! interrupted\n");
		return 1;
	}
	early_end(&check);
	lock_in_the_end(&check);
	options_wipe(&check.options);
	if (opens)
		report_offences(&check);
	else
		printf("Bail out! %s\n", why);
	if (check.left_behind > 0)
		printf("# %u entries below %s.check-module.invalid %s\n", check.left_behind, check.token,
		       facts.facts.erase != NULL ? "could not be erased" : "are left: it has no erase");
	printf("# %u passed, %u failed, %u skipped\n", passed, failed, skipped);
	if (fflush(stdout) != 0 || ferror(stdout))
		return 1;
	return failed > 0 || !opens;
}
