#include "base/own.h"
#include "cmd/verb.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	struct common common;
	const char *text;
	struct texts many;
	struct number number;
	bool flag;
};

#define AT(field) offsetof(struct sample, field)
static const struct option sample_options[] = {
    {"text", 't', OPTION_TEXT, AT(text), "TEXT", "a text"},
    {"many", 0, OPTION_TEXTS, AT(many), "TEXT", "a list"},
    {"number", 'n', OPTION_NUMBER, AT(number), "N", "a number"},
    {"flag", 'F', OPTION_FLAG, AT(flag), NULL, "a flag"},
    {0},
};
static const struct option_group groups[] = {
    {sample_options, 0, "Options"},
    {common_options, AT(common), "General"},
    {0},
};
static const struct verb sample = {
    .name = "sample",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary = "",
    .about = "",
    .example = "",
    .groups = groups,
    .size = sizeof(struct sample),
};

/* Parses the words of line, which blanks separate. */
static bool parse(const char *line, struct sample *out, struct err *e)
{
	static char text[256];
	static char *words[16];
	int count = 0;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	return options_parse(&sample, count, words, out, e);
}

static void drop(struct sample *s)
{
	free(s->many.items);
	free(s->common.arguments.items);
}

Test(options, every_way_to_give_a_value)
{
	static const char *const lines[] = {
	    "-t x -n 7 -F f",
	    "-tx -n7 -F f",
	    "--text x --number 7 --flag f",
	    "--text=x --number=7 --flag -- f",
	    "f -Fn7 -t x",
	    "f -F -n 1 -n 7 -t y -t x",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct sample s = {0};
		struct err e = {0};

		cr_expect(parse(lines[i], &s, &e), "row %zu: %s: %s", i, lines[i], e.text);
		cr_expect_str_eq(s.text, "x", "row %zu", i);
		cr_expect(s.number.given && s.number.value == 7, "row %zu", i);
		cr_expect(s.flag, "row %zu", i);
		cr_expect(s.common.arguments.count == 1, "row %zu", i);
		drop(&s);
	}
}

Test(options, what_is_refused_is_named)
{
	static const struct {
		const char *line;
		const char *named;
	} rows[] = {
	    {"", "FILE"},
	    {"f g", "FILE"},
	    {"f --nothing", "--nothing"},
	    {"f -x", "-x"},
	    {"f --text", "TEXT"},
	    {"f -n", "N"},
	    {"f -n seven", "seven"},
	    {"f -n -1", "-1"},
	    {"f -n 1000001", "1000001"},
	    {"f --flag=yes", "yes"},
	    {"f --tex x", "--tex"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sample s = {0};
		struct err e = {0};

		cr_expect(!parse(rows[i].line, &s, &e), "row %zu: %s", i, rows[i].line);
		cr_expect(e.kind == ERR_USAGE, "row %zu", i);
		cr_expect(strstr(e.text, rows[i].named), "row %zu: %s", i, e.text);
		drop(&s);
	}
}

Test(options, lists_keep_their_order)
{
	struct sample s = {0};
	struct err e = {0};

	cr_assert(parse("--many a --many=b f --many c", &s, &e), "%s", e.text);
	cr_expect_eq(s.many.count, 3);
	cr_expect_str_eq(s.many.items[0], "a");
	cr_expect_str_eq(s.many.items[2], "c");
	drop(&s);
}

Test(options, help_needs_no_argument)
{
	struct sample s = {0};
	struct err e = {0};

	cr_assert(parse("--help", &s, &e), "%s", e.text);
	cr_expect(s.common.help);
	drop(&s);
}

Test(options, help_shows_every_option)
{
	char text[4096] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	options_help(&sample, out);
	(void)fclose(out);
	for (const struct option *o = sample_options; o->name; o++)
		cr_expect(strstr(text, o->name), "%s", o->name);
}
