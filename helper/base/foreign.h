/* SPDX-License-Identifier: MIT */
/*
 * Before a library or a module that is not ours: nothing that the caller's environment says leads it astray, and nothing that it prints
 * is taken for an answer.
 */
#ifndef HELPER_BASE_FOREIGN_H
#define HELPER_BASE_FOREIGN_H

/* Before any is loaded, and only then (the warm path loads none): the environment variables are removed that redirect libsecret, GIO,
 * TLS key logs and allocators, stdout is set aside (stdout.h), and what an exec must give back is noted (handover.h). Once. */
void foreign_code_comes(void);

#endif
