/*
 * What an export says of the bundle as a whole: its channel, until when it holds, its labels.
 */
#pragma once

#include "bundle/inventory.h"
#include "cmd/options.h"

struct stamp_options {
	const char *channel;
	const char *expires;
	struct texts labels;
};

/* Checked, and in the order in which it is signed. */
struct stamp {
	char *channel;
	uint64_t expires; /* 0: never */
	struct bundle_label *labels;
	size_t label_count;
};

/* ERR_USAGE for what is not of the form it must have, or a label that is given twice. */
bool stamp_read(const struct stamp_options *o, struct stamp *out, struct err *e) MUST_CHECK;
void stamp_drop(struct stamp *s);

/* Into an inventory whose time is set; ERR_USAGE when it would be expired from the start. */
bool stamp_put(const struct stamp *s, struct inventory *inv, struct err *e) MUST_CHECK;
