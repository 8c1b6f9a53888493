/*
 * The customer's values file, pointed at the customer's registry: byte-range splices in the
 * file and a minimal overlay for what stands only in the chart's defaults.  VALUES.md 3.2.
 */
#pragma once

#include "manifests/reference.h"
#include "manifests/release.h"

struct rewrite_request {
	const struct release *release; /* the release document of the verified bundle */
	const struct target *target;
	struct slice defaults; /* the chart's values.yaml; empty when there is no chart */
	const char *app_version;
	struct slice file;     /* the customer's file; ptr NULL: there is none, overlay only */
	const char *file_name; /* for the report and errors */
};

enum change_kind {
	CHANGE_SPLICE,	/* in the customer's file, at line */
	CHANGE_OVERLAY, /* a key of the overlay */
};

struct change {
	enum change_kind kind;
	size_t line; /* 1-based; 0 in an overlay */
	char *path;  /* web.image.registry */
	char *old;   /* NULL when there was no value */
	char *new;
};

/* Something a person must know; blocking ones end with ERR_DECISION unless waived. */
struct finding {
	const char *code; /* "DEAD-KEY", "TAG-BEHIND", "NOT-IN-BUNDLE", … */
	bool blocking;
	size_t line;
	char *path;
	char *text; /* one sentence */
};

struct rewrite {
	struct buf file; /* the new text of the customer's file; equal to the input when nothing
			    changed */
	struct buf overlay; /* empty when none is needed */
	struct change *changes;
	size_t change_count;
	struct finding *findings;
	size_t finding_count;
	bool blocked; /* at least one blocking finding: nothing may be written */
};

/* Decides everything and writes nothing.  ERR_FORMAT with line and column for a file that is
 * not understood; guarantees (1)-(7) of VALUES 3.2 hold for what is returned. */
bool rewrite_values(
    const struct rewrite_request *request, struct rewrite **out, struct err *e) MUST_CHECK;
void rewrite_free(struct rewrite *r);
void rewrite_drop(struct rewrite **r);
