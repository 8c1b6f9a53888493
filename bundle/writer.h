/*
 * A bundle under way: it has its final name when everything in it was verified.  BUNDLE.md 1.6.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/output.h"
#include "bundle/signer.h"
#include "manifests/watch.h"

struct writer;

/* Writes into *output, which is taken, and looks at what an interrupted run left there.  signer
 * is borrowed; NULL leaves the bundle without a signature, and nothing is continued then.  path
 * is for sentences. */
struct writer *writer_new(
    const char *path, struct output **output, const struct signer *signer);

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

/* Whether members must come one after another, in order. */
bool writer_is_forward(const struct writer *w);

/* Whether the file is continued. */
bool writer_resumed(const struct writer *w);

/* Whether member i already stands whole in a continued file: its region is hashed, nothing else
 * is believed.  When it does not, *held says how many of its first bytes seem to be there. */
bool writer_has(
    struct writer *w, size_t i, bool *has, uint64_t *held, struct err *e) MUST_CHECK;

/* A source over the first bytes of member i as they stand in a continued file: what they are,
 * whoever reads them must find out. */
void writer_held(struct writer *w, size_t i, uint64_t held, struct medium_source *s);

/* Writes the header of member i and gives a sink for its data (rewinds; exactly its size);
 * after the data, writer_member_end writes the padding.  Safe from many threads for different
 * members. */
bool writer_member(
    struct writer *w, size_t i, struct medium_sink *sink, struct err *e) MUST_CHECK;
bool writer_member_end(struct writer *w, size_t i, struct err *e) MUST_CHECK;

/* Trailer, self-check of the layout and of all small members. */
bool writer_end(struct writer *w, struct err *e) MUST_CHECK;

/* Onto the disk and out of memory; then all of it is read back and verified, so that the medium
 * was read and not this machine's memory.  Writes NAME.parts.json and NAME.head beside it. */
bool writer_read_back(struct writer *w, struct watch *watch, struct err *e) MUST_CHECK;

/* fsync, rename.  Before this nothing exists under the final name. */
bool writer_commit(struct writer *w, struct err *e) MUST_CHECK;

/* Gives it back; an unfinished PATH.partial stays and can be continued. */
void writer_free(struct writer *w);
void writer_drop(struct writer **w);
