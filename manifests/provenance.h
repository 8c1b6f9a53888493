/*
 * A chart's provenance file, NAME-VERSION.tgz.prov: text that PGP signs, with the chart's
 * digest in it.  The digest is checked here, the signature by whoever has the key (PROTOCOL
 * HLM-17).
 */
#pragma once

#include "manifests/digest.h"

enum {
	PROVENANCE_MAX = 1024 * 1024, /* bytes of the file */
};

#define MEDIA_CHART_PROVENANCE "application/vnd.cncf.helm.chart.provenance.v1.prov"

/* Whether it begins as such a file does. */
bool provenance_is(struct slice text);

/* ERR_DAMAGED unless it says of the file of that name that it has that digest. */
bool provenance_check(
    struct slice text, const char *file, const struct digest *digest, struct err *e) MUST_CHECK;
