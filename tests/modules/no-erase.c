/* SPDX-License-Identifier: MIT */
/* A sound guest that has a store and no erase. */
#define ONE_FAULT_NAME "no-erase"
#define WITHOUT_ERASE
#include "one-fault.c"
