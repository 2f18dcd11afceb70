/* SPDX-License-Identifier: MIT */
/*
 * Opens a page where a person sees it. Knows no page, and hands over no secret.
 */
#ifndef HELPER_BASE_BROWSER_H
#define HELPER_BASE_BROWSER_H

/*
 * Starts xdg-open, which is looked for in PATH, with ADDRESS as its one argument, in a session of its own and without our
 * descriptors: Ctrl-C here does not end it, and it writes nothing here. It is waited for a moment, in which it can fail. NULL: the
 * page opens, as far as we know; else why it does not, in words.
 */
const char *browser_open(const char *address);

#endif
