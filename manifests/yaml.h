/*
 * YAML as a person wrote it: one document as a tree in which every scalar knows the exact bytes
 * it stands in, so that a file is changed by splices and never written anew (VALUES 5). Aliases
 * are never expanded.  The one file that meets libyaml.
 */
#pragma once

#include "base/buf.h"

enum {
	YAML_DEPTH_MAX = 64,		  /* collections inside one another */
	YAML_NODES_MAX = 2 * 1024 * 1024, /* scalars, collections and aliases */
	YAML_ANCHORS_MAX = 1024,	  /* anchors in one document */
	YAML_TEXT_MAX = 64 * 1024 * 1024, /* bytes of a document, as of a repository's index */
};

enum yaml_kind {
	YAML_SCALAR,
	YAML_MAPPING,
	YAML_SEQUENCE,
	YAML_ALIAS,
};

enum yaml_style {
	YAML_PLAIN,
	YAML_SINGLE,
	YAML_DOUBLE,
	YAML_LITERAL,
	YAML_FOLDED,
};

/* Everything belongs to the document. */
struct yaml_node {
	enum yaml_kind kind;
	enum yaml_style style; /* of a scalar */
	/* Bytes of a scalar or an alias in the text given to yaml_parse: with its quotes or its
	 * "|", without anchor and tag; a block scalar ends with its last line that is not
	 * blank.  Of a value that is not written (tag:) both are just after the colon.  Of a
	 * collection: start. */
	size_t start, end;
	size_t line, column; /* of start, from 1; columns are characters */
	bool tagged;	     /* has an explicit tag, as !!str */
	struct slice text;   /* a scalar's, decoded, with a NUL behind it; an alias's name */
	const char *anchor;  /* NULL when there is none */
	const struct yaml_node *target; /* of an alias */
	const struct yaml_node *parent; /* NULL of the root */
	const struct yaml_node *key;	/* of a value in a mapping */
	const struct yaml_node
	    *first; /* a sequence's items or a mapping's values, in order … */
	const struct yaml_node *next; /* … the next of them */
	size_t count;
};

struct yaml;

/* Parses the one document in text, which is borrowed during the call only; what names it in
 * errors ("FILE:LINE:COLUMN: expected …, found …").  ERR_FORMAT for what Helm refuses, for
 * UTF-16 and for several documents; ERR_LIMIT.  A UTF-8 BOM is fine and counts in start and
 * end. */
bool yaml_parse(
    struct slice text, const char *what, struct yaml **out, struct err *e) MUST_CHECK;
void yaml_drop(struct yaml **y); /* no yaml_free: libyaml has one, and would call ours */

/* The document's node; NULL when the text is empty but for comments. */
const struct yaml_node *yaml_root(const struct yaml *y);

/* The value of a key, the last one when it stands there twice; looks through an alias for the
 * mapping, not through "<<".  NULL when there is none, also for a node that is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* The node at a dotted path; a key that holds a dot is in double quotes, an item of a sequence
 * is its number from 0: "image.registry", "\"a.b\".c", "list.0.ref". */
const struct yaml_node *yaml_path(const struct yaml *y, const char *path);

/* The node itself, or what an alias stands for; NULL for NULL. */
const struct yaml_node *yaml_resolve(const struct yaml_node *node);

/* A scalar that YAML 1.1 reads as null: ~, null, or nothing at all. */
bool yaml_is_null(const struct yaml_node *node);

/* Whether these characters, written plain, are text in YAML 1.1: no null, truth value, number
 * or date.  Says nothing about characters that cannot be written plain. */
bool yaml_is_text(struct slice plain);
