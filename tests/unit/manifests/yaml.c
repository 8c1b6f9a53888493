#include "manifests/yaml.h"

#include "base/file.h"
#include "base/own.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024 };

static struct yaml *parse(struct slice text, const char *what)
{
	struct yaml *doc = NULL;
	struct err e = {0};

	cr_assert(yaml_parse(text, what, &doc, &e), "%s", e.text);
	return doc;
}

/* What a splice needs of a scalar: its bytes alone, read again, are the same text. */
static size_t reread(struct slice file, const struct yaml_node *node, const char *what)
{
	size_t count = 0;

	for (const struct yaml_node *at = node->first; at; at = at->next)
		count += reread(file, at, what) + (at->key ? reread(file, at->key, what) : 0);
	if (node->kind != YAML_SCALAR)
		return count;
	cr_assert(
	    node->start <= node->end && node->end <= file.len, "%s:%zu", what, node->line);
	OWNED(yaml_drop)
	struct yaml *alone = parse(
	    slice_at(file.ptr + node->start, node->end - node->start), "the scalar alone");
	const struct yaml_node *again = yaml_root(alone);
	const struct slice want =
	    node->style >= YAML_LITERAL ? slice_trim(node->text) : node->text;
	const struct slice got = !again				? (struct slice){"", 0}
				 : again->style >= YAML_LITERAL ? slice_trim(again->text)
								: again->text;
	cr_expect(slice_equal(want, got), "%s:%zu:%zu: %.*s, again %.*s", what, node->line,
	    node->column, SLICE_ARG(want), SLICE_ARG(got));
	cr_expect(!again || again->kind == YAML_SCALAR, "%s:%zu", what, node->line);
	return count + 1;
}

/* Calls check with each file of tests/data/values. */
static size_t each_file(void (*check)(const char *name, struct slice text))
{
	glob_t found = {0};
	size_t count = 0;

	cr_assert_eq(glob("tests/data/values/*.yaml", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++, count++) {
		OWNED(buf_drop) struct buf text = {0};
		struct err e = {0};

		cr_assert(file_read(found.gl_pathv[i], FILE_MAX, &text, &e), "%s", e.text);
		check(strrchr(found.gl_pathv[i], '/') + 1, buf_slice(&text));
	}
	globfree(&found);
	return count;
}

static void check_ranges(const char *name, struct slice text)
{
	if (strncmp(name, "refused-", 8) == 0)
		return;
	OWNED(yaml_drop) struct yaml *doc = parse(text, name);
	cr_expect_gt(reread(text, yaml_root(doc), name), 2, "%s", name);
}

Test(yaml, ranges_reread_as_their_text)
{
	cr_assert_eq(each_file(check_ranges), 20);
}

static void check_refused(const char *name, struct slice text)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	struct err e = {0};

	if (strncmp(name, "refused-", 8) != 0)
		return;
	cr_expect_not(yaml_parse(text, name, &doc, &e), "%s", name);
	cr_expect_eq(e.kind, ERR_FORMAT, "%s", name);
}

Test(yaml, what_helm_refuses)
{
	(void)each_file(check_refused);
}

struct range_row {
	const char *text;
	const char *path;
	const char *bytes;
	enum yaml_style style;
	size_t line, column;
};

