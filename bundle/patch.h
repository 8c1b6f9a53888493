/*
 * A patch: chunks of a bundle that heal a damaged copy of it.  One line of JSON says which,
 * then their bytes follow.  BUNDLE.md 1.7.
 */
#pragma once

#include "base/file.h"
#include "bundle/damage.h"
#include "bundle/medium.h"

/* Writes the chunks that damage names, out of a whole bundle, to path. */
bool patch_write(struct medium *whole, const struct damage *want, const char *path,
    enum file_existing existing, struct err *e) MUST_CHECK;

/* One chunk of a patch. */
struct piece {
	uint64_t chunk; /* from 0 */
	uint64_t at;	/* in the patch file */
	struct descriptor bytes;
};

struct patch {
	int fd;
	struct digest id;
	uint64_t total;
	struct piece *pieces; /* in the order of chunks */
	size_t count;
};

/* Opens the patch at path and checks its chunks by their hashes. */
bool patch_open(const char *path, struct patch **out, struct err *e) MUST_CHECK;
void patch_free(struct patch *p);
void patch_drop(struct patch **p);

/* The bytes of its piece i. */
void patch_source(const struct patch *p, size_t i, struct file_source *from);

/* Says that something is no patch; always false. */
bool patch_is_none(struct err *e);
