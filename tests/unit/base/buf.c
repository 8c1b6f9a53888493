#include "base/buf.h"
#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

Test(slice, cut_gives_every_part)
{
	static const struct {
		const char *text;
		const char *parts; /* joined by '|' */
	} rows[] = {
	    {"a,b,c", "a|b|c|"}, {"abc", "abc|"}, {"", "|"}, {",", "||"}, {"a,,b,", "a||b||"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf joined = BUF(64);
		struct slice rest = slice_of(rows[i].text);
		struct slice part;

		while (slice_cut(&rest, ',', &part))
			buf_addf(&joined, "%.*s|", SLICE_ARG(part));
		cr_expect_str_eq(buf_text(&joined), rows[i].parts, "row %zu", i);
	}
	struct slice none = {0};
	struct slice part;
	cr_expect_not(slice_cut(&none, ',', &part));
}

Test(slice, trim_takes_blanks_off_both_ends)
{
	cr_expect(slice_is(slice_trim(slice_of(" \t a b\r\n")), "a b"));
	cr_expect(slice_is(slice_trim(slice_of(" \n")), ""));
	cr_expect(slice_is(slice_trim(slice_of("")), ""));
}

Test(slice, u64_takes_whole_decimal_numbers_only)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t number;
	} rows[] = {
	    {"0", 0, true, 0},
	    {"007", 10, true, 7},
	    {"10", 10, true, 10},
	    {"11", 10, false, 0},
	    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
	    {"18446744073709551616", UINT64_MAX, false, 0},
	    {"99999999999999999999", UINT64_MAX, false, 0},
	    {"", 10, false, 0},
	    {"-1", 10, false, 0},
	    {"+1", 10, false, 0},
	    {" 1", 10, false, 0},
	    {"1 ", 10, false, 0},
	    {"0x1", 10, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t number = 0;
		const bool ok = slice_u64(slice_of(rows[i].text), rows[i].max, &number);

		cr_expect_eq(ok, rows[i].ok, "row %zu", i);
		cr_expect_eq(number, rows[i].number, "row %zu", i);
	}
}

Test(buf, grows_to_its_ceiling_and_remembers_more)
{
	OWNED(buf_drop) struct buf b = BUF(1000);
	struct err e = {0};

	for (int i = 0; i < 100; i++)
		buf_adds(&b, "0123456789");
	cr_assert(buf_ok(&b, &e));
	cr_assert_eq(b.len, 1000);
	cr_assert_eq(strlen(buf_text(&b)), 1000);
	buf_adds(&b, "");
	cr_assert(buf_ok(&b, &e));
	buf_adds(&b, "x");
	cr_assert_not(buf_ok(&b, &e));
	cr_assert_eq(e.kind, ERR_LIMIT);
	cr_assert_eq(b.len, 1000);
	buf_clear(&b);
	buf_addf(&b, "%d", 42);
	cr_assert(buf_ok(&b, &e));
	cr_assert_str_eq(buf_text(&b), "42");
}

Test(buf, nothing_is_added_after_something_was_left_out)
{
	OWNED(buf_drop) struct buf b = BUF(4);

	buf_addf(&b, "%s", "12345");
	buf_adds(&b, "1");
	cr_assert(b.over);
	cr_assert_str_eq(buf_text(&b), "");
}
