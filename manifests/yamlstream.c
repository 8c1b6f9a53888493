#include "manifests/yamlstream.h"

#include "base/own.h"
#include "manifests/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct yaml_stream {
	yaml_parser_t parser;
	yaml_event_t event;
	struct source *from;
	char *what;
	struct err failed; /* of from */
	size_t read;	   /* bytes since the last piece */
	size_t depth;
	bool ended;
};

static int on_read(void *context, unsigned char *bytes, size_t room, size_t *got)
{
	struct yaml_stream *s = context;

	*got = 0;
	if (s->read > YAML_PIECE_MAX)
		return err_set(&s->failed, ERR_LIMIT,
		    "%.200s: expected pieces of at most %d bytes, found a longer one", s->what,
		    YAML_PIECE_MAX);
	if (!s->from->read(s->from, bytes, room, got, &s->failed))
		return 0;
	s->read += *got;
	return 1;
}

struct yaml_stream *yaml_stream_new(struct source *from, const char *what)
{
	struct yaml_stream *s = own_new(sizeof(*s));

	s->from = from;
	s->what = own_text(what);
	if (!yaml_parser_initialize(&s->parser))
		(void)err_set(&s->failed, ERR_SYSTEM, "libyaml cannot be started");
	else
		yaml_parser_set_input(&s->parser, on_read, s);
	return s;
}

void yaml_stream_drop(struct yaml_stream **s)
{
	if (!*s)
		return;
	yaml_event_delete(&(*s)->event);
	yaml_parser_delete(&(*s)->parser);
	free((*s)->what);
	free(*s);
	*s = NULL;
}

static bool refuse(const struct yaml_stream *s, struct err *e)
{
	const yaml_parser_t *p = &s->parser;

	if (s->failed.kind != ERR_NONE) {
		*e = s->failed;
		return false;
	}
	return err_set(e, ERR_FORMAT,
	    "%.200s:%zu:%zu: expected YAML, found something else: %.100s", s->what,
	    p->problem_mark.line + 1, p->problem_mark.column + 1,
	    p->problem ? p->problem : "it cannot be read");
}

static bool read_event(struct yaml_stream *s, struct err *e)
{
	yaml_event_delete(&s->event);
	if (s->failed.kind != ERR_NONE || !yaml_parser_parse(&s->parser, &s->event))
		return refuse(s, e);
	s->read = 0;
	return true;
}

/* What YAML and Helm take for nothing. */
static bool is_null(const yaml_event_t *event)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		if (strcmp(text, nulls[i]) == 0)
			return true;
	return false;
}

static bool open_collection(
    struct yaml_stream *s, enum yaml_piece_kind kind, struct yaml_piece *p, struct err *e)
{
	p->kind = kind;
	if (s->depth++ < YAML_DEPTH_MAX)
		return true;
	return err_set(e, ERR_LIMIT, "%.200s:%zu: expected at most %d levels, found more",
	    s->what, p->line, YAML_DEPTH_MAX);
}

/* Whether the event is a piece. */
static bool is_piece(const struct yaml_stream *s)
{
	switch (s->event.type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return false;
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_ALIAS_EVENT:
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_START_EVENT:
	case YAML_MAPPING_END_EVENT:
		break;
	}
	return true;
}

bool yaml_stream_next(struct yaml_stream *s, struct yaml_piece *p, struct err *e)
{
	*p = (struct yaml_piece){.kind = YAML_PIECE_END};
	do {
		if (s->ended)
			return true;
		if (!read_event(s, e))
			return false;
	} while (!is_piece(s));
	p->line = s->event.start_mark.line + 1;
	switch ((int)s->event.type) {
	case YAML_SCALAR_EVENT:
		p->kind = YAML_PIECE_SCALAR;
		p->text = slice_at(s->event.data.scalar.value, s->event.data.scalar.length);
		p->null = is_null(&s->event);
		return true;
	case YAML_ALIAS_EVENT:
		p->kind = YAML_PIECE_ALIAS;
		return true;
	case YAML_MAPPING_START_EVENT:
		return open_collection(s, YAML_PIECE_MAPPING, p, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(s, YAML_PIECE_SEQUENCE, p, e);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		p->kind = YAML_PIECE_CLOSE;
		s->depth--;
		return true;
	default:
		s->ended = true;
		return true;
	}
}

bool yaml_stream_skip(struct yaml_stream *s, const struct yaml_piece *p, struct err *e)
{
	struct yaml_piece piece = *p;
	size_t depth = 0;

	for (;;) {
		if (piece.kind == YAML_PIECE_MAPPING || piece.kind == YAML_PIECE_SEQUENCE)
			depth++;
		else if (piece.kind == YAML_PIECE_CLOSE)
			depth--;
		if (!depth || piece.kind == YAML_PIECE_END)
			return true;
		if (!yaml_stream_next(s, &piece, e))
			return false;
	}
}
