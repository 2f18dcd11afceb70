/* SPDX-License-Identifier: MIT */
/*
 * Whose certificates count; and a certificate authority of a company's own, beside the system's: one text of both. Inside alation.so
 * only.
 */
#ifndef HELPER_ALATION_TRUST_H
#define HELPER_ALATION_TRUST_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/alation/alation.h"

struct trust {
	char *pem; /* malloc'ed; NULL: none yet */
	size_t len;
	char detail[256]; /* why there is none; "" where there is */
};

/* The system's certificates (what libcurl was built for, else the usual places) and those in FILE. False: FILE cannot be
 * read, or has no certificate in it; a system that has none of its own is no failure. */
bool trust_read(const char *file, struct trust *ret_trust);

/* What the environment says in the place of the system's certificates, as the curl program takes it (libcurl itself reads none of
 * it); NULL: nothing. A configured ca-file goes before all of it. */
struct trust_choice {
	const char *file, *folder;
	const char *file_from, *folder_from; /* the variables */
};
void trust_choose(struct trust_choice *ret_choice);

/* Of this way, for people: "ca-file (/etc/company.pem), beside the system's (/etc/ssl/certs/ca-certificates.crt)". */
void trust_words(const struct alation_way *way, char *text, size_t room);

#endif
