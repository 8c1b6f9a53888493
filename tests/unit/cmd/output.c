#include "cmd/output.h"

#include <criterion/criterion.h>
#include <string.h>

Test(output, nothing_untrusted_keeps_its_power)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
	    {"plain text", "plain text"}, {"a\x1b[31mb", "a\\x1b[31mb"}, {"a\nb", "a\\x0ab"},
	    {"a\rb", "a\\x0db"}, {"\x7f", "\\x7f"},
	    {"\xc2\x9b"
	     "1m",
		"\\xc2\\x9b1m"}, /* C1: CSI */
	    {"\xe2\x80\xae"
	     "txt",
		"\\xe2\\x80\\xaetxt"},		 /* right-to-left override */
	    {"\xe2\x80\x8b", "\\xe2\\x80\\x8b"}, /* zero width space */
	    {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"}, /* isolate */
	    {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"}, {"caf\xc3\xa9", "caf\xc3\xa9"},
	    {"\xe2\x80\xa6", "\xe2\x80\xa6"}, {"\xf0\x9f\x9a\xa2", "\xf0\x9f\x9a\xa2"},
	    {"\xc0\xaf", "\\xc0\\xaf"},			   /* overlong */
	    {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},	   /* overlong */
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},	   /* surrogate */
	    {"\xff", "\\xff"}, {"\xe2\x80", "\\xe2\\x80"}, /* cut short */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF(256);

		escape(&out, slice_of(rows[i].in));
		cr_expect_str_eq(buf_text(&out), rows[i].out, "row %zu: %s", i, buf_text(&out));
		buf_drop(&out);
	}
}

Test(output, sizes_in_binary_units)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
	    {0, "0 B"},
	    {1023, "1023 B"},
	    {1024, "1.0 KiB"},
	    {1536, "1.5 KiB"},
	    {1048575, "1023.9 KiB"},
	    {4294967295, "3.9 GiB"},
	    {UINT64_MAX, "15.9 EiB"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[24];

		cr_expect_str_eq(
		    size_text(rows[i].bytes, text), rows[i].text, "row %zu: %s", i, text);
	}
}

Test(output, columns_fit_their_widest_cell)
{
	struct table t = {.columns = 2, .right = {[1] = true}};
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	table_add(&t, "a");
	table_add(&t, "1");
	table_add(&t, "long\x1b");
	table_add(&t, "1000");
	table_print(&t, out);
	(void)fclose(out);
	cr_expect_str_eq(text, "a            1\nlong\\x1b  1000\n");
	table_drop(&t);
}
