#include "cmd/fetch.h"

#include "base/pool.h"
#include "registry/pull.h"

struct fetching {
	const struct plan *plan;
	struct writer *writer;
	struct network *network;
	struct watch *watch;
};

static bool write_known(struct slice bytes, struct sink *sink, struct err *e)
{
	struct mem_source source;

	mem_source_init(&source, bytes);
	return stream_copy(&source.source, sink, e);
}

/* held: so many of its bytes stand there already. */
static bool fetch_blob(const struct fetching *f, size_t worker, size_t i, uint64_t held,
    struct medium_sink *sink, struct err *e)
{
	const struct member *m = &f->plan->inventory->members[i];
	const struct descriptor d = {.digest = m->digest, .size = m->size};
	struct medium_source begun;
	struct repository at;

	if (!plan_repository(f->plan, i, f->network, worker, &at, e))
		return false;
	if (!held)
		return pull_blob(&at, &d, &sink->sink, e);
	writer_held(f->writer, i, held, &begun);
	sink->at = held;
	return pull_rest(&at, &d, &begun.source, &sink->sink, e);
}

/* From wherever the plan says. */
static bool fetch_from(const struct fetching *f, size_t worker, size_t i, uint64_t held,
    struct medium_sink *sink, struct err *e)
{
	const struct member *m = &f->plan->inventory->members[i];
	const struct plan_member *from = &f->plan->members[i];
	const struct descriptor d = {.digest = m->digest, .size = m->size};

	if (from->bytes.ptr)
		return write_known(from->bytes, &sink->sink, e);
	return from->path ? files_copy(from->path, &d, &sink->sink, e)
			  : fetch_blob(f, worker, i, held, sink, e);
}

static void tell(const struct fetching *f, size_t i, enum news_kind kind, const char *text)
{
	const struct member *m = &f->plan->inventory->members[i];
	const struct descriptor d = {.digest = m->digest, .size = m->size};

	watch_tell(f->watch, &(struct news){.kind = kind,
				 .what = &d,
				 .text = text,
				 .bytes = kind == NEWS_BYTES ? m->size : 0});
}

/* Header, bytes, padding: whole, or not believed by a later run. */
static bool bring(
    const struct fetching *f, size_t worker, size_t i, uint64_t held, struct err *e)
{
	struct medium_sink sink;

	return writer_member(f->writer, i, &sink, e) && fetch_from(f, worker, i, held, &sink, e)
	       && writer_member_end(f->writer, i, e);
}

static bool fetch_member(void *context, size_t worker, size_t i, struct err *e)
{
	const struct fetching *f = context;
	const struct plan_member *from = &f->plan->members[i];
	const bool known = from->bytes.ptr != NULL;
	bool has = false;
	uint64_t held = 0;

	if (writer_resumed(f->writer) && !writer_has(f->writer, i, &has, &held, e))
		return false;
	if (!has && !bring(f, worker, i, held, e))
		return false;
	if (has || known || from->path)
		tell(f, i, NEWS_BYTES, NULL);
	if (has || !known)
		tell(f, i, NEWS_DONE, has ? "kept" : from->path ? "copied" : "fetched");
	return true;
}

bool fetch_members(const struct plan *plan, struct writer *writer, struct network *network,
    struct progress *progress, struct err *e)
{
	struct fetching f = {plan, writer, network, progress_watch(progress)};
	const struct pool pool = {
	    .workers = writer_is_forward(writer) ? 1 : network->jobs,
	    .jobs = plan->inventory->member_count,
	    .work = fetch_member,
	    .context = &f,
	};

	progress_total(progress, plan->inventory->total);
	return pool_run(&pool, e);
}
