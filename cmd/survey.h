/*
 * What a push would meet and bring, learnt without pushing anything: every problem at once.
 */
#pragma once

#include "cmd/delivery.h"

/* What one repository of the destination has, and lacks. */
struct survey_place {
	const char *path; /* borrowed from the delivery */
	size_t parcel;	  /* the first that lacks something there */
	size_t blobs;
	size_t there;
	uint64_t missing; /* bytes */
};

struct survey {
	struct survey_place *places;
	size_t count;
	uint64_t missing; /* bytes, of all */
};

/* Asks for every name, opens an upload in every repository that something would be pushed to,
 * and asks for every blob.  Each problem is told to watch; *e is the first. */
bool survey_take(struct delivery *d, struct network *network, struct watch *watch,
    struct survey *out, struct err *e) MUST_CHECK;
void survey_drop(struct survey *s);
