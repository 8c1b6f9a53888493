/*
 * When to try again, and after how long: exponential back-off with jitter, Retry-After where
 * the registry says one (PROTOCOL 12, RTY-01, RTY-02).  Pure, but for retry_again, which waits.
 */
#pragma once

#include "manifests/watch.h"
#include "registry/http.h"

#include <stdatomic.h>

enum {
	RETRY_BASE_MS = 500,
	RETRY_MOST_MS = 30 * 1000,	 /* of the back-off */
	RETRY_TOTAL_MS = 30 * 60 * 1000, /* of all attempts at one thing */
	RETRY_FAULTS = 3, /* answers of 500 one after the other are the registry's last word */
	RETRY_AFTER_MOST_MS = 5 * 60 * 1000, /* of what a registry may ask for */
};

struct retry_policy {
	unsigned retries;  /* attempts after the first */
	unsigned base_ms;  /* 0: the default */
	uint64_t total_ms; /* that one thing may be tried again for (RTY-10); 0: the default */
	uint64_t after_most_ms; /* of a Retry-After (RTY-01); 0: the default */
	struct watch *watch;
};

/* A host's wish that nobody asks before then: one worker's 429 is everybody's (RTY-02). */
struct pause {
	_Atomic uint64_t until_ms; /* of clock_ms */
};

/* Waits for its end; false, ERR_STOPPED, when a stop was requested. */
bool pause_wait(struct pause *p, struct err *e) MUST_CHECK;

/* One thing that is tried: begins all zero but for its policy and its host's pause, which may
 * be NULL. */
struct retry {
	const struct retry_policy *policy;
	struct pause *pause;
	unsigned failed;   /* attempts so far */
	unsigned faults;   /* answers of 500 among them, one after the other */
	uint64_t since_ms; /* of the first failure */
};

/* Whether a status says that the same request may do better later. */
bool retry_status(long status);

/* The wait that a Retry-After header asks for: seconds, or a date relative to the answer's own
 * Date; clamped to [1 s, most_ms].  False for anything else. */
bool retry_after(const char *text, const char *date, uint64_t most_ms, uint64_t *ms);

/* The wait after the failed-th failure (from 1): base doubled each time up to the ceiling, of
 * which the upper half is chosen by random. */
uint64_t retry_backoff(unsigned base_ms, unsigned failed, uint32_t random);

/* After a failure that *e describes: tells, waits and is true when another attempt is due (*e
 * is cleared); false when there were enough or a stop was requested.  a may be NULL. */
bool retry_again(struct retry *r, const struct http_answer *a, struct err *e);
