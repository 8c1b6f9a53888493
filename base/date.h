/*
 * Times as documents and people write them.  A time is whole seconds since 1970, in UTC.
 */
#pragma once

#include "base/buf.h"

enum {
	DATE_TEXT = 32,
	DATE_SLACK = 24 * 60 * 60, /* seconds that the clocks of two machines may differ */
};

/* The last second of the year 9999, after which no text has the shape of a time. */
#define DATE_MAX UINT64_C(253402300799)

/* "2026-11-22T13:00:00Z" into out, which is returned. */
const char *date_text(uint64_t seconds, char out[DATE_TEXT]);

/* The time that date_text writes so; nothing else that means the same. */
bool date_exact(struct slice text, uint64_t *seconds) MUST_CHECK;

/* What a day without a time of day stands for. */
enum date_day {
	DATE_DAY_BEGIN,
	DATE_DAY_END, /* its last second */
};

/* What a person wrote: YYYY-MM-DD, which is a day in UTC, or RFC 3339 with whole seconds,
 * "2026-11-22T13:00:00Z" or "…+01:00".  ERR_USAGE. */
bool date_read(
    const char *text, enum date_day day, uint64_t *seconds, struct err *e) MUST_CHECK;
