/* SPDX-License-Identifier: MIT */
/*
 * The verbs, one file each. A verb reads what it was asked, calls the helper, writes its reply; trouble goes up.
 */
#ifndef HELPER_VERBS_VERBS_H
#define HELPER_VERBS_VERBS_H

#include "helper/context.h"

/* ARGUMENT is what stands behind the verb (ACCOUNT or URL), or NULL. */
enum outcome get_main(struct context *context, const char *argument);
enum outcome token_main(struct context *context, const char *argument);
enum outcome exec_main(struct context *context, const char *argument);
enum outcome store_main(struct context *context, const char *argument);
enum outcome erase_main(struct context *context, const char *argument);
enum outcome capability_main(struct context *context, const char *argument);
enum outcome login_main(struct context *context, const char *argument);
enum outcome logout_main(struct context *context, const char *argument);
enum outcome status_main(struct context *context, const char *argument);
enum outcome validate_main(struct context *context, const char *argument);
enum outcome revoke_main(struct context *context, const char *argument);
enum outcome rotate_main(struct context *context, const char *argument);
enum outcome set_main(struct context *context, const char *argument);
enum outcome unlock_main(struct context *context, const char *argument);
enum outcome lock_main(struct context *context, const char *argument);
enum outcome doctor_main(struct context *context, const char *argument);

/* The words of `set`; NULL ends them. */
extern const char *const set_words[];

#endif
