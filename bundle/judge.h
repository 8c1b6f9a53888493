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

struct judgement {
	enum verdict verdict;
	char signer[KID_TEXT]; /* a trusted key that signed */
	char
	    *unchecked[AREA_SIGNATURES_MAX + 1]; /* names "KID.SUFFIX", owned; NULL ends them */
};

/* Judges the raw inventory by its signatures.  A signature that fails under a trusted key
 * refuses, whatever else is there.  ERR_UNTRUSTED. */
bool judge_head(const struct head *h, const struct trust *trust, struct judgement *out,
    struct err *e) MUST_CHECK;
void judgement_drop(struct judgement *j);
