/*
 * Image references: parse, normalise, re-home.  PROTOCOL section 1 (REF-*).
 */
#pragma once

#include "manifests/digest.h"

enum {
	REFERENCE_HOST_MAX = 255,
	REFERENCE_PATH_MAX = 255,
	REFERENCE_TAG_MAX = 128,
	REFERENCE_TEXT_MAX = 768,
};

struct reference {
	char
	    host[REFERENCE_HOST_MAX + 1]; /* as recorded: docker.io, registry.immuta.com:5000 */
	char path[REFERENCE_PATH_MAX + 1]; /* library/memcached */
	char tag[REFERENCE_TAG_MAX + 1];   /* "" when there is only a digest */
	bool has_digest;
	struct digest digest;
};

/* Parses "[docker://][host/]path[:tag][@digest]" and normalises it (REF-01..07): docker.io and
 * library/ are filled in, and "latest" when there is neither tag nor digest.  ERR_USAGE. */
bool reference_parse(struct slice text, struct reference *r, struct err *e) MUST_CHECK;

/* Whether it is a tag: 1 to 128 letters, digits, "_", "." and "-", the last two not first. */
bool reference_is_tag(struct slice s);

/* "host/path:tag@digest", only with what is there, into out, which is returned. */
const char *reference_text(const struct reference *r, char out[REFERENCE_TEXT_MAX]);

/* What the registry is asked for in a URL: "sha256:…" when there is a digest (REF-05), else the
 * tag. */
const char *reference_ask(const struct reference *r, char out[REFERENCE_TAG_MAX + 1]);

/* The host that answers for r->host: docker.io is registry-1.docker.io (REF-03). */
const char *reference_api_host(const char *host);

/* Where a bundle goes: "HOST[:PORT][/PREFIX]". */
struct target {
	char host[REFERENCE_HOST_MAX + 1];
	char
	    prefix[REFERENCE_PATH_MAX + 1]; /* "" or "apps/team", without slashes at the ends */
};

/* Parses a target; a scheme, a tag or upper case in the prefix is ERR_USAGE with a hint. */
bool target_parse(const char *text, struct target *t, struct err *e) MUST_CHECK;

/* "host/prefix" or "host" into out, which is returned. */
const char *target_text(const struct target *t, char out[REFERENCE_TEXT_MAX]);

/* The same image at a target: host replaced, prefix before the whole source path, tag and
 * digest kept (VALUES 1.4, REF-11).  ERR_LIMIT when the name gets longer than registries take.
 */
bool reference_rehome(const struct reference *from, const struct target *to,
    struct reference *out, struct err *e) MUST_CHECK;
