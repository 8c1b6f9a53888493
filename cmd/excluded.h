/*
 * Images that stay behind at a push, each with its reason: --exclude REF --reason TEXT.
 */
#pragma once

#include "bundle/inventory.h"
#include "cmd/options.h"

struct excluded_options {
	struct texts refs;
	struct texts reasons;
};

/* The reason why an image of the inventory stays behind, NULL for one that goes. */
struct excluded {
	const char **reasons; /* one for each image; the texts are the options' */
};

/* ERR_USAGE for what the bundle does not carry, a reference without a reason, and when nothing
 * would be left to push. */
bool excluded_read(const struct excluded_options *o, const struct inventory *inv,
    struct excluded *out, struct err *e) MUST_CHECK;
void excluded_drop(struct excluded *x);
