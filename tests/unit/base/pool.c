#include "base/pool.h"
#include "base/stop.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

enum { JOBS = 1000 };

struct count {
	atomic_int done[JOBS];
	atomic_int began;
	atomic_size_t highest_worker;
	size_t fail_at; /* JOBS: never */
	size_t stop_at;
};

static bool work(void *context, size_t worker, size_t job, struct err *e)
{
	struct count *c = context;
	size_t highest = atomic_load(&c->highest_worker);

	while (worker > highest
	       && !atomic_compare_exchange_weak(&c->highest_worker, &highest, worker))
		;
	atomic_fetch_add(&c->began, 1);
	if (job == c->stop_at)
		stop_request();
	while (job > c->stop_at && !stop_requested())
		(void)sched_yield();
	if (job >= c->fail_at)
		return err_set(e, ERR_DAMAGED, "job %zu", job);
	atomic_fetch_add(&c->done[job], 1);
	return true;
}

static bool run(struct count *c, size_t workers, size_t jobs, struct err *e)
{
	const struct pool pool = {.workers = workers, .jobs = jobs, .work = work, .context = c};

	return pool_run(&pool, e);
}

Test(pool, every_job_is_done_once)
{
	static const size_t workers[] = {1, 2, 4, 16};

	for (size_t i = 0; i < sizeof(workers) / sizeof(workers[0]); i++) {
		struct count c = {.fail_at = JOBS, .stop_at = JOBS};
		struct err e = {0};

		cr_assert(run(&c, workers[i], JOBS, &e), "%s", e.text);
		for (size_t job = 0; job < JOBS; job++)
			cr_assert_eq(c.done[job], 1, "job %zu of %zu workers", job, workers[i]);
		cr_assert_lt(c.highest_worker, workers[i]);
	}
}

Test(pool, no_job_is_no_failure)
{
	struct count c = {.fail_at = JOBS, .stop_at = JOBS};
	struct err e = {0};

	cr_assert(run(&c, 4, 0, &e));
	cr_assert_eq(c.began, 0);
}

Test(pool, a_failure_ends_the_handing_out)
{
	for (size_t workers = 1; workers <= 8; workers *= 2) {
		struct count c = {.fail_at = 10, .stop_at = JOBS};
		struct err e = {0};

		cr_assert_not(run(&c, workers, JOBS, &e));
		cr_assert_eq(e.kind, ERR_DAMAGED);
		cr_assert_geq(c.began, 11);
		cr_assert_leq((size_t)c.began, 10 + workers);
	}
}

Test(pool, a_request_to_stop_ends_the_handing_out)
{
	struct count c = {.fail_at = JOBS, .stop_at = 5};
	struct err e = {0};

	cr_assert_not(run(&c, 4, JOBS, &e));
	cr_assert_eq(e.kind, ERR_STOPPED);
	cr_assert_leq(c.began, 5 + 4);
}
