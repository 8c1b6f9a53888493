/*
 * Cutting a bundle that is there into parts, one after another, so that media can be changed
 * between them.  BUNDLE.md 1.7.
 */
#pragma once

#include "base/file.h"
#include "bundle/medium.h"
#include "bundle/parts.h"
#include "bundle/parts_in.h"
#include "manifests/watch.h"

/* A whole bundle, read once and found good by its own inventory. */
struct splitting {
	struct medium *from; /* borrowed */
	struct parts list;
	struct buf head; /* for NAME.head */
};
bool splitting_read(struct medium *from, uint64_t part_size, struct watch *watch,
    struct splitting *out, struct err *e) MUST_CHECK;
void splitting_drop(struct splitting *s);

/* Where a part goes. */
struct part_home {
	const char *folder;
	const char *name; /* "b.tar" */
	enum file_existing existing;
};

/* Whether part i, from 0, is there already, whole: its hash says so. */
bool splitting_has(const struct splitting *s, const struct part_home *home, size_t i);

/* Writes part i, reads it back from its medium, gives it its name and puts NAME.parts.json and
 * NAME.head beside it. */
bool splitting_write(const struct splitting *s, const struct part_home *home, size_t i,
    struct watch *watch, struct err *e) MUST_CHECK;

/* The bytes of part i. */
uint64_t splitting_size(const struct splitting *s, size_t i);
