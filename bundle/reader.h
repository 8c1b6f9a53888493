/*
 * A bundle that is believed: having a struct reader is having a bundle whose inventory a
 * trusted key signed; it cannot be had otherwise.  BUNDLE.md 1.5.
 */
#pragma once

#include "bundle/region.h"
#include "bundle/judge.h"
#include "manifests/watch.h"

struct reader;

/* Checks the signature over the raw inventory of *medium, which is taken, then reads the
 * inventory.  ERR_UNTRUSTED or ERR_DAMAGED as BUNDLE.md 1.5 says. */
bool reader_open(struct medium **medium, const struct trust *trust, struct reader **out,
    struct err *e) MUST_CHECK;
void reader_free(struct reader *r);
void reader_drop(struct reader **r);

const struct inventory *reader_inventory(const struct reader *r);

/* SHA-256 of the inventory bytes: the bundle's id. */
const struct digest *reader_id(const struct reader *r);

/* Who signed it, of those that are trusted: at least one. */
const struct judgement *reader_judgement(const struct reader *r);

/* The kid of the first of them. */
const char *reader_signer(const struct reader *r);

/* Names, "KID.SUFFIX", of the signatures that were not checked, since no trusted key made them
 * or this version does not know their form; NULL ends the list. */
const char *const *reader_unchecked(const struct reader *r);

/* A source of member i that checks header, size and digest as it is read; safe from many
 * threads, each with a member_source of its own.  member_source_drop when done. */
bool reader_member(
    const struct reader *r, size_t i, struct member_source *s, struct err *e) MUST_CHECK;

/* Whether member i can be read again after its bytes have passed. */
bool reader_holds(const struct reader *r, size_t i);

/* Checks what stands behind the data of member i, as reader_member does not; where bytes pass
 * in order this comes next. */
bool reader_member_end(const struct reader *r, size_t i, struct err *e) MUST_CHECK;

/* Checks the end of the bundle. */
bool reader_end(const struct reader *r, struct err *e) MUST_CHECK;

/* A small member whole, verified. */
bool reader_small(const struct reader *r, size_t i, struct buf *out, struct err *e) MUST_CHECK;

/* Whether all of it is where it should be: the length of a file, each part.  Nothing is read;
 * of a pipe nothing can be said.  ERR_DAMAGED, ERR_MISSING with every part that is missing. */
bool reader_is_whole(const struct reader *r, struct err *e) MUST_CHECK;

/* How many bytes stand behind its head. */
uint64_t reader_content(const struct reader *r);

/* Puts it out of this machine's memory, so that what is read next comes from the medium;
 * nothing for a pipe. */
bool reader_uncache(const struct reader *r, struct err *e) MUST_CHECK;

/* Whether its bytes come once and in order, as out of a pipe: then members are asked for in
 * their order, but for the small ones, which are held. */
bool reader_is_forward(const struct reader *r);

/* Every byte: headers, data, padding, trailer, end of file; what the images name is there, and
 * the documents for other tools are made anew and compared.  The sentence of a failure names
 * the member and the offset of the first damage. */
bool reader_verify(
    const struct reader *r, size_t jobs, struct watch *watch, struct err *e) MUST_CHECK;

/* What can be said of a bundle without trusting anyone: shown, never used. */
enum { GLIMPSE_KIDS = 8 };
struct glimpse {
	struct inventory *inventory;
	struct digest id;
	char kids[GLIMPSE_KIDS]
		 [KID_TEXT]; /* of signatures that claim to be there, unverified */
	size_t kid_count;
};
bool reader_glimpse(struct medium *medium, struct glimpse *out, struct err *e) MUST_CHECK;
void glimpse_drop(struct glimpse *g);
