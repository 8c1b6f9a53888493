/* A delivery out of a pipe: every member passes once, in order, is verified, and is sent as it
 * passes where it is missing. */
#include "cmd/parcel.h"

#include "base/own.h"
#include "base/stop.h"
#include "registry/push.h"

#include <stdlib.h>

/* The jobs of each member, as chains. */
struct chains {
	size_t *first; /* of each member; job_count: none */
	size_t *next;  /* of each job */
};

static void chains_drop(struct chains *c)
{
	free(c->first);
	free(c->next);
}

static void chain_jobs(const struct delivery *d, struct chains *c)
{
	const size_t members = reader_inventory(d->reader)->member_count;

	c->first = own_array(members, sizeof(*c->first));
	c->next = own_array(d->job_count, sizeof(*c->next));
	for (size_t i = 0; i < members; i++)
		c->first[i] = d->job_count;
	for (size_t i = d->job_count; i-- > 0;) {
		c->next[i] = c->first[d->jobs[i].member];
		c->first[d->jobs[i].member] = i;
	}
}

/* Into a further repository, whose bytes have passed: the registry has them already. */
static bool mount(
    const struct phase *ph, const struct job *job, const struct job *from, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const struct member *m = &reader_inventory(d->reader)->members[job->member];
	const struct descriptor blob = {.digest = m->digest, .size = m->size};
	struct repository at;
	bool mounted = false;

	if (!parcel_repository(ph, 0, &d->parcels[job->repository], &at, e)
	    || !push_mount(&at, &blob, d->parcels[from->repository].to.path, &mounted, e))
		return false;
	if (!mounted)
		return err_set(e, ERR_PARTIAL,
		    "%s: expected the registry to take a layer over from %s, found that it "
		    "does not, and its bytes have passed the pipe; push out of a file",
		    at.path, d->parcels[from->repository].to.path);
	carry_tell(ph, &blob, PUSH_MOUNTED);
	return true;
}

/* What can be read again goes the usual way. */
static bool send_again(
    const struct phase *ph, const struct job *job, const struct job *from, struct err *e)
{
	const struct delivery *d = ph->delivery;
	OWNED(member_source_drop) struct member_source source = {0};

	if (!reader_holds(d->reader, job->member))
		return mount(ph, job, from, e);
	return reader_member(d->reader, job->member, &source, e)
	       && carry_blob(ph, 0, job, &source.verify.source, e);
}

static bool send(const struct phase *ph, const struct chains *c, size_t member,
    struct source *bytes, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const size_t first = c->first[member];

	for (size_t i = first; i < d->job_count; i = c->next[i]) {
		const struct job *job = &d->jobs[i];
		if (!(i == first ? carry_blob(ph, 0, job, bytes, e)
				 : send_again(ph, job, &d->jobs[first], e)))
			return err_in(e, "%s", d->parcels[job->repository].to.path);
	}
	for (size_t i = first; i < d->job_count; i = c->next[i])
		if (!carry_ready(ph, 0, &d->jobs[i], e))
			return false;
	return true;
}

/* Whether the rest of the bundle is worth nothing any more. */
static bool is_end(const struct err *e)
{
	return e->kind == ERR_DAMAGED || e->kind == ERR_STOPPED;
}

static bool pass_member(const struct phase *ph, const struct chains *c, size_t i,
    struct err *failure, struct err *e)
{
	const struct reader *reader = ph->delivery->reader;
	OWNED(member_source_drop) struct member_source source = {0};
	struct sink nowhere = null_sink();

	if (!reader_member(reader, i, &source, e))
		return false;
	if (!failure->kind && !send(ph, c, i, &source.verify.source, failure)
	    && is_end(failure)) {
		*e = *failure;
		return false;
	}
	return stream_copy(&source.verify.source, &nowhere, e)
	       && reader_member_end(reader, i, e);
}

static void tell_missing(const struct phase *ph)
{
	char name[REFERENCE_TEXT_MAX];

	for (size_t i = 0; i < ph->delivery->parcel_count; i++)
		if (ph->delivery->parcels[i].state == PARCEL_WAITING)
			watch_warn(ph->watch, "missing: %s",
			    reference_text(&ph->delivery->parcels[i].to, name));
}

bool carry_forward(const struct phase *ph, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const size_t members = reader_inventory(d->reader)->member_count;
	OWNED(chains_drop) struct chains c = {0};
	struct err failure = {0};

	chain_jobs(d, &c);
	for (size_t i = 0; i < members; i++)
		if (!stop_check(e) || !pass_member(ph, &c, i, &failure, e))
			return false;
	if (!reader_end(d->reader, e))
		return false;
	if (!failure.kind)
		return true;
	tell_missing(ph);
	*e = failure;
	return false;
}
