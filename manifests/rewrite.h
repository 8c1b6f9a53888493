/*
 * The customer's values file, pointed at the customer's registry: byte-range splices in the
 * file and a minimal overlay for what stands only in the chart's defaults.  VALUES.md 3.2.
 */
#pragma once

#include "manifests/findings.h"
#include "manifests/reference.h"
#include "manifests/release.h"

struct rewrite_request {
	const struct release *release; /* the release document of the verified bundle */
	const struct target *target;
	struct slice defaults; /* the chart's values.yaml; empty when there is no chart */
	const char *app_version;
	struct slice file;     /* the customer's file; ptr NULL: there is none, overlay only */
	const char *file_name; /* for the report and errors */
	bool update_tags;      /* keys that pin the release's version are set to the bundle's */
	const char *const *waivers; /* "CODE:PATH" of findings that need not be settled */
	size_t waiver_count;
};

enum change_kind {
	CHANGE_SPLICE,	/* in the customer's file, at line */
	CHANGE_OVERLAY, /* a key of the overlay */
};

struct change {
	enum change_kind kind;
	size_t line;  /* 1-based; 0 in an overlay */
	bool version; /* a key that pins the release's version */
	char *path;   /* web.image.registry */
	char *old;    /* NULL when there was no value */
	char *new;
};

struct rewrite {
	struct buf file; /* the new text of the customer's file; equal to the input when nothing
			    changed */
	struct buf overlay; /* empty when none is needed */
	struct change *changes;
	size_t change_count;
	struct findings findings; /* while one blocks, nothing may be written */
};

/* Decides everything and writes nothing.  ERR_FORMAT with line and column for a file that is
 * not understood, ERR_USAGE for a waiver of nothing; guarantees (1)-(7) of VALUES 3.2 hold for
 * what is returned. */
bool rewrite_values(
    const struct rewrite_request *request, struct rewrite **out, struct err *e) MUST_CHECK;
void rewrite_free(struct rewrite *r);
void rewrite_drop(struct rewrite **r);
