#include "base/date.h"

#include <criterion/criterion.h>

struct row {
	const char *text;
	const char *means; /* NULL: refused */
	enum date_day day;
};

/* The judge of what a text means is `date -u -d`; the rows were checked with it. */
static const struct row rows[] = {
    {"2026-11-22", "2026-11-22T00:00:00Z", DATE_DAY_BEGIN},
    {"2026-11-22", "2026-11-22T23:59:59Z", DATE_DAY_END},
    {"2028-02-29", "2028-02-29T23:59:59Z", DATE_DAY_END},
    {"2026-11-22T13:00:00Z", "2026-11-22T13:00:00Z", DATE_DAY_END},
    {"2026-11-22T13:00:00+01:00", "2026-11-22T12:00:00Z", DATE_DAY_BEGIN},
    {"2026-12-31T23:30:00-05:30", "2027-01-01T05:00:00Z", DATE_DAY_BEGIN},
    {"1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z", DATE_DAY_BEGIN},
    {"9999-12-31", "9999-12-31T23:59:59Z", DATE_DAY_END},
    {"", NULL, DATE_DAY_END},
    {"2026-02-29", NULL, DATE_DAY_END},
    {"2026-13-01", NULL, DATE_DAY_END},
    {"2026-11-22 ", NULL, DATE_DAY_END},
    {"26-11-22", NULL, DATE_DAY_END},
    {"1969-12-31", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:00", NULL, DATE_DAY_END},
    {"2026-11-22 13:00:00Z", NULL, DATE_DAY_END},
    {"2026-11-22T24:00:00Z", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:60Z", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:00.5Z", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:00z", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:00+24:00", NULL, DATE_DAY_END},
    {"2026-11-22T13:00:00+0100", NULL, DATE_DAY_END},
    {"1970-01-01T00:00:00+00:01", NULL, DATE_DAY_END},
    {"9999-12-31T23:59:59-00:01", NULL, DATE_DAY_END},
};

Test(date, what_people_write)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t seconds = 0;
		char text[DATE_TEXT];
		struct err e = {0};

		const bool ok = date_read(rows[i].text, rows[i].day, &seconds, &e);
		cr_expect_eq(ok, rows[i].means != NULL, "row %zu", i);
		if (ok && rows[i].means)
			cr_expect_str_eq(date_text(seconds, text), rows[i].means);
		else
			cr_expect_eq(e.kind, ERR_USAGE);
	}
}

Test(date, known_seconds)
{
	uint64_t seconds = 0;
	char text[DATE_TEXT];

	cr_expect_str_eq(date_text(1795352400, text), "2026-11-22T13:00:00Z");
	cr_expect(date_exact(slice_of("2026-11-22T13:00:00Z"), &seconds));
	cr_expect_eq(seconds, 1795352400);
	cr_expect_not(date_exact(slice_of("2026-11-22"), &seconds));
	cr_expect_str_eq(date_text(DATE_MAX, text), "9999-12-31T23:59:59Z");
	cr_expect_str_eq(date_text(DATE_MAX + 1, text), "");
}
