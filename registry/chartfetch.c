#include "registry/chartfetch.h"

#include "base/conduit.h"
#include "base/own.h"
#include "registry/charturl.h"
#include "registry/refusal.h"
#include "registry/requests.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONDUIT_ROOM = 256 * 1024,
	FIRST_BYTES = 512, /* which tell a page for a browser */
};

bool chartfetch_origin(struct registries *registries, struct http *http, const char *url,
    struct chart_origin *out, struct err *e)
{
	OWNED(buf_drop) struct buf real = BUF(0);

	out->registries = registries;
	return mirrors_url(registries_mirrors(registries), url, &real, e)
	       && registries_origin(registries, http, buf_text(&real), &out->at, e);
}

/* --- The index --- */

/* What comes, on its way to the thread that reads it. */
struct index_sink {
	struct sink sink;
	struct sink *to;
	struct buf first;
	uint64_t seen;
	bool refused; /* the reader wants no more */
};

static bool index_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct index_sink *s = (struct index_sink *)self;
	const size_t room = FIRST_BYTES - s->first.len;

	buf_add(&s->first, bytes, len < room ? len : room);
	s->seen += len;
	if (s->seen > CHART_INDEX_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected an index of at most %d bytes, found a longer one",
		    CHART_INDEX_MAX);
	s->refused = !s->to->write(s->to, bytes, len, e);
	return !s->refused;
}

struct reader {
	struct conduit *conduit;
	const char *what;
	const char *name;
	struct chart_entries entries;
	struct err error;
	bool done;
};

static void *read_index(void *argument)
{
	struct reader *r = argument;

	r->done = chartindex_read(
	    conduit_source(r->conduit), r->what, r->name, &r->entries, &r->error);
	conduit_end_reading(r->conduit);
	return NULL;
}

/* What one attempt came to.  True when it was enough; else may_pass of the answer says whether
 * another is any use. */
static bool judge_index(bool sent, struct index_sink *s, const struct reader *r,
    const char *doing, struct http_answer *a, struct err *e)
{
	if (!sent && !s->refused)
		return false;
	err_clear(e);
	buf_add(&a->body, s->first.ptr, s->first.len);
	a->may_pass = sent && refusal_passes(a);
	if (refusal_is_page(a) || (sent && a->status != 200))
		return refusal(a, doing, e);
	if (r->done)
		return true;
	*e = r->error;
	return false;
}

static bool try_index(const struct chart_origin *o, const char *url, struct reader *r,
    struct http_answer *a, struct err *e)
{
	OWNED(conduit_drop) struct conduit *conduit = conduit_new(CONDUIT_ROOM);
	struct index_sink sink = {.sink = {index_write, NULL},
	    .to = conduit_sink(conduit),
	    .first = BUF(FIRST_BYTES)};
	struct http_request request = {.method = HTTP_GET,
	    .url = url,
	    .chart_repository = o->repo,
	    .sink = &sink.sink,
	    .body_max = REFUSAL_BODY_MAX};
	char doing[REGISTRY_DOING_MAX];
	pthread_t thread;

	(void)snprintf(doing, sizeof(doing), "GET %.200s", r->what);
	r->conduit = conduit;
	r->error = (struct err){0};
	chart_entries_drop(&r->entries);
	if (pthread_create(&thread, NULL, read_index, r) != 0)
		return err_set(e, ERR_SYSTEM, "a thread cannot be started");
	const bool sent = registry_try(&o->at, ACCESS_PULL, &request, a, e);
	conduit_end_writing(conduit);
	(void)pthread_join(thread, NULL);
	const bool ok = judge_index(sent, &sink, r, doing, a, e);
	if (ok && sink.seen >= CHART_INDEX_LARGE)
		watch_warn(registry_policy(o->at.registry)->watch,
		    "%.200s has %" PRIu64 " MB; the chart's own address would be quicker",
		    r->what, sink.seen / 1000000);
	buf_drop(&sink.first);
	return ok;
}

static void tell_odd(const struct chart_origin *o, const struct reader *r)
{
	struct watch *watch = registry_policy(o->at.registry)->watch;

	if (r->entries.odd)
		watch_warn(watch,
		    "%.200s: %zu entries of chart %.80s have no version or no address; passed "
		    "over",
		    r->what, r->entries.odd, r->name);
	if (r->entries.twice)
		watch_warn(watch,
		    "%.200s: the chart %.80s is listed twice; the last list counts", r->what,
		    r->name);
}

bool chartfetch_index(const struct chart_origin *o, const char *url, const char *name,
    struct chart_entries *out, char **moved, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf real = BUF(0);
	OWNED(buf_drop) struct buf what = BUF(CHART_URL_MAX);
	struct retry retry = registry_retry(o->at.registry);

	if (!mirrors_url(registries_mirrors(o->registries), url, &real, e))
		return false;
	http_url_show(url, &what);
	struct reader r = {.what = buf_text(&what), .name = name};
	while (!try_index(o, buf_text(&real), &r, &a, e))
		if (!a.may_pass || !retry_again(&retry, &a, e)) {
			chart_entries_drop(&r.entries);
			return false;
		}
	tell_odd(o, &r);
	*moved = strcmp(a.url, buf_text(&real)) != 0 ? own_text(a.url) : NULL;
	*out = STEAL(r.entries);
	return true;
}

/* --- Other files --- */

/* Whom to ask: with the repository's login for its own origin, and for others when it is to be
 * passed; else as that origin is asked. */
static bool asked_at(
    const struct chart_origin *o, const char *url, struct repository *at, struct err *e)
{
	*at = o->at;
	at->everywhere = o->pass_credentials;
	return o->pass_credentials || http_url_same_origin(registry_base(at->registry), url)
	       || registries_origin(o->registries, o->at.http, url, at, e);
}

bool chartfetch_file(
    const struct chart_origin *o, const char *url, size_t max, struct buf *out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf real = BUF(0);
	OWNED(buf_drop) struct buf doing = BUF(CHART_URL_MAX);
	struct repository at;

	if (!mirrors_url(registries_mirrors(o->registries), url, &real, e)
	    || !asked_at(o, buf_text(&real), &at, e))
		return false;
	buf_adds(&doing, "GET ");
	http_url_show(buf_text(&real), &doing);
	struct http_request r = {.method = HTTP_GET,
	    .url = buf_text(&real),
	    .chart_repository = o->repo,
	    .body_max = max};
	if (!registry_send(&at, ACCESS_PULL, &r, buf_text(&doing), &a, e))
		return e->kind == ERR_LIMIT ? err_in(e, "%.200s", buf_text(&doing)) : false;
	if (a.status != 200 || refusal_is_page(&a)) {
		(void)refusal(&a, buf_text(&doing), e);
		e->code = (int)a.status;
		return false;
	}
	if (a.has_length && a.length != a.body.len)
		return err_set(e, ERR_NETWORK, "%.200s: expected %" PRIu64 " bytes, found %zu",
		    buf_text(&doing), a.length, a.body.len);
	buf_drop(out);
	*out = STEAL(a.body);
	return true;
}
