/*
 * Where charts come from: a classic repository (index.yaml, PROTOCOL 14) or an OCI registry
 * (15).
 */
#pragma once

#include "manifests/chart.h"
#include "manifests/image.h"
#include "registry/registry.h"

/* A chart as it was found. */
struct chart_found {
	struct buf
	    tgz; /* the chart's bytes, verified against what the index or manifest says */
	struct chart *chart; /* of them */
	struct image *image; /* its OCI manifest when it came from a registry, else NULL */
	struct buf config;   /* with it, its config blob */
	struct buf *more;    /* with it, all other layers; else its provenance file, if any */
	size_t more_count;
	char *source; /* the URL or oci:// reference it came from, by its recorded name */
};
void chart_found_drop(struct chart_found *c);

/* A chart as it is asked for: repo "oci://…" or "https://…" with name and version; or repo NULL
 * and name a whole "oci://…:tag" or "https://….tgz".  version is one, or a range; NULL: the
 * highest stable one. */
struct chart_wanted {
	const char *repo;
	const char *name;
	const char *version;
	bool pass_credentials; /* the repository's login goes to other hosts, too (HLM-03) */
	bool require_prov;     /* a chart without a provenance file is an error (HLM-16) */
	bool any_digest; /* another digest than the index's is told, not refused (HLM-10) */
};

/* Fetches a chart.  Credentials go to the repository's own origin only (HLM-03).  ERR_MISSING
 * names the version and those that are there. */
bool chartrepo_pull(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e) MUST_CHECK;
