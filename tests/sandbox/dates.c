/* SPDX-License-Identifier: MIT */
/*
 * Writes instants as Alation's servers were seen to write them. Decides nothing: whether a token has expired is
 * judged by the true clock, so a skewed server is one that only tells the wrong time.
 */
#include "tests/sandbox/dates.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000
#define OFFSET_S (-7 * 3600)

bool dates_style(const char *name, enum date_style *ret_style)
{
	static const struct {
		const char *name;
		enum date_style style;
	} styles[] = {
		{ "offset", DATE_OFFSET },
		{ "z", DATE_Z },
		{ "plain", DATE_PLAIN },
	};

	for (size_t i = 0; name && i < sizeof styles / sizeof styles[0]; i++) {
		if (strcmp(styles[i].name, name) == 0) {
			*ret_style = styles[i].style;
			return true;
		}
	}
	return false;
}

int64_t dates_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

void dates_write(const struct dates *dates, int64_t epoch_us, char ret_text[DATE_BYTES])
{
	time_t t = (time_t)(epoch_us / US_PER_S + dates->skew_s);
	char text[32];
	struct tm tm;

	if (dates->style == DATE_OFFSET)
		t += OFFSET_S;
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (dates->style == DATE_PLAIN)
		snprintf(ret_text, DATE_BYTES, "%sZ", text);
	else
		snprintf(ret_text, DATE_BYTES, "%s.%06d%s", text, (int)(epoch_us % US_PER_S),
		         dates->style == DATE_Z ? "Z" : "-07:00");
}

void dates_write_header(const struct dates *dates, char ret_text[DATE_BYTES])
{
	time_t t = (time_t)(dates_now_us() / US_PER_S + dates->skew_s);
	struct tm tm;

	/* The locale is never set, so the names are the English ones that HTTP asks for. */
	gmtime_r(&t, &tm);
	strftime(ret_text, DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}
