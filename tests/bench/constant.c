/* SPDX-License-Identifier: MIT */
/*
 * What starting a C program costs: prints a constant of a token's length. The yardstick of docs/performance.md,
 * built with the program's own flags.
 */
#include <unistd.h>

int main(void)
{
	static const char token[] = "GUAFqGbdD6eA_uwo6EO2Ntq_-KRMFVWgJ4jg2SBybGU\n";

	return write(STDOUT_FILENO, token, sizeof token - 1) != sizeof token - 1;
}
