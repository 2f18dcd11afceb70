/* SPDX-License-Identifier: MIT */
/*
 * The report: a line a finding, written when it is known, so that a keyring or a network that ends the call leaves what was found
 * by then; in JSON one object at the end. It gets words alone: no buffer with a secret in it comes here.
 */
#include "helper/doctor/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "helper/base/stdout.h"
#include "helper/base/terminal.h"

#define RESULT_WIDTH 6
#define STEP_WIDTH 30
#define LINE_BYTES (8 * DOCTOR_TEXT_BYTES) /* each byte escaped */

static const char *const words[] = { [DOCTOR_OK] = "ok", [DOCTOR_FAIL] = "FAIL", [DOCTOR_SKIP] = "skip" };

static const enum tone tones[] = { [DOCTOR_OK] = TONE_GOOD, [DOCTOR_FAIL] = TONE_BAD, [DOCTOR_SKIP] = TONE_CARE };

/* TEXT was written, and the column is WIDTH wide; a blank at least. */
static void pad(struct out *out, const char *text, size_t width)
{
	size_t n = strlen(text);

	do
		out_text(out, " ");
	while (++n < width);
}

/* What stands in a finding is escaped already. */
static void write_line(struct doctor *doctor, const struct doctor_finding *finding)
{
	char line[LINE_BYTES];
	struct out out = { .p = line, .room = sizeof line };
	const char *word = words[finding->result];
	struct terminal terminal;

	terminal_look(stdout_descriptor(), &terminal);
	terminal_text(&out, &terminal, tones[finding->result], bytes_of(word));
	pad(&out, word, RESULT_WIDTH);
	out_text(&out, finding->step);
	pad(&out, finding->step, STEP_WIDTH);
	terminal_visible(&out, &terminal, bytes_of(finding->text));
	out_text(&out, "\n");
	if (finding->result == DOCTOR_FAIL && finding->remedy[0]) {
		pad(&out, "", RESULT_WIDTH);
		terminal_visible(&out, &terminal, bytes_of(finding->remedy));
		out_text(&out, "\n");
	}
	if (doctor->written == DONE)
		doctor->written = stdout_write((struct bytes){ line, out.n }, doctor->context->deadline_ms, &doctor->context->trouble);
}

static void add(struct doctor *doctor, enum doctor_result result, enum trouble_code code, const char *remedy, const char *raw)
{
	struct doctor_finding *finding = &doctor->findings[doctor->n_findings];
	enum doctor_result *so_far = &doctor->results[doctor->step];

	/* A step that skips one of its modules is not skipped. */
	if (result == DOCTOR_FAIL || *so_far == DOCTOR_SKIP)
		*so_far = result;
	if (doctor->n_findings == DOCTOR_FINDINGS_MAX)
		return;
	doctor->n_findings++;
	trouble_escape(finding->step, sizeof finding->step, doctor->name); /* a module may be a path */
	finding->result = result;
	finding->code = code;
	trouble_escape(finding->text, sizeof finding->text, raw);
	trouble_escape(finding->remedy, sizeof finding->remedy, remedy);
	if (!doctor->context->options.format->checks)
		write_line(doctor, finding);
}

#define ADD(result, code, remedy)                                                  \
	do {                                                                       \
		char raw[DOCTOR_TEXT_BYTES];                                       \
		va_list args;                                                      \
		va_start(args, format);                                            \
		vsnprintf(raw, sizeof raw, format, args);                          \
		va_end(args);                                                      \
		add(doctor, result, code, remedy, raw);                            \
	} while (0)

void doctor_ok(struct doctor *doctor, const char *format, ...)
{
	ADD(DOCTOR_OK, TROUBLE_NONE, "");
}

void doctor_skip(struct doctor *doctor, const char *format, ...)
{
	ADD(DOCTOR_SKIP, TROUBLE_NONE, "");
}

void doctor_fail(struct doctor *doctor, enum trouble_code code, const char *remedy, const char *format, ...)
{
	ADD(DOCTOR_FAIL, code, remedy);
}

void doctor_fail_so(struct doctor *doctor)
{
	const struct trouble trouble = doctor->context->trouble;

	doctor->context->trouble = (struct trouble){ 0 };
	doctor_fail(doctor, trouble.code, trouble.remedy, "%s", trouble.message);
}

static const struct doctor_finding *first_fail(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->n_findings; i++)
		if (doctor->findings[i].result == DOCTOR_FAIL)
			return &doctor->findings[i];
	return NULL;
}

static void write_object(struct doctor *doctor, const struct doctor_finding *first)
{
	static char buffer[DOCTOR_FINDINGS_MAX * 6 * sizeof *first]; /* not touched but by this */
	static struct check checks[DOCTOR_FINDINGS_MAX];
	struct out out = { .p = buffer, .room = sizeof buffer };
	struct failure failure = { 0 };

	for (size_t i = 0; i < doctor->n_findings; i++) {
		const struct doctor_finding *finding = &doctor->findings[i];
		bool failed = finding->result == DOCTOR_FAIL;

		checks[i] = (struct check){ finding->step, words[finding->result], finding->text, failed ? trouble_name(finding->code) : NULL,
		                            failed ? finding->remedy : NULL };
	}
	if (first)
		failure = (struct failure){ .code = trouble_name(first->code), .exit = (int)trouble_outcome(first->code) };
	doctor->context->options.format->checks(&out, checks, doctor->n_findings, first ? &failure : NULL);
	doctor->written = stdout_write((struct bytes){ buffer, out.n }, doctor->context->deadline_ms, &doctor->context->trouble);
}

enum outcome report_end(struct doctor *doctor)
{
	const struct doctor_finding *first = first_fail(doctor);

	if (doctor->context->options.format->checks)
		write_object(doctor, first);
	if (doctor->written != DONE)
		return doctor->written;
	doctor->context->answered = true;
	return first ? trouble_say(&doctor->context->trouble, first->code, first->remedy, "%s: %s", first->step, first->text) : DONE;
}
