#include "cmd/rights.h"

#include "base/own.h"
#include "base/pool.h"
#include "registry/pull.h"
#include "registry/push.h"

#include <stdlib.h>

static void mark_changed(struct delivery *d)
{
	pthread_mutex_lock(&d->lock);
	d->changed = true;
	pthread_mutex_unlock(&d->lock);
}

bool carry_keep_old(
    const struct repository *at, const char *tag, const struct digest *old, struct err *e)
{
	OWNED(image_drop) struct image *image = NULL;
	OWNED(buf_drop) struct buf kept = BUF(256);
	char digest[DIGEST_TEXT];
	char hex[DIGEST_TEXT];

	(void)digest_hex(old, hex);
	buf_addf(&kept, "%.110s-was-%.12s", tag, hex);
	return pull_manifest(at, digest_text(old, digest), NULL, &image, e)
	       && push_manifest(at, buf_text(&kept), &image->self, buf_slice(&image->raw), e);
}

/* Brings the blobs of one document again, where they are missing. */
struct mending {
	struct placing placing;
	const struct phase *ph;
	const struct repository *at;
	const struct image *document;
};

static bool bring_again(const struct mending *m, const struct descriptor *blob, struct err *e)
{
	const struct reader *reader = m->ph->delivery->reader;
	const size_t member = inventory_find(reader_inventory(reader), &blob->digest);
	OWNED(member_source_drop) struct member_source source = {0};
	enum upload_outcome outcome;

	return !reader_holds(reader, member)
	       || (reader_member(reader, member, &source, e)
		   && upload_blob(m->at, blob, &source.verify.source, NULL, &outcome, e));
}

static bool mend(struct placing *self, struct err *e)
{
	const struct mending *m = (const struct mending *)self;

	for (size_t part = 0; part < m->document->count; part++)
		if (!tree_is_document(m->document, part)
		    && !bring_again(m, &m->document->parts[part].descriptor, e))
			return false;
	return true;
}

static bool put_manifests(
    const struct phase *ph, const struct repository *at, struct parcel *p, struct err *e)
{
	char ask[REFERENCE_TAG_MAX + 1];

	if (p->has_old && !carry_keep_old(at, p->to.tag, &p->old, e))
		return false;
	for (size_t i = 0; i < p->tree.count; i++) {
		const struct image *document = p->tree.documents[i];
		const bool top = i + 1 == p->tree.count;
		struct mending m = {
		    .placing = {.mend = mend}, .ph = ph, .at = at, .document = document};

		if (!push_manifest_so(at,
			top ? reference_ask(&p->to, ask)
			    : digest_text(&document->self.digest, ask),
			&document->self, buf_slice(&document->raw), &m.placing, e))
			return false;
		p->unconfirmed = p->unconfirmed || m.placing.unconfirmed;
	}
	return true;
}

static bool finish_parcel(
    const struct phase *ph, size_t worker, struct parcel *p, struct err *e)
{
	struct repository at;
	char name[REFERENCE_TEXT_MAX];

	(void)reference_text(&p->to, name);
	if (!parcel_repository(ph, worker, p, &at, e) || !attach_put_below(&at, p, e)
	    || (!p->top_there && !put_manifests(ph, &at, p, e)) || !attach_put(ph, &at, p, e))
		return err_in(e, "%s", name);
	p->state = PARCEL_DELIVERED;
	mark_changed(ph->delivery);
	watch_tell(ph->watch,
	    &(struct news){.kind = NEWS_DONE, .what = &p->top, .name = name, .text = "pushed"});
	return true;
}

static const char *const outcomes[] = {
    [UPLOAD_EXISTS] = "exists",
    [UPLOAD_SENT] = "uploaded",
    [UPLOAD_MOUNTED] = "mounted",
};

void carry_tell(
    const struct phase *ph, const struct descriptor *blob, enum upload_outcome outcome)
{
	if (outcome != UPLOAD_EXISTS)
		mark_changed(ph->delivery);
	if (outcome != UPLOAD_SENT)
		watch_tell(ph->watch,
		    &(struct news){.kind = NEWS_BYTES, .what = blob, .bytes = blob->size});
	watch_tell(ph->watch,
	    &(struct news){.kind = NEWS_DONE, .what = blob, .text = outcomes[outcome]});
}

bool carry_blob(const struct phase *ph, size_t worker, struct job *job, struct source *bytes,
    const struct job *from, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const struct member *m = &reader_inventory(d->reader)->members[job->member];
	const struct descriptor blob = {.digest = m->digest, .size = m->size};
	struct repository at;

	struct parcel *first = &d->parcels[job->repository];
	const char *source = from ? d->parcels[from->repository].to.path : NULL;
	if (!parcel_repository(ph, worker, first, &at, e))
		return false;
	if (!upload_blob(&at, &blob, bytes, source, &job->outcome, e)) {
		if (!missing_made(ph, first, e))
			return false;
		err_clear(e);
		if (!upload_blob(&at, &blob, bytes, source, &job->outcome, e))
			return false;
	}
	job->done = true;
	carry_tell(ph, &blob, job->outcome);
	return true;
}