Test(yaml, exact_bytes)
{
	static const struct range_row rows[] = {
	    {"a: b", "a", "b", YAML_PLAIN, 1, 4},
	    {"a: 'b' # c", "a", "'b'", YAML_SINGLE, 1, 4},
	    {"\xef\xbb\xbf"
	     "a: \"b\"\n",
		"a", "\"b\"", YAML_DOUBLE, 1, 4},
	    {"# \xf0\x9f\x98\x80\xc3\xa9\r\n\xc3\xa9: x\r\nb: y", "b", "y", YAML_PLAIN, 3, 4},
	    {"a: &x !!str b\n", "a", "b", YAML_PLAIN, 1, 13},
	    {"a: !!str &x # c\n  \"b\"\n", "a", "\"b\"", YAML_DOUBLE, 2, 3},
	    {"a: one\n  two\nb: 1", "a", "one\n  two", YAML_PLAIN, 1, 4},
	    {"a: |\n  one\n\n\nb: 1", "a", "|\n  one", YAML_LITERAL, 1, 4},
	    {"a: >- # c\n  one  \n  \nb: 1", "a", ">- # c\n  one  ", YAML_FOLDED, 1, 4},
	    {"a:\n- x\n- {k: [y, z]}\n", "a.1.k.1", "z", YAML_PLAIN, 3, 11},
	    {"\"a.b\": {c: d}", "\"a.b\".c", "d", YAML_PLAIN, 1, 12},
	    {"a: {b: 1}\na: {b: 2}", "a.b", "2", YAML_PLAIN, 2, 8},
	    {"x: &m {b: 1}\na: *m", "a.b", "1", YAML_PLAIN, 1, 11},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct range_row *row = &rows[i];
		OWNED(yaml_drop) struct yaml *doc = parse(slice_of(row->text), "row");
		const struct yaml_node *node = yaml_path(doc, row->path);

		cr_assert_not_null(node, "row %zu", i);
		const struct slice bytes =
		    slice_at(row->text + node->start, node->end - node->start);
		cr_expect(slice_is(bytes, row->bytes), "row %zu: %.*s", i, SLICE_ARG(bytes));
		cr_expect_eq(node->style, row->style, "row %zu", i);
		cr_expect_eq(node->line, row->line, "row %zu: line %zu", i, node->line);
		cr_expect_eq(node->column, row->column, "row %zu: column %zu", i, node->column);
	}
}

Test(yaml, nulls_stand_after_the_colon)
{
	static const struct {
		const char *text;
		size_t start;
		bool is_null;
	} rows[] = {
	    {"a:\nb: 1\n", 2, true},
	    {"a: # c\nb: 1\n", 2, true},
	    {"{a: , b: 1}", 3, true},
	    {"a: ~\n", 3, true},
	    {"a: null", 3, true},
	    {"a: \"\"", 3, false},
	    {"a: 'null'", 3, false},
	    {"a: !!str null", 9, false},
	    {"\xc3\xa9: 1\na:", 8, true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(yaml_drop) struct yaml *doc = parse(slice_of(rows[i].text), "row");
		const struct yaml_node *node = yaml_path(doc, "a");

		cr_assert_not_null(node);
		cr_expect_eq(node->start, rows[i].start, "row %zu: %zu", i, node->start);
		cr_expect_eq(yaml_is_null(node), rows[i].is_null, "row %zu", i);
	}
}

Test(yaml, aliases_point_and_are_not_expanded)
{
	OWNED(yaml_drop)
	struct yaml *doc = parse(slice_of("a: &x one\nb: *x\nc: &x two\nd: *x\n"), "text");
	const struct yaml_node *a = yaml_path(doc, "a");
	const struct yaml_node *b = yaml_path(doc, "b");

	cr_expect_str_eq(a->anchor, "x");
	cr_expect_eq(b->kind, YAML_ALIAS);
	cr_expect_eq(b->target, a);
	cr_expect_eq(b->start, 13);
	cr_expect_eq(b->end, 15);
	cr_expect_eq(yaml_path(doc, "d")->target, yaml_path(doc, "c"));
	cr_expect_null(yaml_path(doc, "e"));
	cr_expect_null(yaml_path(doc, "a.b"));
}

Test(yaml, errors_say_where)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
	    {"a: \"\xff\"", 6, "f:1:5: expected UTF-8, found the byte 0xff"},
	    {"a:\n b\x01", 6, "f:2:3: expected text, found the control character U+0001"},
	    {"abc\0", 4, "f:1:4: expected text, found the control character U+0000"},
	    {"\xed\xa0\x80", 3, "f:1:1: expected UTF-8"},
	    {"\xc0\xaf", 2, "f:1:1: expected UTF-8"},
	    {"a:\n\tb: 1", 8, "f:2:1: expected YAML"},
	    {"a: 1\n---\nb: 2\n", 14, "f:2:1: expected one document"},
	    {"\xff\xfe"
	     "a\0",
		4, "f:1:1: expected UTF-8, found UTF-16"},
	    {"a\0:\0", 4, "f:1:1: expected UTF-8, found UTF-16"},
	    {"a: *b\n", 6, "f:1:4: expected an alias of an anchor above it"},
	    {"a: &b [*b]\n", 11, "f:1:8: expected an alias of something else"},
	    {"[a]: b\n", 7, "f:1:1: expected a text as key"},
	    {"a: [b\n", 6, "f:2:1: expected YAML"},
	    {"v: {a: ${b}}", 12, "f:1:9: expected YAML"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(yaml_drop) struct yaml *doc = NULL;
		struct err e = {0};

		cr_assert_not(yaml_parse(slice_at(rows[i].text, rows[i].len), "f", &doc, &e),
		    "row %zu", i);
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_eq(strncmp(e.text, rows[i].want, strlen(rows[i].want)), 0,
		    "row %zu: %s", i, e.text);
	}
}

