/* SPDX-License-Identifier: MIT */
/*
 * Runs a command for which the kernel keyring is closed, as in many containers: keyctl, add_key and request_key answer
 * EPERM, with --enosys ENOSYS, and so they do for all that it starts. Changes nothing else but, where the caller is not
 * root, no_new_privs.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_OWN 125 /* as env(1) has it */

static int filter(unsigned error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_request_key, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
	};
	struct sock_fprog program = { sizeof code / sizeof code[0], code };

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int main(int argc, char *argv[])
{
	int first = argc > 1 && strcmp(argv[1], "--enosys") == 0 ? 2 : 1;

	if (argc <= first) {
		fprintf(stderr, "usage: no-keyctl [--enosys] COMMAND [ARGUMENT...]\n");
		return EXIT_OWN;
	}
	if (filter(first == 2 ? ENOSYS : EPERM) != 0) {
		fprintf(stderr, "no-keyctl: no filter can be installed: %s\n", strerror(errno));
		return EXIT_OWN;
	}
	execvp(argv[first], argv + first);
	fprintf(stderr, "no-keyctl: %s: %s\n", argv[first], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}
