/*
 * A Helm chart: a .tgz read in memory and never extracted, and the OCI manifest and config it
 * travels with.  The one file that meets libarchive.  PROTOCOL sections 14, 15.
 */
#pragma once

#include "manifests/digest.h"

enum {
	CHART_TGZ_MAX = 8 * 1024 * 1024, /* bytes of a .tgz, which is held in memory */
	CHART_SUBS_MAX = 256,		 /* charts inside a chart, at any depth */
	CHART_DEPTH_MAX = 4,		 /* archives inside one another */
};

#define MEDIA_CHART_CONFIG "application/vnd.cncf.helm.config.v1+json"
#define MEDIA_CHART_CONTENT "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

/* A chart that stands in another's charts/ folder, as a folder or as a .tgz. */
struct chart_sub {
	char *path;  /* of its folder or archive, below the outer chart: "charts/redis" */
	bool direct; /* right in the outer chart, not in one of its subcharts */
	struct buf metadata; /* its Chart.yaml */
};

struct chart {
	char *name;
	char *version;
	char *app_version;	 /* NULL when Chart.yaml has none */
	struct buf metadata;	 /* Chart.yaml */
	struct buf values;	 /* values.yaml; empty when there is none */
	struct buf requirements; /* requirements.yaml of an old chart */
	struct chart_sub *subs;
	size_t sub_count;
};

/* Reads a .tgz within Helm's own limits (HLM-20, BUNDLE threat 9 and 10).  ERR_FORMAT says what
 * came instead of a chart (HTML, JSON, nothing; HLM-13). */
bool chart_read(struct slice tgz, struct chart **out, struct err *e) MUST_CHECK;
void chart_free(struct chart *c);
void chart_drop(struct chart **c);

/* The config and the manifest that make the .tgz an OCI artifact: deterministic bytes (HOC-05).
 * tgz is the descriptor of the .tgz, prov that of its provenance file, or NULL; config and
 * manifest are empty and have their ceilings. */
bool chart_oci(const struct chart *c, const struct descriptor *tgz,
    const struct descriptor *prov, struct buf *config, struct buf *manifest,
    struct err *e) MUST_CHECK;

/* The tag of a chart's version: "+" is "_" (HOC-03); into out, which is returned. */
const char *chart_tag(const char *version, char out[129]);
