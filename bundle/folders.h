/*
 * The folders into which parts go, perhaps each on a medium of its own: which has room.
 */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct folder {
	char *path; /* owned */
	dev_t device;
	uint64_t room; /* of the device; only of the first folder that is on it */
	bool used;
};
struct folders {
	char *name; /* of the bundle, "b.tar"; owned */
	struct folder *items;
	size_t count;
};
void folders_add(struct folders *f, const char *path, size_t len);
void folders_drop(struct folders *f);

/* Looks how much room each has now; false with the first that cannot be looked at, which has
 * none. */
bool folders_measure(struct folders *f, struct err *e) MUST_CHECK;

/* Takes so many bytes of a folder's room; false when it has less. */
bool folders_take(struct folders *f, size_t folder, uint64_t need);

/* Takes them of the next folder in turn for part i that has them; false when none has. */
bool folders_choose(struct folders *f, size_t i, uint64_t need, size_t *folder);

/* Says so; always false. */
bool folders_full(size_t i, uint64_t need, struct err *e);

/* What a part is called until all are whole. */
#define PART_UNDER_WAY ".partial"

/* The path of part i, from 0, in a folder. */
void folders_part(const struct folders *f, size_t i, size_t folder, struct buf *out);

/* The first folder that has part i under that suffix; the count of folders when none has. */
size_t folders_find(const struct folders *f, size_t i, const char *suffix);

/* False when a part beyond the last of count is there: no reader would take them. */
bool folders_end(const struct folders *f, size_t count, struct err *e) MUST_CHECK;

/* Removes what is under way from part first on, as an earlier plan may have left it. */
void folders_clear(const struct folders *f, size_t first);

/* Makes a part that has its final name one under way again. */
bool folders_take_back(
    const struct folders *f, size_t i, size_t folder, struct err *e) MUST_CHECK;
