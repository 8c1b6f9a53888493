/*
 * When to try again, and after how long: exponential back-off with jitter, Retry-After where
 * the registry says one (PROTOCOL 12, RTY-01, RTY-02).  Pure, but for retry_again, which waits.
 */
#pragma once

#include "manifests/watch.h"
#include "registry/http.h"

enum {
	RETRY_BASE_MS = 500,
	RETRY_MOST_MS = 30 * 1000,	     /* of the back-off */
	RETRY_AFTER_MOST_MS = 5 * 60 * 1000, /* of what a registry may ask for */
};

struct retry_policy {
	unsigned retries; /* attempts after the first */
	unsigned base_ms; /* 0: the default */
	struct watch *watch;
};

/* One thing that is tried: begins all zero but for its policy. */
struct retry {
	const struct retry_policy *policy;
	unsigned failed; /* attempts so far */
};

/* Whether a status says that the same request may do better later. */
bool retry_status(long status);

/* The wait that a Retry-After header asks for: seconds, or a date relative to the answer's own
 * Date; clamped to [1 s, RETRY_AFTER_MOST_MS].  False for anything else. */
bool retry_after(const char *text, const char *date, uint64_t *ms);

/* The wait after the failed-th failure (from 1): base doubled each time up to the ceiling, of
 * which the upper half is chosen by random. */
uint64_t retry_backoff(unsigned base_ms, unsigned failed, uint32_t random);

/* After a failure that *e describes: tells, waits and is true when another attempt is due (*e
 * is cleared); false when there were enough or a stop was requested.  a may be NULL. */
bool retry_again(struct retry *r, const struct http_answer *a, struct err *e);
