/*
 * A bundle's content for a person or a program: what plan shows before and inspect after.
 */
#pragma once

#include "bundle/inventory.h"

#include <stdio.h>

/* A table of images and charts, then the totals with and without sharing. */
void summary_print(const struct inventory *inv, FILE *out);

/* The same as one JSON object, with "id" when that is not NULL and "verified" as it says. */
struct summary_facts {
	const struct digest *id;
	const char *signer;	      /* the trusted key's kid; NULL: nothing was verified */
	const char *const *unchecked; /* further signatures; NULL, or NULL at its end */
};
void summary_json(const struct inventory *inv, const struct summary_facts *facts, FILE *out);
