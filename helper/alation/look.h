/* SPDX-License-Identifier: MIT */
/*
 * The pages that are only looked at. Inside alation.so only.
 */
#ifndef HELPER_ALATION_LOOK_H
#define HELPER_ALATION_LOOK_H

#include "helper/alation/alation.h"

/* acred_alation.look */
enum alation_result look_at_page(const struct alation_look *look, struct alation_sight *ret_sight);

#endif
