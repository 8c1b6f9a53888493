/*
 * What to carry.  A release file (YAML, docs/sealift-release.5) names the images, the chart and
 * where in the chart's values each image is written; the release document is the same knowledge
 * with every parameter filled, as JSON inside the signed bundle (BUNDLE 1.3).
 */
#pragma once

#include "manifests/digest.h"

/* Texts in order of precedence; owned. */
struct text_list {
	char **items;
	size_t count;
};

/* Where a chart's values say one component's image (VALUES 3.1 "profile").  Paths are dotted; a
 * key that holds a dot is written in double quotes.  "@appVersion" stands for the chart's own.
 */
struct coordinates {
	char *name;		     /* the component: "web" */
	struct text_list whole;	     /* registry/repository[:tag] in one value */
	struct text_list registry;   /* the host, and the prefix a rewrite adds */
	struct text_list repository; /* the path */
	struct text_list tag;	     /* read to know which tag counts; never edited */
	struct text_list digest;
	struct text_list suffix;    /* put behind the tag, with a dash, where it is set */
	struct text_list dead;	    /* looks like a coordinate and has no effect: reported */
	bool registry_empty_counts; /* empty_is_value: [registry]: "" means "no registry", not
				       "unset" */
	bool tag_must_be_semver;
};

/* The digest that a lock holds something to. */
struct pin {
	bool set;
	struct digest digest;
};

/* What a lock lets travel along with an image: a signature, an attestation. */
struct release_referrer {
	struct pin pin;
	char *via; /* "api", or "tag:" and the tag it stood under */
};

struct release_image {
	char *ref;			    /* as written, parameters filled */
	struct pin pin;			    /* what the tag named when the lock was made */
	struct release_referrer *referrers; /* of a lock, each after what it refers to */
	size_t referrer_count;
	struct coordinates *values;
	size_t values_count;
	const char *excluded; /* why it is not pushed; borrowed; NULL: it is */
};

/* A chart as it is asked for. */
struct release_chart {
	char *name; /* NULL when there is no chart */
	char *repo; /* https://…, oci://…, or NULL when name is a whole URL */
	char *version;
	struct pin pin; /* of the .tgz */
};

/* A file carried beside the images. */
struct release_file {
	char *path;
	struct pin pin;
};

struct release {
	char *name;	/* "immuta" */
	char *version;	/* NULL: the chart's or the first tag decides */
	char *platform; /* the one that is carried, or NULL: all */
	char *locked;	/* when the digests were pinned, or NULL: this is no lock */
	struct release_chart *charts;
	size_t chart_count;
	struct release_image *images;
	size_t image_count;
	struct release_file *files; /* not in the release document */
	size_t file_count;
	struct text_list
	    version_keys; /* values keys that pin the release's version: reported when behind */
};

struct parameter {
	const char *name;
	const char *value;
};

/* Reads a release file; what names it in errors.  Unknown keys are refused with line and
 * column, a parameter that is missing or unknown is ERR_USAGE and is named with its
 * description. */
bool release_parse(struct slice yaml, const char *what, const struct parameter *given,
    size_t count, struct release **out, struct err *e) MUST_CHECK;
struct release *release_new(void);
void release_free(struct release *r);
void release_drop(struct release **r);

/* Writes a release as the file that release_parse reads, every parameter filled: a lock, when
 * its pins are set. */
void release_lock_write(const struct release *r, struct buf *out);

/* Adds an image without coordinates (--image, --images) or a chart (--chart) to a release. */
void release_add_image(struct release *r, const char *ref);
void release_add_chart(
    struct release *r, const char *name, const char *repo, const char *version);

/* The release document: canonical JSON, MEDIA_RELEASE. */
#define MEDIA_RELEASE "application/vnd.sealift.release.v1+json"
void release_write(const struct release *r, struct buf *out);
bool release_read(struct slice json, struct release **out, struct err *e) MUST_CHECK;
