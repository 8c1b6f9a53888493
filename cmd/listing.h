/*
 * From what was resolved to what is signed: the members of the bundle in their order, and the
 * inventory that describes them.  BUNDLE.md 1.2, 1.3.
 */
#pragma once

#include "bundle/foreign.h"
#include "cmd/resolve.h"
#include "cmd/tree.h"
#include "manifests/chart.h"
#include "registry/chartrepo.h"

/* What refers to an image, and how it was found. */
struct resolved_referrer {
	struct tree tree;
	char *via;
};

/* One image as the network gave it. */
struct resolved_image {
	struct reference ref;
	struct digest source; /* what the tag named */
	struct tree tree;
	struct buf config; /* of a single manifest: its platform stands there */
	struct resolved_referrer *referrers; /* each after what it refers to */
	size_t referrer_count;
	struct err error;
};

struct resolved_chart {
	struct chart_found found;
	struct buf config; /* the OCI config and manifest that the chart travels with */
	struct buf manifest;
	struct descriptor tgz;
};

struct resolved {
	struct resolved_image *images;
	size_t image_count;
	struct resolved_chart *charts;
	size_t chart_count;
	struct buf release;
	struct buf foreign[FIXED_MEMBERS];
};

/* Fills the plan's inventory, its bytes and its members from plan->resolved; the request's
 * files are hashed. */
bool plan_list(struct plan *plan, const struct request *request, uint64_t created,
    struct err *e) MUST_CHECK;

void resolved_free(struct resolved *r);
