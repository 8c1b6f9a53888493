/*
 * A bundle in parts: a plain cut of its bytes into NAME.tar.001, NAME.tar.002, …  Beside each
 * part stand NAME.parts.json, whose hashes find a bad piece again, and NAME.head, the signed
 * head.  The list is not signed and only a locator: a lie in it can misname a bad chunk, never
 * make one pass.  BUNDLE.md 1.7.
 */
#pragma once

#include "base/buf.h"
#include "manifests/digest.h"

enum {
	PARTS_MAX = 999,
	PART_SUFFIX = 4, /* ".001" */
	PARTS_LIST_MAX = 64 * 1024 * 1024,
};
#define PART_CHUNK ((uint64_t)8 * 1024 * 1024)

/* What NAME.parts.json says. */
struct parts {
	struct digest id; /* of the inventory */
	uint64_t total;	  /* bytes of the whole bundle */
	uint64_t size;	  /* bytes of each part but the last, which may be shorter */
	struct digest
	    *hashes; /* of each part; NULL when there is one file, which has no parts */
	size_t count;
	struct digest *chunks; /* of each PART_CHUNK bytes of the whole bundle */
	size_t chunk_count;
};
void parts_drop(struct parts *p);

/* How many pieces of size bytes total bytes make. */
size_t parts_pieces(uint64_t total, uint64_t size);

/* The document, in which the parts are called NAME.001 and so on. */
bool parts_write(
    const struct parts *p, const char *name, struct buf *out, struct err *e) MUST_CHECK;

/* Reads it; ERR_FORMAT when it is none. */
bool parts_read(struct slice text, struct parts *out, struct err *e) MUST_CHECK;

/* Whether path ends like a part, ".001"; then *stem is what stands before. */
bool parts_is_name(const char *path, struct slice *stem);

/* STEM.001 for number 1. */
void parts_name(struct slice stem, size_t number, struct buf *out);

/* The name of a file beside the bundle or the parts of that stem: NAME.suffix for NAME.tar. */
void parts_beside(struct slice stem, const char *suffix, struct buf *out);
