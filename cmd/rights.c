#include "cmd/rights.h"

#include "base/own.h"
#include "base/pool.h"
#include "base/stop.h"
#include "cmd/errors.h"
#include "registry/requests.h"

#include <inttypes.h>

enum {
	TRIAL_MOST = 8 * 1024 * 1024, /* bytes of a blob that may go first */
	TRIALS = 3, /* of one repository: what is there already shows no right */
};

/* --- By asking --- */

bool parcel_is_silent(const struct parcel *p)
{
	return p->error.kind == ERR_DENIED || p->error.kind == ERR_NETWORK;
}

/* The first parcel of a repository that lacks something, and answered. */
static bool stands_for(const struct delivery *d, size_t parcel)
{
	const struct parcel *p = &d->parcels[parcel];

	if (p->state != PARCEL_WAITING || parcel_is_silent(p))
		return false;
	for (size_t i = p->repository; i < parcel; i++)
		if (d->parcels[i].repository == p->repository
		    && d->parcels[i].state == PARCEL_WAITING
		    && !parcel_is_silent(&d->parcels[i]))
			return false;
	return true;
}

static bool ask_job(void *context, size_t worker, size_t job, struct err *e)
{
	const struct phase *ph = context;
	struct parcel *p = &ph->delivery->parcels[job];
	struct repository at;

	if (!stands_for(ph->delivery, job))
		return stop_check(e);
	p->opened =
	    parcel_repository(ph, worker, p, &at, &p->barred) && upload_try(&at, &p->barred);
	if (!p->opened)
		(void)err_in(&p->barred, "%s", p->to.path);
	return stop_check(e);
}

static void tell_opened(const struct phase *ph)
{
	size_t opened = 0;

	for (size_t i = 0; i < ph->delivery->parcel_count; i++)
		opened += ph->delivery->parcels[i].opened;
	if (opened)
		watch_warn(ph->watch,
		    "%zu empty upload%s opened to learn what may be pushed; the registry "
		    "purges "
		    "what stays of that",
		    opened, opened == 1 ? " was" : "s were");
}

bool rights_ask(struct phase *ph, struct err *e)
{
	const bool ok = pool_run(
	    &(struct pool){ph->network->jobs, ph->delivery->parcel_count, ask_job, ph}, e);

	tell_opened(ph);
	return ok;
}

/* --- By the first upload --- */

struct trials {
	struct phase *phase;
	struct chains chains;
	bool (*attempt)(
	    const struct trials *t, size_t worker, size_t repository, struct err *e);
};

/* The next blob of a repository that may go before the others, from job *next on. */
static struct job *next_trial(struct delivery *d, size_t repository, size_t *next)
{
	for (; *next < d->job_count; (*next)++) {
		struct job *job = &d->jobs[*next];
		if (job->repository == repository && !job->done
		    && reader_inventory(d->reader)->members[job->member].size <= TRIAL_MOST)
			return job;
	}
	return NULL;
}

static bool bring(const struct trials *t, size_t worker, struct job *job,
    const struct job *from, struct err *e)
{
	const struct delivery *d = t->phase->delivery;
	OWNED(member_source_drop) struct member_source source = {0};

	return (reader_member(d->reader, job->member, &source, e)
		   && carry_blob(t->phase, worker, job, &source.verify.source, from, e))
	       || err_in(e, "%s", d->parcels[job->repository].to.path);
}

/* Where a repository lacks what no other brings. */
static bool try_own(const struct trials *t, size_t worker, size_t repository, struct err *e)
{
	struct delivery *d = t->phase->delivery;
	struct job *job;
	size_t next = 0;

	for (int i = 0; i < TRIALS && (job = next_trial(d, repository, &next));) {
		if (&d->jobs[t->chains.first[job->member]] != job) {
			next++;
			continue;
		}
		if (!bring(t, worker, job, NULL, e))
			return false;
		if (job->outcome != UPLOAD_EXISTS)
			break;
		i++;
	}
	return true;
}

/* Where it lacks only what another brings, and can be mounted from there (UPL-25). */
static bool try_shared(const struct trials *t, size_t worker, size_t repository, struct err *e)
{
	struct delivery *d = t->phase->delivery;
	size_t next = 0;
	struct job *job = next_trial(d, repository, &next);

	for (size_t i = 0; i < d->job_count; i++)
		if (d->jobs[i].repository == repository && d->jobs[i].done)
			return true;
	if (!job)
		return true;
	struct job *from = &d->jobs[t->chains.first[job->member]];
	if (d->parcels[from->repository].barred.kind)
		from = NULL;
	return (!from || from->done || bring(t, worker, from, NULL, e))
	       && bring(t, worker, job, from, e);
}

static bool try_job(void *context, size_t worker, size_t job, struct err *e)
{
	const struct trials *t = context;
	struct parcel *p = &t->phase->delivery->parcels[job];
	struct err found = {0};

	/* What the making of a repository came to stands in its error already. */
	if (p->repository == job && !p->barred.kind && !t->attempt(t, worker, job, &found)
	    && !p->error.kind)
		p->barred = found;
	return stop_check(e);
}

/* What is shared goes by one worker: two could bring the same. */
bool rights_try(struct phase *ph, struct err *e)
{
	struct delivery *d = ph->delivery;
	struct trials t = {.phase = ph, .attempt = try_own};

	chain_jobs(d, &t.chains);
	bool ok = pool_run(&(struct pool){ph->network->jobs, d->parcel_count, try_job, &t}, e);
	t.attempt = try_shared;
	ok = ok && pool_run(&(struct pool){1, d->parcel_count, try_job, &t}, e);
	chains_drop(&t.chains);
	return ok && rights_join(d, ph->watch, e);
}

/* --- Both in one list --- */

/* HEAD, POST and PUT of each blob; each manifest, and what reads its tag. */
static uint64_t requests_needed(const struct delivery *d)
{
	uint64_t needed = 3 * (uint64_t)d->job_count;

	for (size_t i = 0; i < d->parcel_count; i++)
		if (d->parcels[i].state == PARCEL_WAITING)
			needed += d->parcels[i].tree.count + 1;
	return needed;
}

void rights_count(const struct phase *ph)
{
	const struct delivery *d = ph->delivery;
	const uint64_t needed = requests_needed(d);
	struct err ignored = {0};
	struct repository at;
	uint64_t left = 0;

	if (parcel_repository(ph, 0, &d->parcels[0], &at, &ignored)
	    && registry_requests_left(at.registry, &left) && left < needed)
		watch_warn(ph->watch,
		    "%.200s: %" PRIu64 " requests are left, and this push may need %" PRIu64
		    "; where they end it waits as the registry asks, up to --retry-total",
		    registry_host(at.registry), left, needed);
}

bool rights_join(const struct delivery *d, struct watch *watch, struct err *e)
{
	const size_t count = d->parcel_count;
	OWNED(drop_any) struct err *errors = own_array(2 * count, sizeof(*errors));

	for (size_t i = 0; i < count; i++) {
		errors[i] = d->parcels[i].error;
		errors[count + i] = d->parcels[i].barred;
	}
	return errors_join(errors, 2 * count, "things stand against a push", watch, e);
}
