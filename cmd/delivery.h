/*
 * The content of a verified bundle into a registry: what gets which name, what is there
 * already, then one queue of blobs in image order.  The worker that brings an image's last blob
 * puts its manifests, the tag last (PROTOCOL PSH-01, PSH-02).
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/excluded.h"
#include "cmd/network.h"
#include "cmd/options.h"
#include "cmd/progress.h"

#include <stdio.h>

struct delivery_options {
	const char *on_existing_tag;
	struct excluded_options excluded;
	bool no_referrers;
	const char *on_missing_repo;
};
extern const struct option delivery_options[];

struct delivery;

/* Decides what is pushed and every destination name, as the options say, which are borrowed;
 * asks nothing of the network.  Two digests under one name, or
 * a name that registries refuse, is an error. */
bool delivery_plan(const struct reader *reader, const struct target *target,
    const struct delivery_options *o, struct delivery **out, struct err *e) MUST_CHECK;

/* Why each image of the bundle stays behind; NULL for one that goes. */
const char *const *delivery_excluded(const struct delivery *d);

/* Asks the destination whether it is a registry and what its tags name now; all conflicts in
 * one list. */
bool delivery_preflight(
    struct delivery *d, struct network *network, struct watch *watch, struct err *e) MUST_CHECK;

/* Brings what is missing.  ERR_PARTIAL when something was done and a second run may do the
 * rest. */
bool delivery_run(struct delivery *d, struct network *network, struct progress *progress,
    struct err *e) MUST_CHECK;

/* The table "destination reference -> digest", or the result as JSON.  Always true. */
bool delivery_print(const struct delivery *d, bool json, FILE *out);

/* ERR_PARTIAL when all was brought, but what refers to an image could not be listed (RFR-11).
 */
bool delivery_is_whole(const struct delivery *d, struct err *e) MUST_CHECK;

void delivery_free(struct delivery *d);
void delivery_drop(struct delivery **d);
