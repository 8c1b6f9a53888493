#include "cmd/options.h"

#include "base/buf.h"
#include "base/own.h"
#include "cmd/verb.h"

#include <stdlib.h>
#include <string.h>

enum {
	NUMBER_MAX = 1000000,
	HELP_COLUMN = 32,
	HELP_WIDTH = 80,
};

const struct option common_options[] = {
    {"json", 0, OPTION_FLAG, offsetof(struct common, json), NULL,
	"print JSON for programs instead of text"},
    {"quiet", 'q', OPTION_FLAG, offsetof(struct common, quiet), NULL,
	"print results and errors only"},
    {"verbose", 'v', OPTION_FLAG, offsetof(struct common, verbose), NULL,
	"print each blob and each retry, not only the images"},
    {"no-progress", 0, OPTION_FLAG, offsetof(struct common, no_progress), NULL,
	"print lines, never a progress bar"},
    {"help", 'h', OPTION_FLAG, offsetof(struct common, help), NULL, "print this help"},
    {0},
};

/* A row and the place of its value. */
struct match {
	const struct option *option;
	char *place;
};

static bool names(const struct option *o, char letter, struct slice name)
{
	return letter ? o->letter == letter : slice_is(name, o->name);
}

/* The row with that letter, or with that name when letter is 0. */
static bool find(
    const struct verb *verb, char letter, struct slice name, void *options, struct match *m)
{
	for (const struct option_group *g = verb->groups; g->options; g++)
		for (const struct option *o = g->options; o->name; o++)
			if (names(o, letter, name)) {
				*m = (struct match){o, (char *)options + g->offset + o->offset};
				return true;
			}
	return false;
}

