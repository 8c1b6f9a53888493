/* A delivery out of a pipe: every member passes once, in order, is verified, and is sent as it
 * passes where it is missing. */
#include "cmd/parcel.h"

#include "base/own.h"
#include "base/stop.h"
#include "registry/push.h"

#include <stdlib.h>

/* Into a further repository: the registry has the bytes already. */
static bool mount(const struct phase *ph, const struct job *job, const struct job *from,
    bool *mounted, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const struct member *m = &reader_inventory(d->reader)->members[job->member];
	const struct descriptor blob = {.digest = m->digest, .size = m->size};
	struct repository at;

	if (!parcel_repository(ph, 0, &d->parcels[job->repository], &at, e)
	    || !upload_mount(&at, &blob, d->parcels[from->repository].to.path, mounted, e))
		return false;
	if (*mounted)
		carry_tell(ph, &blob, UPLOAD_MOUNTED);
	return true;
}

/* Where a run that went before brought the bytes into the first repository, they are still to
 * pass, so that each run brings a layer into one more. */
static bool mount_or_send(const struct phase *ph, struct job *job, const struct job *from,
    struct verify_source *bytes, struct err *e)
{
	bool mounted = false;

	if (!mount(ph, job, from, &mounted, e) || mounted)
		return mounted;
	if (bytes->seen == 0)
		return carry_blob(ph, 0, job, &bytes->source, NULL, e);
	return err_set(e, ERR_PARTIAL,
	    "expected the registry to take a layer over from %s, found that it does not, and "
	    "its bytes have passed the pipe; a file needs one run",
	    ph->delivery->parcels[from->repository].to.path);
}

/* What can be read again goes the usual way. */
static bool send_again(const struct phase *ph, struct job *job, const struct job *from,
    struct verify_source *bytes, struct err *e)
{
	const struct delivery *d = ph->delivery;
	OWNED(member_source_drop) struct member_source source = {0};

	if (!reader_holds(d->reader, job->member))
		return mount_or_send(ph, job, from, bytes, e);
	return reader_member(d->reader, job->member, &source, e)
	       && carry_blob(ph, 0, job, &source.verify.source, from, e);
}

static bool send(const struct phase *ph, const struct chains *c, size_t member,
    struct verify_source *bytes, struct err *e)
{
	const struct delivery *d = ph->delivery;
	const size_t first = c->first[member];

	for (size_t i = first; i < d->job_count; i = c->next[i]) {
		struct job *job = &d->jobs[i];
		if (!(i == first ? carry_blob(ph, 0, job, &bytes->source, NULL, e)
				 : send_again(ph, job, &d->jobs[first], bytes, e)))
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

/* Goes on where only a further repository lacks something, so that a later run has that alone
 * to bring.  False when the rest of the bundle is worth nothing. */
static bool try_send(const struct phase *ph, const struct chains *c, size_t member,
    struct verify_source *bytes, struct err *failure, struct err *e)
{
	struct err found = {0};

	if ((failure->kind && failure->kind != ERR_PARTIAL)
	    || send(ph, c, member, bytes, &found))
		return true;
	if (is_end(&found)) {
		*e = found;
		return false;
	}
	*failure = found;
	return true;
}

static bool pass_member(const struct phase *ph, const struct chains *c, size_t i,
    struct err *failure, struct err *e)
{
	const struct reader *reader = ph->delivery->reader;
	OWNED(member_source_drop) struct member_source source = {0};
	struct sink nowhere = null_sink();

	if (!reader_member(reader, i, &source, e)
	    || !try_send(ph, c, i, &source.verify, failure, e))
		return false;
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
