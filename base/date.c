#include "base/date.h"

#include <string.h>
#include <time.h>

enum {
	DAY_LEN = 10,  /* YYYY-MM-DD */
	TIME_LEN = 19, /* YYYY-MM-DDThh:mm:ss */
	DAY = 24 * 60 * 60,
};

const char *date_text(uint64_t seconds, char out[DATE_TEXT])
{
	const time_t when = (time_t)seconds;
	struct tm parts;

	if (seconds > DATE_MAX || !gmtime_r(&when, &parts)
	    || !strftime(out, DATE_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts))
		out[0] = '\0';
	return out;
}

/* Whether text has digits where shape has zeros, and the same as shape elsewhere. */
static bool has_shape(struct slice text, const char *shape)
{
	if (text.len != strlen(shape))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (shape[i] == '0' ? text.ptr[i] < '0' || text.ptr[i] > '9'
				    : text.ptr[i] != shape[i])
			return false;
	return true;
}

static int two(const char *text)
{
	return (text[0] - '0') * 10 + (text[1] - '0');
}

bool date_exact(struct slice text, uint64_t *seconds)
{
	char again[DATE_TEXT];
	struct tm parts = {0};

	if (!has_shape(text, "0000-00-00T00:00:00Z"))
		return false;
	parts.tm_year = two(text.ptr) * 100 + two(text.ptr + 2) - 1900;
	parts.tm_mon = two(text.ptr + 5) - 1;
	parts.tm_mday = two(text.ptr + 8);
	parts.tm_hour = two(text.ptr + 11);
	parts.tm_min = two(text.ptr + 14);
	parts.tm_sec = two(text.ptr + 17);
	const time_t when = timegm(&parts);
	if (when < 0)
		return false;
	*seconds = (uint64_t)when;
	return slice_is(text, date_text(*seconds, again));
}

/* Day and time of day, both in len bytes at text, as if they were in UTC. */
static bool read_clock(const char *text, const char *clock, size_t len, uint64_t *seconds)
{
	char whole[DATE_TEXT] = "";

	(void)memcpy(whole, text, DAY_LEN);
	(void)memcpy(whole + DAY_LEN, clock, len);
	whole[DAY_LEN + len] = 'Z';
	return date_exact(slice_of(whole), seconds);
}

/* "Z", or how far the clock is ahead of UTC or, with a minus, behind it. */
static bool read_offset(struct slice text, uint64_t *seconds)
{
	const bool behind = has_shape(text, "-00:00");

	if (slice_is(text, "Z"))
		return true;
	if (!behind && !has_shape(text, "+00:00"))
		return false;
	const uint64_t hours = (uint64_t)two(text.ptr + 1);
	const uint64_t minutes = (uint64_t)two(text.ptr + 4);
	const uint64_t offset = (hours * 60 + minutes) * 60;
	if (hours > 23 || minutes > 59 || (!behind && offset > *seconds))
		return false;
	*seconds = behind ? *seconds + offset : *seconds - offset;
	return *seconds <= DATE_MAX;
}

static bool read_date(struct slice text, enum date_day day, uint64_t *seconds)
{
	static const char midnight[] = "T00:00:00";

	if (text.len < DAY_LEN)
		return false;
	if (text.len == DAY_LEN) {
		if (!read_clock(text.ptr, midnight, sizeof(midnight) - 1, seconds))
			return false;
		*seconds += day == DATE_DAY_END ? DAY - 1 : 0;
		return true;
	}
	return text.len > TIME_LEN
	       && read_clock(text.ptr, text.ptr + DAY_LEN, TIME_LEN - DAY_LEN, seconds)
	       && read_offset(slice_at(text.ptr + TIME_LEN, text.len - TIME_LEN), seconds);
}

bool date_read(const char *text, enum date_day day, uint64_t *seconds, struct err *e)
{
	return read_date(slice_of(text), day, seconds)
	       || err_set(e, ERR_USAGE,
		   "expected a date (2026-11-22) or a time with whole seconds and its offset "
		   "(2026-11-22T13:00:00Z), found \"%s\"",
		   text);
}
