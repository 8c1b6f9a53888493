#include "base/base64.h"

#include "base/own.h"

#include <criterion/criterion.h>

struct row {
	const char *plain;
	const char *text;
};

/* RFC 4648, section 10. */
static const struct row rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"user:p:ss", "dXNlcjpwOnNz"},
    {"\xff\xfe\xfd", "//79"},
};

Test(base64, BAS_02_encodes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(64);
		base64_encode(slice_of(rows[i].plain), &out);
		cr_expect_str_eq(buf_text(&out), rows[i].text, "row %zu", i);
	}
}

Test(base64, CRD_06_decodes)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(64);
		cr_expect(base64_decode(slice_of(rows[i].text), &out), "row %zu", i);
		cr_expect_str_eq(buf_text(&out), rows[i].plain, "row %zu", i);
	}
}

Test(base64, CRD_06_lenient_about_ends_and_strict_about_the_rest)
{
	static const struct row lenient[] = {
	    {"f", "Zg"}, {"foob", "Zm9v\nYg==\n"}, {"foob", "Zm9v\r\nYg\r\n"}};
	static const char *const bad[] = {"Z", "Zg=x", "Zm9v-", "Zm 9v", "Zm9vY"};

	for (size_t i = 0; i < sizeof(lenient) / sizeof(lenient[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(64);
		cr_expect(base64_decode(slice_of(lenient[i].text), &out), "row %zu", i);
		cr_expect_str_eq(buf_text(&out), lenient[i].plain, "row %zu", i);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(64);
		cr_expect_not(base64_decode(slice_of(bad[i]), &out), "row %zu", i);
	}
}
