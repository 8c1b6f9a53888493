#include "cmd/survey.h"

#include "base/own.h"
#include "base/pool.h"
#include "base/stop.h"
#include "cmd/rights.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOWHERE SIZE_MAX

/* What the workers share. */
struct surveying {
	struct phase phase;
	struct survey *out;
	size_t *place_of; /* of each parcel: the place of its repository, or NOWHERE */
};

/* One place for each repository that lacks something. */
static void list_places(struct surveying *s)
{
	const struct delivery *d = s->phase.delivery;

	s->place_of = own_array(d->parcel_count, sizeof(*s->place_of));
	s->out->places = own_array(d->parcel_count, sizeof(*s->out->places));
	for (size_t i = 0; i < d->parcel_count; i++) {
		const struct parcel *p = &d->parcels[i];
		size_t at = 0;

		s->place_of[i] = NOWHERE;
		if (p->state != PARCEL_WAITING || parcel_is_silent(p))
			continue;
		while (at < s->out->count && strcmp(s->out->places[at].path, p->to.path) != 0)
			at++;
		if (at == s->out->count)
			s->out->places[s->out->count++] =
			    (struct survey_place){.path = p->to.path, .parcel = i};
		s->place_of[i] = at;
	}
}

static bool repository_of(const struct surveying *s, size_t worker, const char *path,
    struct repository *at, struct err *e)
{
	const struct network *n = s->phase.network;

	return registries_repository(n->registries, n->workers[worker],
	    s->phase.delivery->parcels[0].to.host, path, at, e);
}

/* Adds up what one blob is to its place. */
static void count_blob(struct surveying *s, const struct job *job, uint64_t size, bool has)
{
	struct delivery *d = s->phase.delivery;
	struct survey_place *place = &s->out->places[s->place_of[job->parcels[0]]];

	pthread_mutex_lock(&d->lock);
	place->blobs++;
	place->there += has;
	place->missing += has ? 0 : size;
	s->out->missing += has ? 0 : size;
	pthread_mutex_unlock(&d->lock);
}

static bool ask_job(void *context, size_t worker, size_t i, struct err *e)
{
	struct surveying *s = context;
	const struct delivery *d = s->phase.delivery;
	const struct job *job = &d->jobs[i];
	const struct member *m = &reader_inventory(d->reader)->members[job->member];
	const struct descriptor blob = {.digest = m->digest, .size = m->size};
	const size_t at_place = s->place_of[job->parcels[0]];
	struct repository at;
	bool has = false;

	if (at_place == NOWHERE)
		return true;
	const struct survey_place *place = &s->out->places[at_place];
	if (!d->parcels[place->parcel].barred.kind
	    && (!repository_of(s, worker, place->path, &at, e)
		|| !upload_has(&at, &blob, &has, e)))
		return err_in(e, "%s", place->path);
	count_blob(s, job, blob.size, has);
	return stop_check(e);
}

static bool take(struct surveying *s, struct err *e)
{
	struct delivery *d = s->phase.delivery;
	const size_t jobs = s->phase.network->jobs;

	if (!delivery_look(&s->phase, e))
		return false;
	list_places(s);
	if (!rights_ask(&s->phase, e) || !delivery_list(d, e)
	    || !pool_run(&(struct pool){jobs, d->job_count, ask_job, s}, e))
		return false;
	return rights_join(d, s->phase.watch, e);
}

bool survey_take(struct delivery *d, struct network *network, struct watch *watch,
    struct survey *out, struct err *e)
{
	struct surveying s = {.phase = {d, network, watch}, .out = out};
	const bool ok = take(&s, e);

	free(s.place_of);
	return ok;
}

void survey_drop(struct survey *s)
{
	free(s->places);
	*s = (struct survey){0};
}
