/*
 * Where a bundle is read from, as options and as the name on the command line: a file, a
 * device, a pipe, parts in one folder or several.
 */
#pragma once

#include "bundle/medium.h"
#include "bundle/parts.h"
#include "cmd/options.h"

struct media_in_options {
	struct texts media;
};
extern const struct option media_in_options[];

/* Opens NAME.tar, a device, NAME.tar.001, a folder that has one bundle, or - for standard
 * input.  A part that is missing is asked for where there is a terminal.  ERR_MISSING. */
bool media_in_open(const struct media_in_options *o, const char *path,
    enum medium_access access, struct medium **out, struct err *e) MUST_CHECK;

/* What the bundle at path is called, "b.tar", whether it is whole, in parts or in a folder. */
bool media_in_name(const char *path, struct buf *out, struct err *e) MUST_CHECK;

/* Standard input has one reader: ERR_USAGE when the bundle is "-" and one of the others is,
 * which may be NULL. */
bool media_in_alone(
    const char *bundle, const char *other, const char *another, struct err *e) MUST_CHECK;

/* Asks for another medium in that folder, and waits; false where nobody can be asked, or *e
 * says why not. */
bool media_in_change(size_t part, const char *folder, struct err *e) MUST_CHECK;

/* Opens one bundle file, not parts and no pipe, to change its signature area in place. */
bool media_in_mend(const char *path, struct medium **out, struct err *e) MUST_CHECK;

/* The list of parts and chunks beside the bundle at path; ERR_MISSING when there is none. */
bool media_in_list(const struct media_in_options *o, const char *path, struct parts *out,
    struct err *e) MUST_CHECK;
