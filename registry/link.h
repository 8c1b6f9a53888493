/*
 * Link headers (RFC 8288): where a list that came in pages goes on.  PROTOCOL RFR-02, TAG-01.
 */
#pragma once

#include "registry/registry.h"

enum {
	LINK_PAGES_MAX = 1000, /* of one list */
};

/* The target of the link of relation "next" in header values (one a line); a link that says no
 * relation is taken for it.  Empty when there is none. */
struct slice link_next(struct slice lines);

/* The pages of a list that were asked for; begins all zero. */
struct link_trail {
	char **urls;
	size_t count;
};
void link_trail_drop(struct link_trail *t);

/* Notes a page; false when it was asked for before, or there were LINK_PAGES_MAX already. */
bool link_trail_add(struct link_trail *t, const char *url);

/* The address of the next page after a, in full.  False when there is none, or when it is at
 * another host: pages are the registry's own. */
bool link_follow(const struct repository *at, const struct http_answer *a, struct buf *url);