/* Whether depth flow sequences inside one another are read. */
static bool reads_depth(size_t depth, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(FILE_MAX);
	OWNED(yaml_drop) struct yaml *doc = NULL;

	for (size_t i = 0; i < depth; i++)
		buf_adds(&text, "[");
	for (size_t i = 0; i < depth; i++)
		buf_adds(&text, "]");
	return yaml_parse(buf_slice(&text), "f", &doc, e);
}

/* Whether count anchors are read. */
static bool reads_anchors(size_t count, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(FILE_MAX);
	OWNED(yaml_drop) struct yaml *doc = NULL;

	for (size_t i = 0; i < count; i++)
		buf_addf(&text, "- &a%zu b\n", i);
	return yaml_parse(buf_slice(&text), "f", &doc, e);
}

Test(yaml, limits)
{
	struct err e = {0};

	cr_expect(reads_depth(YAML_DEPTH_MAX, &e), "%s", e.text);
	cr_expect_not(reads_depth(YAML_DEPTH_MAX + 1, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
	err_clear(&e);
	cr_expect(reads_anchors(YAML_ANCHORS_MAX, &e), "%s", e.text);
	cr_expect_not(reads_anchors(YAML_ANCHORS_MAX + 1, &e));
	cr_expect_eq(e.kind, ERR_LIMIT);
}

Test(yaml, empty_files)
{
	static const char *const rows[] = {"", "# only this\n", "\xef\xbb\xbf", "\n\n"};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		OWNED(yaml_drop) struct yaml *doc = parse(slice_of(rows[i]), "row");

		cr_expect_null(yaml_root(doc), "row %zu", i);
		cr_expect_null(yaml_path(doc, "a"), "row %zu", i);
	}
}

Test(yaml, HLM_06_plain_text_or_number)
{
	static const char *const text[] = {"a", "1.2.3", "v1", "1.6-alpine", "host:5000/a",
	    "1.2e", "0x", "2024.1.5", "nullx", "-", "a.b", "sha256", "reg:80", "0b2", "1:99"};
	static const char *const other[] = {"", "~", "null", "Null", "NULL", "yes", "No", "on",
	    "OFF", "y", "N", "true", "False", "1", "-1", "+1", "1_000", "010", "0x1f", "0b11",
	    "0o17", "1.10", ".5", "5.", "1e3", "2e-5", "1.5E+3", ".inf", "-.Inf", ".NaN",
	    "1:30", "12:30:45", "2024-01-01", "2024-1-1", "2024-01-01T10:00:00Z",
	    "2024-01-01 10:00:00", "20240101", "<<", "="};

	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
		cr_expect(yaml_is_text(slice_of(text[i])), "%s", text[i]);
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		cr_expect_not(yaml_is_text(slice_of(other[i])), "%s", other[i]);
}
