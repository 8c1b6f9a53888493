/*
 * The inventory: what is in a bundle, as the exact bytes that are signed, and read back into a
 * validated struct.  BUNDLE.md 1.3.
 */
#pragma once

#include "base/date.h"
#include "bundle/format.h"
#include "manifests/digest.h"
#include "manifests/digestmap.h"

/* The members with fixed names, which come first and in this order. */
enum {
	MEMBER_README,
	MEMBER_SUMS,
	MEMBER_OCI_LAYOUT,
	MEMBER_OCI_INDEX,
	MEMBER_DOCKER,
	FIXED_MEMBERS,
};

/* The name of fixed member i: "README-VERIFY.txt", … */
const char *member_fixed_name(size_t i);

/* One member after the signature area.  name is NULL for a blob, whose path is its digest. */
struct member {
	const char *name; /* one of the fixed names, static; or NULL */
	uint64_t size;
	struct digest digest;
};

/* What refers to an image and travels with it: a signature, an attestation. */
struct bundle_referrer {
	struct digest digest;
	char *media_type;
	char *artifact_type;
	char *via; /* "api", or "tag:" and the tag it stands under */
};

struct bundle_image {
	char *ref;		     /* as recorded: registry.immuta.com/memcached:1.6-alpine */
	struct digest digest;	     /* what is pushed */
	struct digest source_digest; /* what the tag named */
	uint64_t size;
	char *media_type;
	char **platforms;
	size_t platform_count;
	struct digest *blobs; /* every blob it needs, manifests among them, itself not */
	size_t blob_count;
	struct bundle_referrer *referrers; /* each after what it refers to */
	size_t referrer_count;
};

struct bundle_chart {
	char *name;
	char *version;
	struct digest blob;	    /* the .tgz */
	struct descriptor manifest; /* its OCI manifest; media_type owned */
	char *source;
};

/* What whoever made the bundle says of it: a change's number, a ticket.  names.h */
struct bundle_label {
	char *key;
	char *value;
};

/* What travels beside the images: starter values, scripts, drivers. */
struct bundle_file {
	char *name; /* names.h */
	struct digest blob;
	uint64_t size;
	char *media_type;
};

struct inventory {
	char *name;
	char *channel;
	char *version;
	uint64_t sequence;
	uint64_t created;	     /* seconds since 1970, written as RFC 3339 */
	uint64_t expires;	     /* seconds since 1970; 0: never */
	struct bundle_label *labels; /* sorted by key */
	size_t label_count;
	char *tool;	       /* "sealift/1.0.0" */
	struct digest release; /* the release document's blob */
	struct bundle_chart *charts;
	size_t chart_count;
	struct bundle_image *images;
	size_t image_count;
	struct bundle_file *files; /* sorted by name */
	size_t file_count;
	struct member *members;
	size_t member_count;
	uint64_t total;		  /* bytes of the whole file */
	bool newer;		  /* it requires what this version does not know */
	struct digest_map *index; /* of the first indexed members, by digest */
	size_t indexed;
};

struct inventory *inventory_new(void);
void inventory_free(struct inventory *inv);
void inventory_drop(struct inventory **inv);

/* The exact bytes; inv->total is computed and set (it is part of them). */
bool inventory_write(struct inventory *inv, struct buf *out, struct err *e) MUST_CHECK;

/* Reads bytes whose signature holds.  Every rule of BUNDLE.md 1.3 is checked (ERR_DAMAGED); a
 * requires that is not known is ERR_FORMAT and says which version knows it. */
bool inventory_read(struct slice bytes, struct inventory **out, struct err *e) MUST_CHECK;

/* Makes inventory_find fast for the members there are; false when one blob stands there twice.
 */
bool inventory_index(struct inventory *inv) MUST_CHECK;

/* The member that holds a digest as a blob; member_count when none does. */
size_t inventory_find(const struct inventory *inv, const struct digest *d);

enum { MEMBER_PATH = 101 }; /* the longest name in a tar header, and NUL */

/* The path of a member into out, which is returned. */
const char *member_path(const struct member *m, char out[MEMBER_PATH]);
