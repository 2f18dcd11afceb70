/* SPDX-License-Identifier: MIT */
/*
 * A certificate authority of a company's own, beside the system's: one text of both. Inside alation.so only.
 */
#ifndef HELPER_ALATION_TRUST_H
#define HELPER_ALATION_TRUST_H

#include <stdbool.h>
#include <stddef.h>

struct trust {
	char *pem; /* malloc'ed; NULL: none yet */
	size_t len;
	char detail[256]; /* why there is none; "" where there is */
};

/* The system's certificates (what libcurl was built for, else the usual places) and those in FILE. False: FILE cannot be
 * read, or has no certificate in it; a system that has none of its own is no failure. */
bool trust_read(const char *file, struct trust *ret_trust);

#endif
