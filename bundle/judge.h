/*
 * Whether a bundle is believed: the one place that says so.  BUNDLE.md 1.5, 3.
 */
#pragma once

#include "bundle/head.h"
#include "bundle/inventory.h"
#include "bundle/trust.h"

enum verdict {
	VERDICT_REFUSED, /* what every judgement begins as */
	VERDICT_TRUSTED,
};

/* A key that is believed, and that signed. */
struct judged_signer {
	char kid[KID_TEXT];
	struct digest spki;
};

struct judgement {
	enum verdict verdict;
	struct judged_signer signers[AREA_SIGNATURES_MAX]; /* distinct, in scope */
	size_t signer_count;
	/* Owned; NULL ends each list. */
	char *unchecked[AREA_SIGNATURES_MAX + 1];   /* names "KID.SUFFIX" of signatures */
	char *not_counted[AREA_SIGNATURES_MAX + 1]; /* why a key that signed does not count */
};

/* Judges the raw inventory by its signatures, those in X.509's form alone where an authority is
 * trusted, and reads it only when enough distinct trusted keys made them; then leaves out the
 * keys whose scope it is not in, and counts again.  A signature that fails under a trusted key
 * refuses, whatever else is there.  ERR_UNTRUSTED, and what inventory_read says; *out is to be
 * dropped in any case. */
bool judge_head(const struct head *h, const struct trust *trust, struct judgement *out,
    struct inventory **inv, struct err *e) MUST_CHECK;
void judgement_drop(struct judgement *j);

/* Whether the verdict is trusted: what a reader asks last, so that no path around judge_head
 * opens one.  ERR_UNTRUSTED. */
bool judgement_holds(const struct judgement *j, struct err *e) MUST_CHECK;

/* Whether the bundle may be used at that time: not after it expires, and not where the clock is
 * more than a day before it was made.  ERR_UNTRUSTED. */
bool judge_time(const struct inventory *inv, uint64_t now, struct err *e) MUST_CHECK;
