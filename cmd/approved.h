/*
 * Who has approved that a bundle is pushed to a destination: the files of --approval, judged by
 * the keys of approvers.d or --approver, and how many trust.conf wants.  BUNDLE.md 3.
 */
#pragma once

#include "cmd/admission.h"

struct approved_options {
	struct texts approvals;
	struct texts approvers;
};
extern const struct option approved_options[];

/* Every approval that is given must hold and fit; then there must be enough, by distinct
 * approvers.  Says each one unless quiet or JSON was asked for.  ERR_UNTRUSTED. */
bool approved_check(const struct approved_options *o, const struct common *common,
    const struct admission *use, struct err *e) MUST_CHECK;
