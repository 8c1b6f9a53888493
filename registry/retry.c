#include "registry/retry.h"

#include "base/clock.h"
#include "base/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

enum {
	STEP_MS = 50, /* a stop request is seen within this */
	RETRY_AFTER_LEAST_MS = 1000,
};

bool retry_status(long status)
{
	switch (status) {
	case 408:
	case 425:
	case 429:
	case 499:
	case 500:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return status >= 520 && status <= 524;
	}
}

static uint64_t clamp(uint64_t seconds, uint64_t most_ms)
{
	if (!seconds)
		return RETRY_AFTER_LEAST_MS;
	return seconds < most_ms / 1000 ? seconds * 1000 : most_ms;
}

bool retry_after(const char *text, const char *date, uint64_t most_ms, uint64_t *ms)
{
	uint64_t seconds = 0;
	int64_t until = 0;
	int64_t now = 0;

	if (!text)
		return false;
	if (slice_u64(slice_trim(slice_of(text)), UINT64_MAX, &seconds)) {
		*ms = clamp(seconds, most_ms);
		return true;
	}
	if (!date || !http_date(text, &until) || !http_date(date, &now) || until <= now)
		return false;
	*ms = clamp((uint64_t)(until - now), most_ms);
	return true;
}

uint64_t retry_backoff(unsigned base_ms, unsigned failed, uint32_t random)
{
	uint64_t most = base_ms ? base_ms : RETRY_BASE_MS;

	for (unsigned i = 1; i < failed && most < RETRY_MOST_MS; i++)
		most *= 2;
	if (most > RETRY_MOST_MS)
		most = RETRY_MOST_MS;
	return most - most / 2 + random % (most / 2 + 1);
}

static bool wait_ms(uint64_t ms)
{
	while (ms && !stop_requested()) {
		const uint64_t step = ms < STEP_MS ? ms : STEP_MS;
		const struct timespec pause = {.tv_nsec = (long)step * 1000000};
		(void)nanosleep(&pause, NULL);
		ms -= step;
	}
	return !stop_requested();
}

bool pause_wait(struct pause *p, struct err *e)
{
	const uint64_t until = atomic_load(&p->until_ms);
	const uint64_t now = clock_ms();

	return until <= now || wait_ms(until - now) || stop_check(e);
}

static void pause_extend(struct pause *p, uint64_t until)
{
	uint64_t was = atomic_load(&p->until_ms);

	while (was < until && !atomic_compare_exchange_weak(&p->until_ms, &was, until))
		;
}

/* The wait before the next attempt.  What a host asks for by name holds for all workers, and so
 * does the back-off after 429. */
static uint64_t next_wait(const struct retry *r, const struct http_answer *a)
{
	uint32_t random = 0;
	uint64_t ms = 0;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
		random = UINT32_MAX / 2;
	const uint64_t most = r->policy->after_most_ms;
	const bool asked =
	    a && retry_after(a->retry_after, a->date, most ? most : RETRY_AFTER_MOST_MS, &ms);
	if (!asked)
		ms = retry_backoff(r->policy->base_ms, r->failed, random);
	if (r->pause && a && (asked || a->status == 429))
		pause_extend(r->pause, clock_ms() + ms);
	return ms;
}

/* Whether a wait still fits into the time that one thing may take. */
static bool in_time(struct retry *r, uint64_t ms)
{
	const uint64_t now = clock_ms();
	const uint64_t total = r->policy->total_ms ? r->policy->total_ms : RETRY_TOTAL_MS;

	if (r->failed == 1)
		r->since_ms = now;
	return now - r->since_ms + ms <= total;
}

/* Some registries answer 500 to what they will never take (RTY-05); other faults of the 5xx
 * kind come and go with a proxy. */
static bool is_last_word(struct retry *r, const struct http_answer *a)
{
	r->faults = a && a->status == 500 ? r->faults + 1 : 0;
	return r->faults == RETRY_FAULTS;
}

bool retry_again(struct retry *r, const struct http_answer *a, struct err *e)
{
	if (stop_requested())
		return stop_check(e);
	if (is_last_word(r, a))
		return err_in(e, "the same answer %d times", RETRY_FAULTS);
	if (r->failed >= r->policy->retries)
		return false;
	r->failed++;
	const uint64_t ms = next_wait(r, a);
	if (!in_time(r, ms))
		return false;
	char text[sizeof(e->text) + 64];
	(void)snprintf(text, sizeof(text), "%s; attempt %u of %u in %" PRIu64 ".%" PRIu64 " s",
	    e->text, r->failed + 1, r->policy->retries + 1, ms / 1000, ms % 1000 / 100);
	watch_tell(r->policy->watch, &(struct news){.kind = NEWS_RETRY, .text = text});
	if (!wait_ms(ms))
		return stop_check(e);
	err_clear(e);
	return true;
}
