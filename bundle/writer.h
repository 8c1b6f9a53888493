/*
 * A bundle under way: NAME.partial until everything in it was verified.  BUNDLE.md 1.6.
 */
#pragma once

#include "base/file.h"
#include "bundle/inventory.h"
#include "bundle/signer.h"

struct writer;

/* Takes hold of PATH.partial (locked; a second writer is refused), and with resume looks at
 * what a killed run left there.  Refuses a path that exists with FILE_REFUSE. */
bool writer_open(const char *path, enum file_existing existing, bool resume,
    const struct signer *signer, struct writer **out, struct err *e) MUST_CHECK;

/* The inventory of an interrupted run, if this very signer signed it, so that the caller can
 * plan the same bytes again; else NULL.  The writer's own, until writer_begin. */
const struct inventory *writer_begun(const struct writer *w);

/* Whether an inventory of these bytes would continue it. */
bool writer_continues(const struct writer *w, struct slice bytes);

/* Decides the layout; inv and bytes stay the caller's until the writer is freed.  When bytes
 * equal what the interrupted run signed, its file is continued, else the file begins anew:
 * header, inventory, signatures, padding. */
bool writer_begin(struct writer *w, const struct inventory *inv, struct slice bytes,
    struct err *e) MUST_CHECK;

/* Whether the file is continued. */
bool writer_resumed(const struct writer *w);

/* Whether member i already stands whole in a continued file: its region is hashed, nothing else
 * is believed. */
bool writer_has(struct writer *w, size_t i, bool *has, struct err *e) MUST_CHECK;

/* Writes the header of member i and gives a sink for its data (rewinds; exactly its size);
 * after the data, writer_member_end writes the padding.  Safe from many threads for different
 * members. */
bool writer_member(
    struct writer *w, size_t i, struct file_sink *sink, struct err *e) MUST_CHECK;
bool writer_member_end(struct writer *w, size_t i, struct err *e) MUST_CHECK;

/* Trailer, self-check of the layout and of all small members, fsync, rename.  Before this
 * nothing exists under the final name. */
bool writer_finish(struct writer *w, struct err *e) MUST_CHECK;

/* Gives it back; an unfinished PATH.partial stays and can be continued. */
void writer_free(struct writer *w);
void writer_drop(struct writer **w);
