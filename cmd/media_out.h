/*
 * Where a bundle is written, as options: a file, a pipe, or parts in one folder or several.
 */
#pragma once

#include "bundle/output.h"
#include "cmd/options.h"
#include "manifests/watch.h"

#include <stdio.h>

struct media_out_options {
	struct texts output;
	const char *split;
	bool force;
	bool check;
};
extern const struct option media_out_options[];

/* The one file that --output names; NULL when it names none, or folders only. */
const char *media_out_file(const struct media_out_options *o);

/* What the result calls the bundle at path: "NAME.tar", "NAME.tar in DIR", "NAME.tar in parts
 * in DIR, DIR". */
void media_out_name(const struct media_out_options *o, const char *path, struct buf *out);

/* Whether standard output is what is written. */
bool media_out_is_pipe(const struct media_out_options *o);

/* Where results are said: standard error when standard output is the bundle's. */
FILE *media_out_messages(const struct media_out_options *o);

/* Whether what was written is to be read back from its medium: --check-media, and parts. */
bool media_out_checked(const struct media_out_options *o);

/* The bytes of a part that --split asks for. */
bool media_out_size(const struct media_out_options *o, struct watch *watch, uint64_t *bytes,
    struct err *e) MUST_CHECK;

/* Says of what is in the way that --force replaces it.  Always false. */
bool media_out_failed(struct err *e);

/* Opens it; path is the file's name, in the current folder unless --output says more. */
bool media_out_open(const struct media_out_options *o, const char *path, bool resume,
    struct watch *watch, struct output **out, struct err *e) MUST_CHECK;
