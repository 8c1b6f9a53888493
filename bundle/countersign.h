/*
 * New signatures in the area of a bundle that is there, in place.  A cut at any moment leaves
 * the old area, the new one, or one that every reader refuses; never another that is believed.
 * BUNDLE.md 1.4.
 */
#pragma once

#include "bundle/head.h"
#include "bundle/inventory.h"
#include "bundle/parts.h"

/* The head of a bundle whose area is to change. */
struct countersigning {
	struct medium *medium; /* borrowed; may be mended */
	struct head head;
	struct inventory *inv;
	const char *journal; /* path of the file that keeps the old area meanwhile; borrowed */
};

/* Reads it.  What a killed run left unfinished is put right first, out of its journal. */
bool countersigning_open(struct medium *medium, const char *journal, struct countersigning *out,
    struct err *e) MUST_CHECK;
void countersigning_drop(struct countersigning *c);

/* Puts these signatures beside those that are there.  A form replaces the same form by the same
 * key, and KID.sig also the KID.sigstore.json that was made of the earlier one; nothing else
 * goes.  ERR_LIMIT when they do not fit, ERR_USAGE when a form comes twice; then nothing is
 * changed. */
bool countersigning_write(
    const struct countersigning *c, struct signatures *more, struct err *e) MUST_CHECK;

/* Makes NAME.parts.json and NAME.head beside the bundle at path, where they are, say what is
 * there now. */
bool countersigning_refresh(
    const struct countersigning *c, const char *path, struct err *e) MUST_CHECK;
