/* SPDX-License-Identifier: MIT */
/*
 * An answer before it is sent: a status, headers, and either the members of a JSON object or any bytes. Faults
 * change it here, so that the endpoints need not know of them.
 */
#ifndef SANDBOX_REPLY_H
#define SANDBOX_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/text.h"

#define REPLY_MEMBERS_MAX 48
#define REPLY_HEADERS_MAX 16
#define REPLY_TYPE_BYTES 128

enum reply_end {
	END_CLOSE,
	END_RESET,  /* TCP's RST, so that the client sees no orderly end */
	END_STALL,  /* silent until the client goes */
	END_ANSWER, /* the answer proper follows: the raw bytes stand before it */
};

/* What goes onto the wire as it stands, with no regard for HTTP. */
struct reply_raw {
	bool is_set;
	struct text bytes;
	struct text fill;  /* after them, again and again until the client goes */
	long long drip_ms; /* the pause after each byte of it */
	enum reply_end end;
};

struct reply {
	int status;        /* 0: close the connection instead */
	char type[REPLY_TYPE_BYTES];
	struct {
		char *name, *raw;
	} members[REPLY_MEMBERS_MAX], headers[REPLY_HEADERS_MAX];
	size_t members_n, headers_n;
	struct text body;  /* instead of the members, once reply_bytes was called */
	bool is_bytes;
	bool is_cut;       /* break the connection after cut_n bytes of the body */
	size_t cut_n;
	struct reply_raw raw;
};

/* Starts over: no members, no bytes, no headers. */
void reply_start(struct reply *reply, int status, const char *type);

void reply_type(struct reply *reply, const char *type);

/* RAW is JSON, or not: it is written as it stands. A member that is there is replaced in its place. */
void reply_raw(struct reply *reply, const char *name, const char *raw);
void reply_string(struct reply *reply, const char *name, const char *value);
void reply_number(struct reply *reply, const char *name, int64_t value);
void reply_unset(struct reply *reply, const char *name);
void reply_bytes(struct reply *reply, const char *p, size_t n);
void reply_header(struct reply *reply, const char *name, const char *value);

/* {"detail":DETAIL,"code":CODE} */
void reply_refuse(struct reply *reply, int status, const char *detail, const char *code);
/* A line of plain text, for the control calls. */
void reply_line(struct reply *reply, int status, const char *line);

/* Writes the members into the body, unless it is bytes already. */
void reply_finish(struct reply *reply);
void reply_free(struct reply *reply);

#endif
