#include "manifests/json.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

static struct json *parsed(const char *text)
{
	struct json *doc = NULL;
	struct err e = {0};

	cr_assert(json_parse(slice_of(text), "test", &doc, &e), "%s: %s", text, e.text);
	return doc;
}

/* ---- reading --------------------------------------------------------------------------------
 */

Test(json, MAN_04_parse_takes_one_unambiguous_document)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: accepted */
	} rows[] = {
	    {"{}", NULL},
	    {" [1, 2.5, -3, true, false, null, \"\\u00e4\\n\"]\r\n\t", NULL},
	    {"{\"a\": {\"b\": 1}, \"c\": {\"b\": 1}}", NULL},
	    {"", "byte 0"},
	    {"{", "byte 1"},
	    {"{}}", "byte 3"},
	    {"{} x", "expected"},
	    {"{\"a\": 1, \"a\": 1}", "duplicate"},
	    {"{\"a\": 1, \"\\u0061\": 2}", "duplicate"},
	    {"{\"x\": {\"a\": 1, \"a\": 1}}", "duplicate"},
	    {"{\"a\": \"b\\u0000c\"}", "expected"},
	    {"{\"a\\u0000b\": 1}", "expected"},
	    {"{\"a\": 9223372036854775808}", "expected"},
	    {"{\"a\": 1e999}", "expected"},
	    {"{\"a\": \"\xff\"}", "expected"},
	    {"{'a': 1}", "expected"},
	    {"{\"a\": 1,}", "expected"},
	    {"<html>", "expected"},
	    {"\xef\xbb\xbf{}", "expected"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(json_drop) struct json *doc = NULL;
		struct err e = {0};
		const bool ok = json_parse(slice_of(rows[i].text), "the answer", &doc, &e);

		cr_expect_eq(ok, !rows[i].why, "row %zu: %s", i, rows[i].text);
		if (!rows[i].why)
			continue;
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_eq(strncmp(e.text, "the answer: ", 12), 0, "row %zu: %s", i, e.text);
		cr_expect_not_null(strstr(e.text, rows[i].why), "row %zu: %s", i, e.text);
	}
	struct json *doc = NULL;
	struct err e = {0};
	cr_expect_not(json_parse(slice_at("{}\0", 3), "x", &doc, &e));
	cr_expect_not(json_parse(slice_at("[1\0]", 4), "x", &doc, &e), "found by fuzzing");
	cr_expect_str_eq(e.text, "x: expected a JSON document, found at byte 2: a NUL");
	cr_expect_not(json_parse((struct slice){0}, "x", &doc, &e));
}

Test(json, MAN_10_depth_is_bounded)
{
	enum { DEEP = 100 * 1000 };
	OWNED(drop_text) char *text = own_array(2 * DEEP + 1, 1);
	struct json *doc = NULL;
	struct err e = {0};

	memset(text, '[', DEEP);
	memset(text + DEEP, ']', DEEP);
	cr_expect_not(json_parse(slice_of(text), "x", &doc, &e));
	cr_expect_eq(e.kind, ERR_FORMAT);
}

Test(json, looking_never_fails)
{
	OWNED(json_drop)
	struct json *doc = parsed("{\"text\": \"x\", \"list\": [1, 2], \"null\": null, "
				  "\"yes\": true, \"no\": false}");

	cr_expect(json_is_object(doc));
	cr_expect(slice_is(json_text(json_get(doc, "text")), "x"));
	cr_expect_null(json_text(json_get(doc, "list")).ptr);
	cr_expect_null(json_get(doc, "absent"));
	cr_expect_null(json_get(json_get(doc, "absent"), "x"));
	cr_expect_null(json_get(json_get(doc, "text"), "x"));
	cr_expect(json_is_array(json_get(doc, "list")));
	cr_expect_eq(json_count(json_get(doc, "list")), 2);
	cr_expect_eq(json_count(json_get(doc, "text")), 0);
	cr_expect_eq(json_count(NULL), 0);
	cr_expect_null(json_at(json_get(doc, "list"), 2));
	cr_expect_null(json_at(doc, 0));
	cr_expect(json_is_null(json_get(doc, "null")));
	cr_expect_not(json_is_null(NULL));
	cr_expect(json_bool(json_get(doc, "yes")));
	cr_expect_not(json_bool(json_get(doc, "no")));
	cr_expect_not(json_bool(json_get(doc, "text")));
}

