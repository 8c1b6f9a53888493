/*
 * Files that a release carries beside its images (starter values, scripts, drivers): from this
 * machine's disk into the bundle, byte for byte.  BUNDLE.md 1.3.
 */
#pragma once

#include "base/stream.h"
#include "bundle/inventory.h"
#include "cmd/options.h"
#include "manifests/release.h"

struct files {
	struct release_file *items; /* owned; sorted by the path's last part, which is the name
				       in the bundle */
	size_t count;
};

/* The files that a release (read from release_path, or NULL) and --file name; the former are
 * relative to the release file's folder.  Links are followed; what is no plain file, has a name
 * that may not travel or one that another has too is ERR_USAGE, ERR_MISSING when there is none.
 */
bool files_take(const struct release *release, const char *release_path,
    const struct texts *named, struct files *out, struct err *e) MUST_CHECK;
void files_drop(struct files *f);

/* Hashes each and adds it to the inventory: inv->files[i] is items[i].  ERR_DAMAGED for one
 * that is not what a lock pins. */
bool files_describe(const struct files *f, struct inventory *inv, struct err *e) MUST_CHECK;

/* The bytes at path into sink, if they are still those that were described. */
bool files_copy(const char *path, const struct descriptor *want, struct sink *sink,
    struct err *e) MUST_CHECK;
