/*
 * From what is asked to what will stand in the bundle: every tag resolved once, every manifest
 * and chart fetched, every digest and size known, no layer fetched.
 */
#pragma once

#include "bundle/writer.h"
#include "cmd/network.h"
#include "cmd/request.h"
#include "manifests/image.h"

/* Where the bytes of one member come from. */
struct plan_member {
	struct slice bytes; /* known already; ptr NULL: to be fetched */
	const char *path;   /* to be fetched from this file, the request's; or NULL: */
	size_t image;	    /* from this image's repository */
};

struct plan {
	struct inventory *inventory;
	struct buf bytes;	     /* the inventory as it will be signed */
	struct plan_member *members; /* one for each of inventory->members */
	struct resolved *resolved;   /* owns documents, charts and texts */
};

/* Resolves the request.  created is the time the bundle carries.  begun, when not NULL, is the
 * inventory of an interrupted export: its tags' digests and its time stand.  Every image that
 * cannot be resolved is told to the network's watch before this fails. */
bool resolve(const struct request *request, const struct inventory *begun, uint64_t created,
    struct network *network, struct plan **out, struct err *e) MUST_CHECK;

/* As resolve, for an export: what the writer had begun is finished when it answers the same
 * request; otherwise, and without it, every tag is resolved now. */
bool resolve_or_continue(const struct request *request, const struct writer *writer,
    struct network *network, struct plan **out, struct err *e) MUST_CHECK;
void plan_free(struct plan *p);
void plan_drop(struct plan **p);

/* The repository that member i is fetched from, as one worker sees it. */
bool plan_repository(const struct plan *p, size_t i, struct network *network, size_t worker,
    struct repository *out, struct err *e) MUST_CHECK;

/* The time a bundle made now carries: SOURCE_DATE_EPOCH where it is set. */
bool resolve_time(uint64_t *created, struct err *e) MUST_CHECK;
