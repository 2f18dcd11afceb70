/* SPDX-License-Identifier: MIT */
/*
 * The clocks, and time as text. Counts days itself: time_t is 32 bits wide on some systems we run on, and no
 * time zone or locale may have a say, but in clock_format_local(). Never sets a clock, never sleeps.
 */
#include "helper/base/clock.h"

#include <stdio.h>
#include <time.h>

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define DURATION_MAX_S (INT64_C(36525) * DAY_S) /* 100 years */
#define FRACTION_MAX_DIGITS 9

#define DAYS_TO_EPOCH 719468 /* from 0000-03-01, where the years below begin, to 1970-01-01 */
#define ERA_DAYS 146097      /* 400 years: the calendar repeats */

static int64_t read_ms(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_boot_ms(void)
{
	return read_ms(CLOCK_BOOTTIME);
}

int64_t clock_wall_s(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec;
}

struct civil {
	int64_t year, month, day, hour, minute, second;
};

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01. A year is made to begin in March: then the leap day is its last, and the months'
 * lengths follow one formula. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t march_year = month > 2 ? year : year - 1;
	int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
	int64_t year_of_era = march_year - era * 400;
	int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_TO_EPOCH;
}

/* The way back. */
static void date_from_days(int64_t days, struct civil *ret_date)
{
	int64_t shifted = days + DAYS_TO_EPOCH;
	int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = shifted - era * ERA_DAYS;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (ERA_DAYS - 1)) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;

	ret_date->day = day_of_year - (153 * month + 2) / 5 + 1;
	ret_date->month = month < 10 ? month + 3 : month - 9;
	ret_date->year = year_of_era + era * 400 + (ret_date->month <= 2);
}

/* Takes exactly N digits off the front. */
static bool take_digits(struct bytes *text, size_t n, int64_t *ret_number)
{
	int64_t number = 0;

	if (text->n < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text->p[i] < '0' || text->p[i] > '9')
			return false;
		number = number * 10 + (text->p[i] - '0');
	}
	text->p += n;
	text->n -= n;
	*ret_number = number;
	return true;
}

/* Takes `.` and one to nine digits, if a fraction stands there. */
static bool skip_fraction(struct bytes *text)
{
	int64_t digit;
	size_t n = 0;

	if (!bytes_after(text, "."))
		return true;
	while (n <= FRACTION_MAX_DIGITS && take_digits(text, 1, &digit))
		n++;
	return n >= 1 && n <= FRACTION_MAX_DIGITS;
}

/* `Z`, `+hh:mm` or `+hhmm`, as seconds east of Greenwich; nothing may follow. */
static bool parse_zone(struct bytes text, int64_t *ret_east_s)
{
	int64_t hours, minutes;
	bool west;

	if (bytes_are(text, "Z")) {
		*ret_east_s = 0;
		return true;
	}
	west = bytes_after(&text, "-");
	if (!west && !bytes_after(&text, "+"))
		return false;
	if (!take_digits(&text, 2, &hours))
		return false;
	bytes_after(&text, ":");
	if (!take_digits(&text, 2, &minutes) || text.n != 0 || hours > 23 || minutes > 59)
		return false;
	*ret_east_s = (hours * HOUR_S + minutes * MINUTE_S) * (west ? -1 : 1);
	return true;
}

static bool parse_civil(struct bytes *text, struct civil *t)
{
	return take_digits(text, 4, &t->year) && bytes_after(text, "-") && take_digits(text, 2, &t->month) &&
	       bytes_after(text, "-") && take_digits(text, 2, &t->day) &&
	       (bytes_after(text, "T") || bytes_after(text, " ")) && take_digits(text, 2, &t->hour) &&
	       bytes_after(text, ":") && take_digits(text, 2, &t->minute) && bytes_after(text, ":") &&
	       take_digits(text, 2, &t->second) && skip_fraction(text) && t->month >= 1 && t->month <= 12 &&
	       t->day >= 1 && t->day <= days_in_month(t->year, t->month) && t->hour <= 23 && t->minute <= 59 &&
	       t->second <= 60;
}

bool clock_parse_time(struct bytes text, int64_t *ret_epoch_s)
{
	struct civil t;
	int64_t east_s, epoch_s;
	bool leap;

	if (!parse_civil(&text, &t) || !parse_zone(text, &east_s))
		return false;
	leap = t.second == 60;
	epoch_s = days_from_date(t.year, t.month, t.day) * DAY_S + t.hour * HOUR_S + t.minute * MINUTE_S + t.second -
	          leap - east_s;
	/* Leap seconds come at the end of a UTC day and nowhere else. */
	if ((leap && (epoch_s + 1) % DAY_S != 0) || epoch_s > CLOCK_MAX_S)
		return false;
	*ret_epoch_s = epoch_s;
	return true;
}

