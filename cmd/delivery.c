#include "cmd/delivery.h"

#include "base/own.h"
#include "base/pool.h"
#include "base/stop.h"
#include "cmd/destination.h"
#include "cmd/errors.h"
#include "cmd/output.h"
#include "cmd/tree.h"
#include "manifests/digestmap.h"
#include "manifests/json.h"
#include "registry/pull.h"
#include "registry/push.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT_MAX = 16 * 1024 * 1024 };

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

/* Documents of a verified bundle, as tree_take asks for them. */
struct bundle_shelf {
	struct shelf shelf;
	const struct reader *reader;
};

static bool fetch_document(
    struct shelf *self, const struct descriptor *want, struct image **out, struct err *e)
{
	const struct bundle_shelf *s = (const struct bundle_shelf *)self;
	const size_t at = inventory_find(reader_inventory(s->reader), &want->digest);
	OWNED(buf_drop) struct buf raw = BUF(0);
	char digest[DIGEST_TEXT];

	if (at == reader_inventory(s->reader)->member_count)
		return err_set(e, ERR_DAMAGED,
		    "expected the manifest %s in the bundle, found no such member",
		    digest_text(&want->digest, digest));
	return reader_small(s->reader, at, &raw, e)
	       && image_parse_take(&raw, want->media_type, out, e);
}

static bool load(const struct reader *reader, struct parcel *p, struct err *e)
{
	struct bundle_shelf shelf = {.shelf = {fetch_document}, .reader = reader};
	OWNED(image_drop) struct image *top = NULL;

	return fetch_document(&shelf.shelf, &p->top, &top, e)
	       && tree_take(&p->tree, &top, &shelf.shelf, e);
}

static bool check_collision(const struct delivery *d, size_t i, struct err *e)
{
	struct parcel *p = &d->parcels[i];
	char name[REFERENCE_TEXT_MAX];

	p->repository = i;
	for (size_t k = i; k-- > 0;) {
		const struct parcel *other = &d->parcels[k];
		if (strcmp(other->to.path, p->to.path) != 0)
			continue;
		p->repository = other->repository;
		if (p->to.tag[0] && strcmp(other->to.tag, p->to.tag) == 0
		    && !digest_equal(&other->top.digest, &p->top.digest))
			return err_set(e, ERR_FORMAT,
			    "expected one image for each name, found two that would become %s; "
			    "push them to"
			    " different prefixes",
			    reference_text(&p->to, name));
	}
	return true;
}

static void add_user(struct job *job, struct parcel *p, size_t parcel)
{
	if (job->parcel_count && job->parcels[job->parcel_count - 1] == parcel)
		return;
	job->parcels = own_grow(job->parcels, job->parcel_count + 1, sizeof(*job->parcels));
	job->parcels[job->parcel_count++] = parcel;
	p->waiting++;
}

/* The jobs of one parcel; maps[repository] knows the blobs that have a job already. */
static bool add_jobs(struct delivery *d, size_t parcel, struct digest_map **maps, struct err *e)
{
	const struct inventory *inv = reader_inventory(d->reader);
	struct parcel *p = &d->parcels[parcel];
	struct digest_map **map = &maps[p->repository];

	if (!*map)
		*map = digest_map_new();
	for (size_t i = 0; i < p->tree.count; i++)
		for (size_t part = 0; part < p->tree.documents[i]->count; part++) {
			const struct descriptor *blob =
			    &p->tree.documents[i]->parts[part].descriptor;
			const size_t member = inventory_find(inv, &blob->digest);
			size_t at = d->job_count;

			if (tree_is_document(p->tree.documents[i], part))
				continue;
			if (member == inv->member_count
			    || inv->members[member].size != blob->size)
				return err_set(e, ERR_DAMAGED,
				    "expected every blob of %s in the bundle", p->to.path);
			if (digest_map_add(*map, &blob->digest, at)) {
				d->jobs = own_grow(d->jobs, d->job_count + 1, sizeof(*d->jobs));
				d->jobs[d->job_count++] =
				    (struct job){.repository = p->repository, .member = member};
			} else {
				(void)digest_map_find(*map, &blob->digest, &at);
			}
			add_user(&d->jobs[at], p, parcel);
		}
	return true;
}

