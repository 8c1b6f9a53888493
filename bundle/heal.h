/*
 * Healing a damaged copy of a bundle in place.  A patch is believed only as far as the bundle's
 * own inventory says that its bytes are right.  BUNDLE.md 1.7.
 */
#pragma once

#include "bundle/patch.h"

/* First everything that the patch touches is verified as it would be, then it is written in
 * place and verified again as it is on the medium.  ERR_DAMAGED when the patch does not heal,
 * ERR_USAGE when it is another bundle's; nothing is changed then.  A run that was killed is
 * completed by the same call. */
bool heal(const struct patch *p, struct medium *copy, struct err *e) MUST_CHECK;
