/*
 * One registry, as registry.c makes it and requests.c uses it.
 */
#pragma once

#include "registry/registry.h"
#include "registry/turns.h"
#include "registry/warnings.h"

struct registry {
	struct registry *next;
	struct registries *all;
	char *host;
	char *base;
	enum host_origin origin;
	struct auth *auth;
	const struct host_settings *settings;
	struct retry_policy policy;
	struct turns turns;
	_Atomic uint64_t upload_rate; /* bytes a second, of the last body of some size */
	struct learned learned;
	struct pause pause;
	struct warnings warnings;
};

/* Where a redirect led: a place of its own, with nothing of ours (CHL-12). */
bool registries_redirected(struct registries *r, struct http *http, const char *url,
    struct repository *out, struct err *e) MUST_CHECK;
