/*
 * The forms that a signature over an inventory may have, by the suffix of its member.
 * BUNDLE.md 1.4.
 */
#pragma once

#include "bundle/area.h"

/* A member of the area under a key whose kid it has. */
struct evidence {
	const struct key *key;
	struct slice inventory;
	const struct area *area;
	const struct area_signature *signature;
};

/* Whether this version checks that form. */
bool forms_know(const char *suffix);

/* Checks a member of a form that is known.  ERR_UNTRUSTED when it does not hold, or when the
 * raw signature beside which every other form stands is not there. */
bool forms_check(const struct evidence *v, struct err *e) MUST_CHECK;
