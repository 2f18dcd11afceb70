/* SPDX-License-Identifier: MIT */
/* A bad guest: a shared object, but no module. */
extern const int no_symbol;
const int no_symbol = 1;
