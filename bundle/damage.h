/*
 * Which pieces of a bundle are bad: chunks of PART_CHUNK bytes, numbered from 1 over the whole
 * bundle, so that they can be asked for in one short line.  BUNDLE.md 1.7.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/medium.h"
#include "bundle/parts.h"
#include "manifests/watch.h"

struct damage {
	struct digest id; /* of the inventory */
	uint64_t total;	  /* bytes of the bundle */
	bool *bad;	  /* of each chunk; owned */
	size_t chunks;
};
void damage_drop(struct damage *d);

/* How many chunks are bad. */
size_t damage_count(const struct damage *d);

/* "1,17,204-210" */
void damage_ranges(const struct damage *d, struct buf *out);

/* Reads it all and finds what is bad: by the list of chunks, unless list is NULL or sees
 * nothing, and then by the inventory, whose whole members are bad.  Nothing here is believed or
 * refused.  ERR_FORMAT when neither list nor inventory can be read. */
bool damage_find(struct medium *m, const struct parts *list, struct watch *watch,
    struct damage *out, struct err *e) MUST_CHECK;

enum { NEED_LINE = 16 * 1024 };

/* The line that asks for them, "3f9a2c1b:17,204-210:k7qx": the begin of the id, the chunks, and
 * four characters by which a slip of hand or ear is seen. */
void need_write(const struct damage *d, struct buf *out);

/* Reads the line for a bundle of that id and total.  ERR_USAGE when it was misheard, or is
 * another bundle's. */
bool need_read(const char *line, const struct digest *id, uint64_t total, struct damage *out,
    struct err *e) MUST_CHECK;
