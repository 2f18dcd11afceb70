/* SPDX-License-Identifier: MIT */
/*
 * The verbs, one file each. A verb reads what it was asked, calls the helper, writes its reply; trouble goes up.
 */
#ifndef HELPER_VERBS_VERBS_H
#define HELPER_VERBS_VERBS_H

#include "helper/context.h"

/* ARGUMENT is what stands behind the verb (ACCOUNT or URL), or NULL. */
enum outcome get_main(struct context *context, const char *argument);
enum outcome login_main(struct context *context, const char *argument);
enum outcome logout_main(struct context *context, const char *argument);
enum outcome status_main(struct context *context, const char *argument);

#endif