static void add_text(struct texts *list, const char *text)
{
	list->items = own_grow(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = text;
}

static bool set_number(const struct match *m, const char *value, struct err *e)
{
	uint64_t number;

	if (!slice_u64(slice_of(value), NUMBER_MAX, &number))
		return err_set(e, ERR_USAGE,
		    "--%s: expected a number from 0 to %d, found \"%s\"", m->option->name,
		    NUMBER_MAX, value);
	*(struct number *)(void *)m->place = (struct number){true, (unsigned)number};
	return true;
}

static bool set(const struct match *m, const char *value, struct err *e)
{
	switch (m->option->kind) {
	case OPTION_FLAG:
		*(bool *)(void *)m->place = true;
		return true;
	case OPTION_TEXT:
		*(const char **)(void *)m->place = value;
		return true;
	case OPTION_TEXTS:
		add_text((struct texts *)(void *)m->place, value);
		return true;
	case OPTION_NUMBER:
		return set_number(m, value, e);
	}
	return true;
}

/* The words that are still to be read. */
struct words {
	char **next;
	char **end;
};

/* Sets a row's value: from attached when that is not NULL, else from the next word. */
static bool take_value(
    const struct match *m, const char *attached, struct words *w, struct err *e)
{
	if (m->option->kind == OPTION_FLAG) {
		if (attached)
			return err_set(e, ERR_USAGE, "--%s takes no value, found \"%s\"",
			    m->option->name, attached);
		return set(m, NULL, e);
	}
	if (!attached && w->next == w->end)
		return err_set(e, ERR_USAGE, "--%s: expected %s, found nothing",
		    m->option->name, m->option->argument);
	return set(m, attached ? attached : *w->next++, e);
}

static bool parse_long(
    const struct verb *verb, const char *word, struct words *w, void *options, struct err *e)
{
	const char *equals = strchr(word, '=');
	const struct slice name =
	    slice_at(word, equals ? (size_t)(equals - word) : strlen(word));
	struct match m;

	if (!find(verb, 0, name, options, &m))
		return err_set(e, ERR_USAGE, "there is no option --%.*s; see sealift %s --help",
		    SLICE_ARG(name), verb->name);
	return take_value(&m, equals ? equals + 1 : NULL, w, e);
}

/* "-qv", "-o FILE", "-oFILE", "-j4". */
static bool parse_letters(
    const struct verb *verb, const char *word, struct words *w, void *options, struct err *e)
{
	struct match m;

	for (const char *at = word; *at; at++) {
		if (!find(verb, *at, slice_of(""), options, &m))
			return err_set(e, ERR_USAGE,
			    "there is no option -%c; see sealift %s --help", *at, verb->name);
		if (m.option->kind != OPTION_FLAG)
			return take_value(&m, at[1] ? at + 1 : NULL, w, e);
		if (!set(&m, NULL, e))
			return false;
	}
	return true;
}

static bool check_count(const struct verb *verb, const struct common *common, struct err *e)
{
	const size_t count = common->arguments.count;

	if (common->help || (count >= verb->least && count <= verb->most))
		return true;
	return err_set(e, ERR_USAGE, "expected %s, found %zu argument%s; see sealift %s --help",
	    *verb->arguments ? verb->arguments : "no argument", count, count == 1 ? "" : "s",
	    verb->name);
}

bool options_parse(const struct verb *verb, int argc, char **argv, void *options, struct err *e)
{
	struct words w = {argv, argv + argc};
	struct common *common = options;
	bool only_arguments = false;

	while (w.next < w.end) {
		const char *word = *w.next++;
		bool ok = true;

		if (only_arguments || word[0] != '-' || !word[1])
			add_text(&common->arguments, word);
		else if (strcmp(word, "--") == 0)
			only_arguments = true;
		else if (word[1] == '-')
			ok = parse_long(verb, word + 2, &w, options, e);
		else
			ok = parse_letters(verb, word + 1, &w, options, e);
		if (!ok)
			return false;
	}
	return check_count(verb, common, e);
}

void options_drop(const struct verb *verb, void *options)
{
	for (const struct option_group *g = verb->groups; g->options; g++)
		for (const struct option *o = g->options; o->name; o++)
			if (o->kind == OPTION_TEXTS)
				free(((struct texts *)(void *)((char *)options + g->offset
							       + o->offset))
					 ->items);
	free(((struct common *)options)->arguments.items);
	free(options);
}

unsigned number_or(struct number n, unsigned preset)
{
	return n.given ? n.value : preset;
}

/* Words of text from column on, wrapped at HELP_WIDTH. */
static void print_wrapped(FILE *out, int column, const char *text)
{
	struct slice rest = slice_of(text);
	struct slice word;
	int at = column;

	while (slice_cut(&rest, ' ', &word)) {
		if (at > column && at + 1 + (int)word.len > HELP_WIDTH) {
			(void)fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			(void)fputc(' ', out);
			at++;
		}
		(void)fwrite(word.ptr, 1, word.len, out);
		at += (int)word.len;
	}
	(void)fputc('\n', out);
}

static void print_option(FILE *out, const struct option *o)
{
	struct buf left = BUF(256);

	if (o->letter)
		buf_addf(&left, "  -%c, --%s", o->letter, o->name);
	else
		buf_addf(&left, "      --%s", o->name);
	if (o->argument)
		buf_addf(&left, " %s", o->argument);
	if (left.len + 1 >= HELP_COLUMN)
		(void)fprintf(out, "%s\n%*s", buf_text(&left), HELP_COLUMN, "");
	else
		(void)fprintf(out, "%-*s", HELP_COLUMN, buf_text(&left));
	print_wrapped(out, HELP_COLUMN, o->help);
	buf_drop(&left);
}

void options_help(const struct verb *verb, FILE *out)
{
	(void)fprintf(out, "Usage: sealift %s%s%s [OPTION]...\n\n", verb->name,
	    *verb->arguments ? " " : "", verb->arguments);
	print_wrapped(out, 0, verb->about);
	for (const struct option_group *g = verb->groups; g->options; g++) {
		(void)fprintf(out, "\n%s:\n", g->title);
		for (const struct option *o = g->options; o->name; o++)
			print_option(out, o);
	}
	(void)fprintf(out, "\nExample:\n%s\n", verb->example);
}