static bool plan_parcel(
    struct delivery *d, size_t i, const struct target *target, struct err *e)
{
	const struct inventory *inv = reader_inventory(d->reader);
	struct parcel *p = &d->parcels[i];

	if (i < inv->image_count) {
		const struct bundle_image *image = &inv->images[i];
		p->top = (struct descriptor){image->digest, image->size, image->media_type};
		return (destination_of_image(image, target, &p->to, e)
			   && check_collision(d, i, e) && load(d->reader, p, e))
		       || err_in(e, "%s", image->ref);
	}
	const struct bundle_chart *chart = &inv->charts[i - inv->image_count];
	p->top = chart->manifest;
	return (destination_of_chart(chart, target, &p->to, e) && check_collision(d, i, e)
		   && load(d->reader, p, e))
	       || err_in(e, "chart %s", chart->name);
}

bool delivery_plan(const struct reader *reader, const struct target *target,
    struct delivery **out, struct err *e)
{
	OWNED(delivery_drop) struct delivery *d = own_new(sizeof(*d));

	d->reader = reader;
	(void)pthread_mutex_init(&d->lock, NULL);
	d->parcel_count =
	    reader_inventory(reader)->image_count + reader_inventory(reader)->chart_count;
	d->parcels = own_array(d->parcel_count, sizeof(*d->parcels));
	for (size_t i = 0; i < d->parcel_count; i++)
		if (!plan_parcel(d, i, target, e))
			return false;
	*out = STEAL(d);
	return true;
}

/* What the workers of one phase share. */
struct phase {
	struct delivery *delivery;
	struct network *network;
	struct watch *watch;
	enum existing_tag existing;
};

static bool repository_of(const struct phase *ph, size_t worker, const struct parcel *p,
    struct repository *at, struct err *e)
{
	return registries_repository(ph->network->registries, ph->network->workers[worker],
	    p->to.host, p->to.path, at, e);
}

static bool look_up(const struct phase *ph, size_t worker, struct parcel *p, struct err *e)
{
	struct repository at;
	struct digest there;
	bool found;
	char ask[REFERENCE_TAG_MAX + 1];
	char digest[DIGEST_TEXT];

	if (!repository_of(ph, worker, p, &at, e)
	    || !push_lookup(&at, reference_ask(&p->to, ask), &found, &there, e))
		return false;
	if (!found)
		return true;
	if (digest_equal(&there, &p->top.digest)) {
		p->state = PARCEL_THERE;
		return true;
	}
	p->has_old = true;
	p->old = there;
	return ph->existing == EXISTING_OVERWRITE
	       || err_set(e, ERR_SYSTEM,
		   "the tag is taken by another image, %s; push to another prefix, or "
		   "--on-existing-tag overwrite",
		   digest_text(&there, digest));
}

static bool look_up_job(void *context, size_t worker, size_t job, struct err *e)
{
	const struct phase *ph = context;
	struct parcel *p = &ph->delivery->parcels[job];
	char name[REFERENCE_TEXT_MAX];

	if (!look_up(ph, worker, p, &p->error))
		(void)err_in(&p->error, "%s", reference_text(&p->to, name));
	return stop_check(e);
}

static bool join_errors(const struct delivery *d, struct watch *watch, struct err *e)
{
	OWNED(drop_any) struct err *errors = own_array(d->parcel_count, sizeof(*errors));

	for (size_t i = 0; i < d->parcel_count; i++)
		errors[i] = d->parcels[i].error;
	return errors_join(errors, d->parcel_count, "names cannot be pushed", watch, e);
}

bool delivery_preflight(struct delivery *d, struct network *network, enum existing_tag existing,
    struct watch *watch, struct err *e)
{
	struct phase ph = {d, network, watch, existing};
	const struct pool pool = {.workers = network->jobs,
	    .jobs = d->parcel_count,
	    .work = look_up_job,
	    .context = &ph};
	struct repository at;

	return repository_of(&ph, 0, &d->parcels[0], &at, e) && registry_ping(&at, e)
	       && pool_run(&pool, e) && join_errors(d, watch, e);
}

