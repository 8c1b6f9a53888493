/*
 * The option --trust, and the reader that can only be had with it.
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/options.h"

struct trust_options {
	const char *trust;
};
extern const struct option trust_options[];

/* Opens the bundle if a key of --trust signed it, and says its id first unless quiet or JSON
 * was asked for. */
bool trusted_open(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e) MUST_CHECK;
