/*
 * YAML as it comes, one piece after another, for documents that are too large to stand in
 * memory: the index of a chart repository (PROTOCOL HLM-05, HLM-07).  Nothing is kept and no
 * alias is followed.  Meets libyaml, as yaml.c does.
 */
#pragma once

#include "base/stream.h"

enum {
	YAML_PIECE_MAX = 1024 * 1024, /* bytes of one scalar and what stands around it */
};

enum yaml_piece_kind {
	YAML_PIECE_END, /* of the document */
	YAML_PIECE_SCALAR,
	YAML_PIECE_ALIAS,
	YAML_PIECE_MAPPING, /* a mapping begins: keys and values follow in turn */
	YAML_PIECE_SEQUENCE,
	YAML_PIECE_CLOSE, /* the innermost of them ends */
};

struct yaml_piece {
	enum yaml_piece_kind kind;
	struct slice text; /* of a scalar, until the next piece */
	bool null;	   /* a plain scalar that means null */
	size_t line;
};

struct yaml_stream;

/* Pieces of what from gives, which is borrowed; what names it in errors. */
struct yaml_stream *yaml_stream_new(struct source *from, const char *what);
void yaml_stream_drop(struct yaml_stream **s);

/* The next piece.  ERR_FORMAT for what is no YAML, ERR_LIMIT for too deep or too long. */
bool yaml_stream_next(struct yaml_stream *s, struct yaml_piece *p, struct err *e) MUST_CHECK;

/* Passes over the rest of the value that p begins. */
bool yaml_stream_skip(
    struct yaml_stream *s, const struct yaml_piece *p, struct err *e) MUST_CHECK;
