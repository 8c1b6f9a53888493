/*
 * The inside of a delivery, for the two files that share it: delivery.c decides what goes where
 * and looks at the destination, carry.c brings it.
 */
#pragma once

#include "cmd/delivery.h"
#include "cmd/tree.h"

#include <pthread.h>

enum parcel_state {
	PARCEL_WAITING,
	PARCEL_THERE, /* the tag names this digest already: nothing is asked any more (PSH-07)
		       */
	PARCEL_DELIVERED, /* by this run */
};

/* One thing that gets a name at the destination: an image or a chart. */
struct parcel {
	struct reference to;
	struct descriptor top; /* media_type is the inventory's */
	struct tree tree;
	enum parcel_state state;
	struct err error;  /* of the preflight */
	struct digest old; /* what the tag named before, when has_old */
	bool has_old;
	size_t repository; /* the first parcel with the same path */
	size_t waiting;	   /* blobs that are not there yet; under the lock */
};

/* One blob into one repository, for one parcel or several. */
struct job {
	size_t repository;
	size_t member;
	size_t *parcels;
	size_t parcel_count;
};

struct delivery {
	const struct reader *reader;
	struct parcel *parcels;
	size_t parcel_count;
	struct job *jobs;
	size_t job_count;
	pthread_mutex_t lock;
	bool changed; /* something was brought; under the lock */
};

/* What the workers of one phase share. */
struct phase {
	struct delivery *delivery;
	struct network *network;
	struct watch *watch;
	enum existing_tag existing;
};

/* The repository of a parcel, as one worker sees it. */
bool parcel_repository(const struct phase *ph, size_t worker, const struct parcel *p,
    struct repository *at, struct err *e) MUST_CHECK;
