/*
 * The content of a verified bundle into a registry: what gets which name, what is there
 * already, then one queue of blobs in image order.  The worker that brings an image's last blob
 * puts its manifests, the tag last (PROTOCOL PSH-01, PSH-02).
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/network.h"
#include "cmd/progress.h"

#include <stdio.h>

enum existing_tag {
	EXISTING_ERROR, /* a tag that names another digest stops the push before it begins */
	EXISTING_OVERWRITE, /* the old digest gets a tag of its own first (PSH-22) */
};

/* What --on-existing-tag says; NULL is the default.  ERR_USAGE. */
bool delivery_existing(const char *text, enum existing_tag *existing, struct err *e) MUST_CHECK;

struct delivery;

/* Decides every destination name; asks nothing of the network.  Two digests under one name, or
 * a name that registries refuse, is an error. */
bool delivery_plan(const struct reader *reader, const struct target *target,
    struct delivery **out, struct err *e) MUST_CHECK;

/* Asks the destination whether it is a registry and what its tags name now; all conflicts in
 * one list. */
bool delivery_preflight(struct delivery *d, struct network *network, enum existing_tag existing,
    struct watch *watch, struct err *e) MUST_CHECK;

/* Brings what is missing.  ERR_PARTIAL when something was done and a second run may do the
 * rest. */
bool delivery_run(struct delivery *d, struct network *network, struct progress *progress,
    struct err *e) MUST_CHECK;

/* The table "destination reference -> digest", or the result as JSON.  Always true. */
bool delivery_print(const struct delivery *d, bool json, FILE *out);

void delivery_free(struct delivery *d);
void delivery_drop(struct delivery **d);