/* The next parcel of a finished job that waits for nothing any more, or NULL; *next begins at
 * 0. */
static struct parcel *take_ready(struct delivery *d, const struct job *job, size_t *next)
{
	struct parcel *ready = NULL;

	pthread_mutex_lock(&d->lock);
	while (*next < job->parcel_count && !ready) {
		struct parcel *p = &d->parcels[job->parcels[(*next)++]];
		if (--p->waiting == 0)
			ready = p;
	}
	pthread_mutex_unlock(&d->lock);
	return ready;
}

bool carry_ready(const struct phase *ph, size_t worker, const struct job *job, struct err *e)
{
	struct parcel *p;
	size_t next = 0;

	while ((p = take_ready(ph->delivery, job, &next)))
		if (!finish_parcel(ph, worker, p, e))
			return false;
	return true;
}

/* What the workers that bring share. */
struct bringing {
	const struct phase *phase;
	struct chains chains;
};

static bool bring(const struct phase *ph, size_t worker, struct job *job,
    const struct job *from, struct err *e)
{
	OWNED(member_source_drop) struct member_source source = {0};

	return job->done
	       || (reader_member(ph->delivery->reader, job->member, &source, e)
		   && carry_blob(ph, worker, job, &source.verify.source, from, e))
	       || err_in(e, "%s", ph->delivery->parcels[job->repository].to.path);
}

/* One member into every repository that lacks it: it is uploaded once, and mounted from there
 * (UPL-25).  The chain is the first job's. */
static bool bring_job(void *context, size_t worker, size_t i, struct err *e)
{
	const struct bringing *b = context;
	const struct delivery *d = b->phase->delivery;
	const size_t first = b->chains.first[d->jobs[i].member];

	if (i != first)
		return true;
	for (size_t at = first; at < d->job_count; at = b->chains.next[at])
		if (!bring(
			b->phase, worker, &d->jobs[at], at == first ? NULL : &d->jobs[first], e)
		    || !carry_ready(b->phase, worker, &d->jobs[at], e))
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

static uint64_t bytes_to_move(const struct delivery *d)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < d->job_count; i++)
		bytes += reader_inventory(d->reader)->members[d->jobs[i].member].size;
	return bytes;
}

/* Whether a registry said no in a way that the same command will hear again. */
static bool is_final(const struct err *e)
{
	return e->code == 500 || (e->code >= 400 && e->code < 500 && !retry_status(e->code));
}

/* A failure that a second run may overcome, after something was done, is status 8. */
static bool partly(const struct delivery *d, struct err *e)
{
	size_t there = 0;
	size_t all = 0;

	for (size_t i = 0; i < d->parcel_count; i++) {
		all += d->parcels[i].state != PARCEL_EXCLUDED;
		there += d->parcels[i].state == PARCEL_THERE
			 || d->parcels[i].state == PARCEL_DELIVERED;
	}
	if ((e->kind != ERR_NETWORK && e->kind != ERR_PARTIAL) || is_final(e) || !d->changed)
		return false;
	e->kind = ERR_PARTIAL;
	return err_in(
	    e, "%zu of %zu are in place, run the same command again to continue", there, all);
}

static bool bring_all(const struct phase *ph, struct err *e)
{
	struct bringing b = {.phase = ph};
	const struct pool pool = {.workers = ph->network->jobs,
	    .jobs = ph->delivery->job_count,
	    .work = bring_job,
	    .context = &b};

	chain_jobs(ph->delivery, &b.chains);
	const bool ok = pool_run(&pool, e);
	chains_drop(&b.chains);
	return ok;
}

/* A pipe cannot be read twice, so that its first uploads are no place to learn rights. */
bool delivery_run(
    struct delivery *d, struct network *network, struct progress *progress, struct err *e)
{
	struct phase ph = {d, network, progress_watch(progress)};
	const bool forward = reader_is_forward(d->reader);

	if (!delivery_list(d, e))
		return false;
	progress_total(
	    progress, forward ? reader_inventory(d->reader)->total : bytes_to_move(d));
	rights_count(&ph);
	if (forward)
		return (rights_ask(&ph, e) && rights_join(d, ph.watch, e)
			   && finish_empty(&ph, e) && carry_forward(&ph, e))
		       || partly(d, e);
	return (rights_try(&ph, e) && finish_empty(&ph, e) && bring_all(&ph, e))
	       || partly(d, e);
}
