/*
 * The tags of a repository: asked for only where a version range, or what belongs to an image,
 * is looked for.  PROTOCOL 12.1 (TAG-*).
 */
#pragma once

#include "registry/registry.h"

enum {
	TAGS_MAX = 200000,		 /* of one repository */
	TAGS_PAGE_MAX = 8 * 1024 * 1024, /* bytes of one page */
	TAGS_ASKED = 1000,		 /* a page; more is refused by some (TAG-01) */
};

/* Sorted, each once; only what has a tag's grammar. */
struct tags {
	char **items;
	size_t count;
	bool whole; /* all there are; else the pages were more than asked for */
};
void tags_drop(struct tags *t);

/* Asks for the list, at most so many pages of it.  ERR_MISSING when there is no such
 * repository. */
bool tags_list(
    const struct repository *at, size_t pages, struct tags *out, struct err *e) MUST_CHECK;

bool tags_have(const struct tags *t, const char *tag);
