/*
 * What yaml.c and splice.c make of a file, for a judge that is not theirs: splices FILE prints
 * every scalar that is a value, one a line as JSON, and an empty line; then each line "VALUE
 * N…" of standard input is answered by the length of the file with the scalars number N…
 * replaced by VALUE, a line break, and its bytes.
 */
#include "base/file.h"
#include "base/own.h"
#include "manifests/json.h"
#include "manifests/splice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_MAX_BYTES = 1024 * 1024,
	FILE_BYTES_MAX = 64 * 1024 * 1024,
};

struct scalars {
	const struct yaml_node **items;
	size_t count;
};

/* The ordinals of a node and of what it is in, outermost first. */
static void put_place(struct json_writer *w, const struct yaml_node *node)
{
	uint64_t ordinal = 0;

	if (!node->parent)
		return;
	put_place(w, node->parent);
	for (const struct yaml_node *at = node->parent->first; at != node; at = at->next)
		ordinal++;
	json_put_u64(w, ordinal);
}

static void tell(const struct yaml_node *node)
{
	OWNED(buf_drop) struct buf line = BUF(LINE_MAX_BYTES);
	struct json_writer w = {.out = &line};

	json_begin(&w, '{');
	json_key(&w, "place");
	json_begin(&w, '[');
	put_place(&w, node);
	json_end(&w, ']');
	json_key(&w, "start");
	json_put_u64(&w, node->start);
	json_key(&w, "end");
	json_put_u64(&w, node->end);
	json_key(&w, "line");
	json_put_u64(&w, node->line);
	json_key(&w, "text");
	json_put_text(&w, node->text);
	json_end(&w, '}');
	(void)puts(buf_text(&line));
}

/* Values only: a key is never spliced. */
static void collect(struct scalars *s, const struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR) {
		s->items = own_grow(s->items, s->count + 1, sizeof(struct yaml_node *));
		s->items[s->count++] = node;
		tell(node);
	}
	for (const struct yaml_node *at = node->first; at; at = at->next)
		collect(s, at);
}

/* Answers one line. */
static bool answer(struct slice text, const struct scalars *s, char *line)
{
	OWNED(buf_drop) struct buf out = BUF(FILE_BYTES_MAX);
	OWNED(drop_any) struct splice *splices = own_array(s->count, sizeof(*splices));
	const char *value = strtok(line, " \n");
	size_t count = 0;

	for (const char *word; count < s->count && (word = strtok(NULL, " \n")); count++) {
		const size_t number = (size_t)strtoul(word, NULL, 10);
		if (number >= s->count)
			return false;
		splices[count] = (struct splice){s->items[number], value};
	}
	splice_apply(text, splices, count, &out);
	(void)printf("%zu\n", out.len);
	return fwrite(buf_text(&out), 1, out.len, stdout) == out.len && fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
	OWNED(buf_drop) struct buf text = {0};
	OWNED(yaml_drop) struct yaml *doc = NULL;
	OWNED(drop_any) char *line = own_array(LINE_MAX_BYTES, 1);
	struct scalars s = {0};
	struct err e = {0};

	if (argc != 2 || !file_read(argv[1], FILE_BYTES_MAX, &text, &e)
	    || !yaml_parse(buf_slice(&text), "file", &doc, &e)) {
		(void)fprintf(stderr, "%s\n", argc == 2 ? e.text : "usage: splices FILE");
		return 2;
	}
	if (yaml_root(doc))
		collect(&s, yaml_root(doc));
	(void)puts("");
	(void)fflush(stdout);
	bool ok = true;
	while (ok && fgets(line, LINE_MAX_BYTES, stdin))
		ok = answer(buf_slice(&text), &s, line);
	free(s.items);
	return ok ? 0 : 1;
}