/* Gives the digest that a tag named until now a tag of its own, so that it can be found again.
 */
static bool keep_old(const struct repository *at, const struct parcel *p, struct err *e)
{
	OWNED(image_drop) struct image *image = NULL;
	OWNED(buf_drop) struct buf tag = BUF(256);
	char digest[DIGEST_TEXT];
	char hex[DIGEST_TEXT];

	if (!p->has_old)
		return true;
	(void)digest_hex(&p->old, hex);
	buf_addf(&tag, "%.110s-was-%.12s", p->to.tag, hex);
	return pull_manifest(at, digest_text(&p->old, digest), NULL, &image, e)
	       && push_manifest(at, buf_text(&tag), &image->self, buf_slice(&image->raw), e);
}

static bool put_manifests(const struct repository *at, const struct parcel *p, struct err *e)
{
	char ask[REFERENCE_TAG_MAX + 1];

	if (!keep_old(at, p, e))
		return false;
	for (size_t i = 0; i < p->tree.count; i++) {
		const struct image *document = p->tree.documents[i];
		const bool top = i + 1 == p->tree.count;

		if (!push_manifest(at,
			top ? reference_ask(&p->to, ask)
			    : digest_text(&document->self.digest, ask),
			&document->self, buf_slice(&document->raw), e))
			return false;
	}
	return true;
}

static bool finish_parcel(
    const struct phase *ph, size_t worker, struct parcel *p, struct err *e)
{
	struct repository at;
	char name[REFERENCE_TEXT_MAX];

	(void)reference_text(&p->to, name);
	if (!repository_of(ph, worker, p, &at, e) || !put_manifests(&at, p, e))
		return err_in(e, "%s", name);
	p->state = PARCEL_DELIVERED;
	watch_tell(ph->watch,
	    &(struct news){.kind = NEWS_DONE, .what = &p->top, .name = name, .text = "pushed"});
	return true;
}

static const char *const outcomes[] = {
    [PUSH_EXISTS] = "exists",
    [PUSH_UPLOADED] = "uploaded",
    [PUSH_MOUNTED] = "mounted",
};

static bool bring_blob(
    const struct phase *ph, size_t worker, const struct job *job, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const struct member *m = &reader_inventory(d->reader)->members[job->member];
	const struct descriptor blob = {.digest = m->digest, .size = m->size};
	OWNED(member_source_drop) struct member_source source = {0};
	enum push_outcome outcome;
	struct repository at;

	if (!repository_of(ph, worker, &d->parcels[job->repository], &at, e)
	    || !reader_member(d->reader, job->member, &source, e)
	    || !push_blob(&at, &blob, &source.verify.source, &outcome, e))
		return false;
	if (outcome != PUSH_UPLOADED)
		watch_tell(ph->watch,
		    &(struct news){.kind = NEWS_BYTES, .what = &blob, .bytes = blob.size});
	watch_tell(ph->watch,
	    &(struct news){.kind = NEWS_DONE, .what = &blob, .text = outcomes[outcome]});
	return true;
}

/* The next parcel of a finished job that waits for nothing any more, or NULL; *next begins at
 * 0. */
static struct parcel *take_ready(struct delivery *d, const struct job *job, size_t *next)
{
	struct parcel *ready = NULL;

	pthread_mutex_lock(&d->lock);
	d->changed = true;
	while (*next < job->parcel_count && !ready) {
		struct parcel *p = &d->parcels[job->parcels[(*next)++]];
		if (--p->waiting == 0)
			ready = p;
	}
	pthread_mutex_unlock(&d->lock);
	return ready;
}

static bool bring_job(void *context, size_t worker, size_t i, struct err *e)
{
	const struct phase *ph = context;
	const struct job *job = &ph->delivery->jobs[i];
	struct parcel *p;
	size_t next = 0;

	if (!bring_blob(ph, worker, job, e))
		return err_in(e, "%s", ph->delivery->parcels[job->repository].to.path);
	while ((p = take_ready(ph->delivery, job, &next)))
		if (!finish_parcel(ph, worker, p, e))
			return false;
	return true;
}

