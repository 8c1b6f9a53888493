/*
 * Image documents: a manifest or an index, its bytes kept as they came (RULE-1) and its
 * descriptors listed.  PROTOCOL section 7 (MAN-*).
 */
#pragma once

#include "manifests/digest.h"
#include "manifests/platform.h"

enum {
	IMAGE_DOCUMENT_MAX = 8 * 1024 * 1024, /* bytes of one manifest or index */
	IMAGE_CHILDREN_MAX = 4096,	      /* descriptors in one document */
};

enum image_kind {
	IMAGE_MANIFEST, /* parts[0] is the config, then the layers in order */
	IMAGE_INDEX,	/* parts are child manifests or indexes */
};

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

struct image_part {
	struct descriptor descriptor; /* media_type points into the image */
	bool has_platform;	      /* of a child in an index */
	struct platform platform;
	bool attestation; /* unknown/unknown or vnd.docker.reference.*: never selected (PLT-05)
			   */
	bool foreign;	  /* has urls; they are never followed (DL-16) */
};

struct image {
	enum image_kind kind;
	struct descriptor self; /* of raw; media_type owned below */
	char *media_type; /* as the wire or the document says it; the PUT needs exactly this */
	struct buf raw;	  /* exactly the bytes that came */
	struct image_part *parts;
	size_t count;
	bool has_subject; /* it says what it refers to (RFR-04) */
	struct digest subject;
	const char *artifact_type; /* its own, else its config's, else "" */
	char **media_types;	   /* owned texts that the parts point to */
};

/* Reads a document, taking raw (emptied).  content_type is the wire's or the parent's, or NULL
 * (MAN-03 decides between it and the document).  ERR_FORMAT, ERR_LIMIT; schema 1 and ambiguous
 * documents (MAN-02, MAN-04) are refused. */
bool image_parse_take(
    struct buf *raw, const char *content_type, struct image **out, struct err *e) MUST_CHECK;

/* Whether a document says its media type itself; of one that does not, the wire's word counts.
 */
bool image_names_type(struct slice raw);
void image_free(struct image *image);
void image_drop(struct image **image);

/* The value of "annotations" as it stands in the document; empty when it is no object. */
struct slice image_annotations(const struct image *image);

/* The addresses that a foreign part of the document names, each with a blank before it; for
 * people, who may go there (DL-16). */
void image_part_urls(const struct image *image, const struct digest *part, struct buf *out);

/* The child of an index that serves the platform best, first among equals (PLT-03); ERR_MISSING
 * with the list of platforms that are there (PLT-07). */
bool image_select(const struct image *index, const struct platform *want, size_t *child,
    struct err *e) MUST_CHECK;

/* os and architecture out of an image config document; false when it says none (PLT-06). */
bool image_config_platform(struct slice config, struct platform *p);

/* Whether a media type is one of the two index types, or of the two manifest types. */
bool image_type_is_index(const char *media_type);
bool image_type_is_manifest(const char *media_type);