Test(json, numbers_are_what_they_are_asked_for)
{
	static const struct {
		const char *text;
		bool whole; /* for json_u64 */
		bool any;   /* for json_number */
		double number;
	} rows[] = {
	    {"[0]", true, true, 0},
	    {"[300]", true, true, 300},
	    {"[9223372036854775807]", true, true, 9223372036854775807.0},
	    {"[-1]", false, true, -1},
	    {"[1.5]", false, true, 1.5},
	    {"[1e3]", false, true, 1000},
	    {"[\"300\"]", false, true, 300},
	    {"[\"1.5\"]", false, true, 1.5},
	    {"[\"\"]", false, false, 0},
	    {"[\"300s\"]", false, false, 0},
	    {"[\"inf\"]", false, false, 0},
	    {"[\"nan\"]", false, false, 0},
	    {"[\"1e999\"]", false, false, 0},
	    {"[true]", false, false, 0},
	    {"[null]", false, false, 0},
	    {"[[]]", false, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(json_drop) struct json *doc = parsed(rows[i].text);
		const struct json *v = json_at(doc, 0);
		uint64_t whole = 0;
		double any = 0;

		cr_expect_eq(json_u64(v, &whole), rows[i].whole, "row %zu", i);
		cr_expect_eq(json_number(v, &any), rows[i].any, "row %zu", i);
		if (rows[i].any)
			cr_expect_eq(any, rows[i].number, "row %zu", i);
		if (rows[i].whole)
			cr_expect_eq((double)whole, rows[i].number, "row %zu", i);
	}
}

Test(json, requiring_says_what_was_found)
{
	OWNED(json_drop)
	struct json *doc = parsed(
	    "{\"t\": \"x\", \"n\": 7, \"minus\": -1, \"real\": 1e3, \"a\": [], \"z\": null}");
	const struct json *list = NULL;
	struct slice text;
	uint64_t n = 0;
	struct err e = {0};

	cr_expect(json_need_text(doc, "t", "w", &text, &e) && slice_is(text, "x"));
	cr_expect(json_need_u64(doc, "n", "w", 7, &n, &e) && n == 7);
	cr_expect(json_need_array(doc, "a", "w", &list, &e) && json_count(list) == 0);
	cr_expect_not(json_need_text(doc, "n", "w", &text, &e));
	cr_expect_str_eq(e.text, "w: expected text in \"n\", found a number");
	cr_expect_not(json_need_text(doc, "none", "w", &text, &e));
	cr_expect_str_eq(e.text, "w: expected text in \"none\", found nothing");
	cr_expect_not(json_need_array(doc, "z", "w", &list, &e));
	cr_expect_str_eq(e.text, "w: expected an array in \"z\", found null");
	cr_expect_not(json_need_u64(doc, "n", "w", 6, &n, &e));
	cr_expect_str_eq(e.text, "w: expected a number from 0 to 6 in \"n\", found 7");
	cr_expect_not(json_need_u64(doc, "minus", "w", 6, &n, &e));
	cr_expect_str_eq(e.text, "w: expected a number from 0 to 6 in \"minus\", found -1");
	cr_expect_not(json_need_u64(doc, "real", "w", 6, &n, &e));
	cr_expect_str_eq(
	    e.text, "w: expected a number from 0 to 6 in \"real\", found a fraction");
	cr_expect_eq(e.kind, ERR_FORMAT);
}

Test(json, members_come_in_order)
{
	OWNED(json_drop) struct json *doc = parsed("{\"z\": 1, \"a\": 2, \"m\": 3}");
	const struct json *value;
	const char *key;
	void *iter = NULL;
	char order[4] = "";
	size_t n = 0;

	while (n < 3 && json_next(doc, &iter, &key, &value))
		order[n++] = *key;
	cr_expect_str_eq(order, "zam");
	cr_expect_not(json_next(doc, &iter, &key, &value));
}

/* ---- skimming -------------------------------------------------------------------------------
 */

/* "key=value|" for each member or "value|" for each element; "!" at the end when it is bad. */
static void skim(const char *text, struct buf *out)
{
	struct slice rest = slice_of(text);
	struct slice key;
	struct slice value;
	bool bad = false;

	if (strchr(text, '{') && (!strchr(text, '[') || strchr(text, '{') < strchr(text, '[')))
		while (json_skim_member(&rest, &key, &value, &bad))
			buf_addf(out, "%.*s=%.*s|", SLICE_ARG(key), SLICE_ARG(value));
	else
		while (json_skim_element(&rest, &value, &bad))
			buf_addf(out, "%.*s|", SLICE_ARG(value));
	if (bad)
		buf_adds(out, "!");
}

Test(json, skimming_gives_the_bytes_of_each_item)
{
	static const struct {
		const char *text;
		const char *items;
	} rows[] = {
	    {"{}", ""},
	    {" { } \n", ""},
	    {"[]", ""},
	    {"{\"a\":1}", "a=1|"},
	    {" { \"a\" : 1 , \"b\" : \"x\" } ", "a=1|b=\"x\"|"},
	    {"{\"a\":{\"b\":[1,{}]},\"c\":[]}", "a={\"b\":[1,{}]}|c=[]|"},
	    {"[1, -2.5e3,true,null ,\"x\"]", "1|-2.5e3|true|null|\"x\"|"},
	    {"[[1],[2,[3]],{}]", "[1]|[2,[3]]|{}|"},
	    {"{\"a\":\"}]\\\"{[\",\"b\":\"\\\\\"}", "a=\"}]\\\"{[\"|b=\"\\\\\"|"},
	    {"[\"]\",[\"]\"]]", "\"]\"|[\"]\"]|"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf items = BUF(256);

		skim(rows[i].text, &items);
		cr_expect_str_eq(buf_text(&items), rows[i].items, "row %zu: %s gives %s", i,
		    rows[i].text, buf_text(&items));
	}
}

Test(json, skimming_notices_what_does_not_hold)
{
	static const char *const rows[] = {"{", "[", "{}x", "[] []", "{}}", "[1", "[1,", "[1,]",
	    "[,1]", "[1 2]", "[1,,2]", "[1]]", "[[1]", "[[1][2]]", "[[1][2]", "[\"a",
	    "[\"a\\\"]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{1:1}",
	    "{,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":{}{\"b\":1}",
	    "{\"a\":{}{\"b\":1}}", "{\"a\":[}", "{\"a\":1]", "{\"a\":\"b}", "{\"\\u0061\":1}",
	    "{\"a"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf items = BUF(256);

		skim(rows[i], &items);
		cr_assert_neq(items.len, 0, "row %zu: %s", i, rows[i]);
		cr_expect_eq(items.ptr[items.len - 1], '!', "row %zu: %s gives %s", i, rows[i],
		    buf_text(&items));
	}
}

/* ---- writing --------------------------------------------------------------------------------
 */

Test(json, writing_is_ascii_without_blanks)
{
	OWNED(buf_drop) struct buf out = BUF(1024);
	struct json_writer w = {.out = &out};

	json_begin(&w, '{');
	json_pair(&w, "name", "a\"b\\c/\n\x7f");
	json_key(&w, "empty");
	json_begin(&w, '{');
	json_end(&w, '}');
	json_key(&w, "list");
	json_begin(&w, '[');
	json_put_u64(&w, 0);
	json_put_u64(&w, UINT64_MAX);
	json_begin(&w, '[');
	json_end(&w, ']');
	json_put_raw(&w, slice_of("null"));
	json_put_text(&w, slice_at("x\0y", 3));
	json_end(&w, ']');
	json_key(&w, "k\xc3\xa4");
	json_put_raw(&w, slice_of("{\"raw\": 1}"));
	json_end(&w, '}');
	cr_expect_str_eq(buf_text(&out),
	    "{\"name\":\"a\\\"b\\\\c/\\u000a\\u007f\",\"empty\":{},"
	    "\"list\":[0,18446744073709551615,[],null,\"x\\u0000y\"],"
	    "\"k\\u00e4\":{\"raw\": 1}}");
}

Test(json, text_that_is_no_utf8_becomes_a_replacement)
{
	static const struct {
		const char *text;
		const char *written;
	} rows[] = {
	    {"\xc3\xa4", "\"\\u00e4\""},
	    {"\xe2\x82\xac", "\"\\u20ac\""},
	    {"\xf0\x9f\x9a\xa2", "\"\\ud83d\\udea2\""},
	    {"\xf4\x8f\xbf\xbf", "\"\\udbff\\udfff\""},
	    {"\xef\xbf\xbd", "\"\\ufffd\""},
	    {"a\xff"
	     "b",
		"\"a\\ufffdb\""},
	    {"\x80", "\"\\ufffd\""},
	    {"\xc3", "\"\\ufffd\""},
	    {"\xc3(", "\"\\ufffd(\""},
	    {"\xc0\x80", "\"\\ufffd\\ufffd\""},			      /* overlong NUL */
	    {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},	      /* overlong / */
	    {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},	      /* a surrogate */
	    {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
	    {"\xf0\x9f\x9a", "\"\\ufffd\\ufffd\\ufffd\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(buf_drop) struct buf out = BUF(256);
		struct json_writer w = {.out = &out};

		json_put_text(&w, slice_of(rows[i].text));
		cr_expect_str_eq(
		    buf_text(&out), rows[i].written, "row %zu: %s", i, buf_text(&out));
	}
}

/* jansson, which wrote none of it, reads back every character that there is. */
Test(json, every_character_can_be_read_back)
{
	for (uint32_t point = 1; point <= 0x10ffff; point += point < 0x3000 ? 1 : 61) {
		OWNED(json_drop) struct json *ours = NULL;
		OWNED(json_drop) struct json *theirs = NULL;
		OWNED(buf_drop) struct buf escaped = BUF(64);
		OWNED(buf_drop) struct buf out = BUF(64);
		struct json_writer w = {.out = &out};
		const uint32_t rest = point - 0x10000;
		struct err e = {0};

		if (point >= 0xd800 && point < 0xe000)
			continue;
		if (point < 0x10000)
			buf_addf(&escaped, "[\"\\u%04x\"]", point);
		else
			buf_addf(&escaped, "[\"\\u%04x\\u%04x\"]", 0xd800 | rest >> 10,
			    0xdc00 | (rest & 0x3ff));
		cr_assert(json_parse(buf_slice(&escaped), "theirs", &theirs, &e), "%s", e.text);
		json_begin(&w, '[');
		json_put_text(&w, json_text(json_at(theirs, 0)));
		json_end(&w, ']');
		for (size_t i = 0; i < out.len; i++)
			cr_assert(out.ptr[i] >= ' ' && out.ptr[i] < 0x7f, "U+%04X", point);
		cr_assert(json_parse(buf_slice(&out), "ours", &ours, &e), "%s", e.text);
		cr_assert(
		    slice_equal(json_text(json_at(ours, 0)), json_text(json_at(theirs, 0))),
		    "U+%04X", point);
	}
}
