/*
 * What a host warns of along with its answers, each told once in a run (PROTOCOL RTY-07,
 * RTY-09).
 */
#pragma once

#include "manifests/watch.h"
#include "registry/answer.h"

#include <pthread.h>

enum { WARNINGS_MOST = 32 }; /* of one host that are told */

/* What one host has said already; begins by warnings_init. */
struct warnings {
	pthread_mutex_t lock;
	uint64_t told[WARNINGS_MOST]; /* hashes of texts */
	size_t count;
	bool low;      /* that few requests are left was told */
	bool counted;  /* the host counts requests; then left is set */
	uint64_t left; /* as it said last */
};
void warnings_init(struct warnings *w);
void warnings_drop(struct warnings *w);

/* How many requests the host said are left; false when it does not count them. */
bool warnings_left(struct warnings *w, uint64_t *left);

/* Tells what is new in an answer's Warning headers, and once when few requests are left of
 * those that the host counts (RTY-09, MAN-13). */
void warnings_tell(
    struct warnings *w, const struct http_answer *a, const char *host, struct watch *watch);