/* False: RFC 3339 has no year for it. */
static bool civil_from_epoch(int64_t epoch_s, struct civil *ret_civil)
{
	static const int64_t year_zero_days = -719528;
	int64_t days, rest_s;

	if (epoch_s < year_zero_days * DAY_S || epoch_s > CLOCK_MAX_S)
		return false;
	days = (epoch_s >= 0 ? epoch_s : epoch_s - (DAY_S - 1)) / DAY_S;
	rest_s = epoch_s - days * DAY_S;
	date_from_days(days, ret_civil);
	ret_civil->hour = rest_s / HOUR_S;
	ret_civil->minute = rest_s % HOUR_S / MINUTE_S;
	ret_civil->second = rest_s % MINUTE_S;
	return true;
}

void clock_format_time(int64_t epoch_s, char ret_text[CLOCK_TEXT_BYTES])
{
	struct civil t;

	ret_text[0] = '\0';
	if (!civil_from_epoch(epoch_s, &t))
		return;
	/* The masks cost nothing, and the compiler sees that it fits. */
	snprintf(ret_text, CLOCK_TEXT_BYTES, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)t.year & 0x3fff,
	         (unsigned)t.month & 15, (unsigned)t.day & 31, (unsigned)t.hour & 31, (unsigned)t.minute & 63,
	         (unsigned)t.second & 63);
}

/* How far east the system's zone is at that time, in whole minutes: an offset that has seconds could not be written,
 * and the date beside it must name the same moment. 0 where nobody knows. */
static int64_t minutes_east(int64_t epoch_s)
{
	time_t libc_s = (time_t)epoch_s;
	struct tm tm;

	tzset();
	if (libc_s != epoch_s || !localtime_r(&libc_s, &tm))
		return 0;
	return tm.tm_gmtoff / MINUTE_S;
}

void clock_format_local(int64_t epoch_s, char ret_text[CLOCK_TEXT_BYTES])
{
	struct civil t;
	int64_t east;
	unsigned away;

	ret_text[0] = '\0';
	if (!civil_from_epoch(epoch_s, &t))
		return;
	east = minutes_east(epoch_s);
	if (!civil_from_epoch(epoch_s + east * MINUTE_S, &t))
		return;
	away = (unsigned)(east < 0 ? -east : east);
	snprintf(ret_text, CLOCK_TEXT_BYTES, "%04u-%02u-%02u %02u:%02u %c%02u:%02u", (unsigned)t.year & 0x3fff,
	         (unsigned)t.month & 15, (unsigned)t.day & 31, (unsigned)t.hour & 31, (unsigned)t.minute & 63,
	         east < 0 ? '-' : '+', away / 60 & 63, away % 60);
}

void clock_format_span(int64_t seconds, char ret_text[CLOCK_TEXT_BYTES])
{
	static const struct {
		int64_t unit_s;
		const char *word;
	} units[] = { { DAY_S, "days" }, { HOUR_S, "h" }, { MINUTE_S, "min" } };

	/* At least two of a unit: 47 h says more than a day does, and no word needs its singular. */
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (seconds < 2 * units[i].unit_s)
			continue;
		snprintf(ret_text, CLOCK_TEXT_BYTES, "%lld %s", (long long)(seconds / units[i].unit_s), units[i].word);
		return;
	}
	snprintf(ret_text, CLOCK_TEXT_BYTES, "%lld s", (long long)(seconds > 0 ? seconds : 0));
}

bool clock_parse_duration(struct bytes text, int64_t *ret_seconds)
{
	static const struct {
		const char *letter;
		int64_t unit_s;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", MINUTE_S }, { "h", HOUR_S }, { "d", DAY_S } };
	int64_t number = 0, digit;
	size_t digits = 0;

	for (; take_digits(&text, 1, &digit); digits++) {
		number = number * 10 + digit;
		if (number > DURATION_MAX_S)
			return false;
	}
	for (size_t i = 0; digits > 0 && i < sizeof units / sizeof units[0]; i++) {
		if (!bytes_are(text, units[i].letter))
			continue;
		if (number > DURATION_MAX_S / units[i].unit_s)
			return false;
		*ret_seconds = number * units[i].unit_s;
		return true;
	}
	return false;
}
