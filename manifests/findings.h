/*
 * What a person must know of a values file, each with a stable code and a place.  One that
 * blocks ends with ERR_DECISION unless it is waived by its name.  VALUES.md 3.2, guarantee 6.
 */
#pragma once

#include "base/buf.h"

struct finding {
	const char *code; /* "DEAD-KEY", "TAG-BEHIND", "NOT-IN-BUNDLE", … */
	bool blocking;
	bool waived; /* it would block */
	size_t line; /* 0: it stands nowhere in the file */
	char *path;  /* of values; where there is none, the component; may be NULL */
	char *text;  /* one sentence */
};

struct findings {
	struct finding *items;
	size_t count;
	const char *const *waivers; /* "CODE:PATH", borrowed */
	size_t waiver_count;
};

/* Adds one, with copies of path, which may be NULL, and of text; its code is a literal. */
void findings_add(struct findings *f, struct finding one, const char *path, const char *text);
void findings_drop(struct findings *f);

/* Whether there is one with that code at a path, or in a line. */
bool findings_have(const struct findings *f, const char *code, const char *path);
bool findings_have_in(const struct findings *f, const char *code, size_t line);

/* How many block. */
size_t findings_blocking(const struct findings *f);

/* ERR_USAGE for a waiver that waives nothing: what it was meant for may block elsewhere. */
bool findings_waivers_used(const struct findings *f, struct err *e) MUST_CHECK;
