/*
 * N workers over a queue of numbered jobs.  Jobs are handed out in order; the first failure (or
 * stop_request) ends the handing out, jobs that run finish, and the first failure is the
 * result.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct pool {
	size_t workers; /* at least 1 */
	size_t jobs;
	/* Does one job on one worker (0 <= worker < workers); called from many threads. */
	bool (*work)(void *context, size_t worker, size_t job, struct err *e);
	void *context;
};

/* Runs every job; one thread a worker, none when there is one worker or one job. */
bool pool_run(const struct pool *p, struct err *e) MUST_CHECK;
