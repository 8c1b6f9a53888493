/*
 * A bundle's content for a person or a program: what plan shows before and inspect after.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/judge.h"

#include <stdio.h>

/* A table of images, charts and files, then the totals with and without sharing, and what the
 * bundle says of itself. */
void summary_print(const struct inventory *inv, FILE *out);

/* What was verified of a bundle whose content is shown. */
enum checked {
	CHECKED_NOTHING,
	CHECKED_HEAD, /* signature and inventory */
	CHECKED_ALL,
};

/* The same as one JSON object (docs/inspect.schema.json), with "id" when that is not NULL. */
struct summary_facts {
	const struct digest *id;
	const struct judgement *judgement; /* who signed; NULL: nothing was verified */
	enum checked checked;
	const char *const *unchecked; /* further signatures; NULL, or NULL at its end */
};
void summary_json(const struct inventory *inv, const struct summary_facts *facts, FILE *out);