/* Parcels without a single blob: an empty index. */
static bool finish_empty(const struct phase *ph, struct err *e)
{
	for (size_t i = 0; i < ph->delivery->parcel_count; i++) {
		struct parcel *p = &ph->delivery->parcels[i];
		if (p->state == PARCEL_WAITING && !p->waiting && !finish_parcel(ph, 0, p, e))
			return false;
	}
	return true;
}

static bool list_jobs(struct delivery *d, struct err *e)
{
	struct digest_map **maps = own_array(d->parcel_count, sizeof(struct digest_map *));
	bool ok = true;

	for (size_t i = 0; ok && i < d->parcel_count; i++)
		ok = d->parcels[i].state != PARCEL_WAITING || add_jobs(d, i, maps, e);
	for (size_t i = 0; i < d->parcel_count; i++)
		digest_map_free(maps[i]);
	free(maps);
	return ok;
}

static uint64_t bytes_to_move(const struct delivery *d)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < d->job_count; i++)
		bytes += reader_inventory(d->reader)->members[d->jobs[i].member].size;
	return bytes;
}

/* A failure that a second run may overcome, after something was done, is status 8. */
static bool partly(const struct delivery *d, struct err *e)
{
	size_t there = 0;

	for (size_t i = 0; i < d->parcel_count; i++)
		there += d->parcels[i].state != PARCEL_WAITING;
	if (e->kind != ERR_NETWORK || !d->changed)
		return false;
	e->kind = ERR_PARTIAL;
	return err_in(e, "%zu of %zu are in place, run the same command again to continue",
	    there, d->parcel_count);
}

bool delivery_run(
    struct delivery *d, struct network *network, struct progress *progress, struct err *e)
{
	struct phase ph = {d, network, progress_watch(progress), EXISTING_ERROR};

	if (!list_jobs(d, e) || !finish_empty(&ph, e))
		return false;
	progress_total(progress, bytes_to_move(d));
	const struct pool pool = {
	    .workers = network->jobs, .jobs = d->job_count, .work = bring_job, .context = &ph};
	return pool_run(&pool, e) || partly(d, e);
}

static const char *const states[] = {
    [PARCEL_WAITING] = "missing",
    [PARCEL_THERE] = "was there",
    [PARCEL_DELIVERED] = "pushed",
};

static void print_json(const struct delivery *d, FILE *out)
{
	OWNED(buf_drop) struct buf text = BUF(RESULT_MAX);
	struct json_writer w = {.out = &text};
	char name[REFERENCE_TEXT_MAX];
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	json_pair(&w, "id", digest_text(reader_id(d->reader), digest));
	json_key(&w, "pushed");
	json_begin(&w, '[');
	for (size_t i = 0; i < d->parcel_count; i++) {
		const struct parcel *p = &d->parcels[i];
		json_begin(&w, '{');
		json_pair(&w, "ref", reference_text(&p->to, name));
		json_pair(&w, "digest", digest_text(&p->top.digest, digest));
		json_pair(&w, "state", states[p->state]);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	(void)fprintf(out, "%s\n", buf_text(&text));
}

bool delivery_print(const struct delivery *d, bool json, FILE *out)
{
	OWNED(table_drop) struct table t = {.columns = 3};
	char name[REFERENCE_TEXT_MAX];
	char digest[DIGEST_TEXT];

	if (json) {
		print_json(d, out);
		return true;
	}
	for (size_t i = 0; i < d->parcel_count; i++) {
		const struct parcel *p = &d->parcels[i];
		table_add(&t, "%s", reference_text(&p->to, name));
		table_add(&t, "-> %s", digest_text(&p->top.digest, digest));
		table_add(&t, "%s", states[p->state]);
	}
	table_print(&t, out);
	return true;
}

void delivery_free(struct delivery *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->parcel_count; i++)
		tree_drop(&d->parcels[i].tree);
	for (size_t i = 0; i < d->job_count; i++)
		free(d->jobs[i].parcels);
	free(d->parcels);
	free(d->jobs);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}

void delivery_drop(struct delivery **d)
{
	delivery_free(*d);
	*d = NULL;
}
