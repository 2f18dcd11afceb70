/* SPDX-License-Identifier: MIT */
/*
 * Writes the log of calls. It holds throw-away tokens in full (tests compare them), never a password. Knows nothing
 * of what the calls did. The caller holds the lock, so the order of the lines is the order of the acts.
 */
#include "tests/sandbox/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/sandbox/dates.h"

bool log_open(struct log *log, const char *path)
{
	*log = (struct log){ .fd = -1 };
	if (!path)
		return true;
	log->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return log->fd >= 0;
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			perror("alation-sandbox: the log");
			return;
		}
		p += done;
		n -= (size_t)done;
	}
}

static void add_word(struct text *t, const char *before, const char *word)
{
	text_puts(t, before);
	text_word(t, word);
}

void log_write(struct log *log, const struct log_call *call)
{
	size_t start = log->all.n;

	text_printf(&log->all, "%llu %lld ", ++log->last_seq, (long long)(dates_now_us() / 1000));
	add_word(&log->all, "", call->method);
	add_word(&log->all, " ", call->path);
	text_printf(&log->all, " %03d", call->status);
	add_word(&log->all, " user_id=", call->user_id);
	add_word(&log->all, " refresh=", call->refresh);
	add_word(&log->all, " access=", call->access);
	add_word(&log->all, " fault=", call->fault);
	add_word(&log->all, " made=", call->made);
	text_puts(&log->all, "\n");
	if (log->fd >= 0)
		write_all(log->fd, log->all.p + start, log->all.n - start);
}

void log_close(struct log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	text_free(&log->all);
}
