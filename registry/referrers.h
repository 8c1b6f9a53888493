/*
 * What refers to a document: signatures, attestations, SBOMs.  Found by the registry's own
 * list, by the fallback tag where it has none, and by the tags that cosign gives; and listed
 * again where they are brought.  PROTOCOL section 10 (RFR-*).
 */
#pragma once

#include "manifests/image.h"
#include "registry/tags.h"

enum {
	REFERRERS_MAX = 1024, /* of one document */
	REFERRERS_DEPTH = 3,  /* a signature of an SBOM of an image is the second (RFR-08) */
};

/* One of them: its top document, and how it was found: "api", or "tag:" and the tag. */
struct referrer {
	struct image *image;
	char *via;
};

struct referrers {
	struct referrer *items;
	size_t count;
};
void referrers_drop(struct referrers *r);

/* All that refers to subject, sorted by digest.  tags is the repository's list, or NULL when
 * it is not known: then each tag that could be there is asked for.  What is listed and does not
 * refer to subject, or is not there, is told to the watch and left out (RFR-04). */
bool referrers_find(const struct repository *at, const struct digest *subject,
    const struct tags *tags, struct referrers *out, struct err *e) MUST_CHECK;

/* The tag of the fallback list of subject: "sha256-…". */
const char *referrers_tag(const struct digest *subject, char out[DIGEST_TEXT]);

/* Documents of one subject, as they stand at the repository. */
struct referrers_of {
	const struct digest *subject;
	const struct image *const *documents;
	size_t count;
};

/* Whether the repository lists all of them, in its own list or in the fallback tag's. */
bool referrers_listed(const struct repository *at, const struct referrers_of *these, bool *all,
    struct err *e) MUST_CHECK;

/* Makes sure that it does (RFR-05): where the registry has no list of its own, they are added
 * to the fallback tag's. */
bool referrers_list(
    const struct repository *at, const struct referrers_of *these, struct err *e) MUST_CHECK;
