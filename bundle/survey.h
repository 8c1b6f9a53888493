/*
 * One reading of a whole bundle, in order and once: every byte is checked against the inventory
 * and goes into the hashes of its part and its chunk.  BUNDLE.md 1.6, 1.7.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/medium.h"
#include "bundle/parts.h"
#include "manifests/watch.h"

struct survey {
	struct medium *medium;
	const struct inventory *inv;
	struct slice bytes;  /* of inv, as they must stand there */
	uint64_t part_size;  /* 0: one file */
	struct watch *watch; /* is told the bytes; may be NULL */
};

/* Reads it all.  ERR_DAMAGED with the first damage. */
bool survey_read(const struct survey *s, struct parts *out, struct err *e) MUST_CHECK;

/* The hash of chunk i, from 0, of a bundle of total bytes. */
bool survey_chunk(
    struct medium *m, uint64_t total, size_t i, struct digest *out, struct err *e) MUST_CHECK;

/* Hashes the chunks alone, believing nothing: which of them are not what the list says goes
 * into bad, one bool for each. */
bool survey_chunks(
    struct medium *m, const struct parts *list, bool *bad, struct err *e) MUST_CHECK;
