#include "registry/upload.h"

#include "base/own.h"
#include "registry/refusal.h"
#include "registry/requests.h"
#include "registry/session.h"

#include <stdlib.h>
#include <string.h>

enum { GATEWAY_FAILURES = 3 }; /* of the same upload: then it is its size (UPL-08) */

/* Tells of bytes as they leave. */
struct told_source {
	struct source source;
	struct source *from;
	struct watch *watch;
	const struct descriptor *what;
	uint64_t seen;
};

static bool told_read(struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct told_source *t = (struct told_source *)self;

	if (!t->from->read(t->from, bytes, room, got, e))
		return false;
	t->seen += *got;
	if (*got)
		watch_tell(t->watch,
		    &(struct news){.kind = NEWS_BYTES, .what = t->what, .bytes = *got});
	return true;
}

static bool told_rewind(struct source *self, struct err *e)
{
	struct told_source *t = (struct told_source *)self;

	if (t->seen)
		watch_tell(t->watch,
		    &(struct news){.kind = NEWS_RESTART, .what = t->what, .bytes = t->seen});
	t->seen = 0;
	return t->from->rewind(t->from, e);
}

/* Whether the repository holds the blob; what HEAD does not answer clearly is "not known",
 * which means no (UPL-01). */
bool upload_has(
    const struct repository *at, const struct descriptor *blob, bool *has, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];
	char digest[DIGEST_TEXT];

	(void)digest_text(&blob->digest, digest);
	registry_doing(at, HTTP_HEAD, "blob", digest, doing);
	if (!registry_url(at, "blobs", digest, &url, e))
		return false;
	struct http_request r = {.method = HTTP_HEAD, .url = buf_text(&url)};
	const bool sent = registry_send(at, ACCESS_PUSH, &r, doing, &a, e);
	if (!sent && e->kind == ERR_NETWORK && a.status >= 500)
		err_clear(e);
	else if (!sent)
		return false;
	if (a.status == 401)
		return refusal(&a, doing, e);
	*has = a.status == 200 && (!a.has_length || a.length == blob->size);
	return true;
}

/* One blob on its way, by one session after the other. */
struct upload {
	struct session session;
	struct told_source told;
	struct err first; /* what the first way was refused with */
	unsigned gateways;
	unsigned lost;	/* sessions that were not known any more */
	bool corrupted; /* the registry got other bytes once (UPL-16) */
	bool sent;
};

static void upload_drop(struct upload *u)
{
	session_drop(&u->session);
}

/* Goes down the ladder (UPL-08). */
static bool next_way(struct upload *u, enum upload_way from, const struct err *e)
{
	if (from + 1 == UPLOAD_WAYS)
		return false;
	if (u->first.kind == ERR_NONE)
		u->first = *e;
	learned_next_way(u->session.learned, from);
	return true;
}

/* Replicas that share no secret know each other's sessions by chance alone (UPL-18).  Where
 * they are asked in turn, one HEAD more between POST and PUT for each session that was lost
 * brings the two to the same one. */
static bool shift_turns(const struct upload *u, bool *has, struct err *e)
{
	for (unsigned i = 0; i < u->lost && !*has; i++)
		if (!upload_has(u->session.at, u->session.blob, has, e))
			return false;
	return true;
}

/* One session from POST to the closing PUT.  When its end is in doubt the digest decides, not
 * the session (RULE-3, UPL-14). */
static bool run_session(struct upload *u, enum upload_way way, struct err *e)
{
	struct session *s = &u->session;
	struct err again = {0};
	bool done = false;
	bool has = false;

	u->sent = false;
	if (!s->location.len && (!session_open(s, &done, e) || done))
		return done;
	if (!shift_turns(u, &has, e) || has)
		return has;
	u->sent = true;
	if (session_send(s, way, e))
		return true;
	if (!s->answer.may_pass || !upload_has(s->at, s->blob, &has, &again))
		return false;
	if (!has)
		return session_resume(s, way, e);
	err_clear(e);
	return true;
}

/* Whether a session that failed may be followed by another, and by which way; the wait between
 * is the caller's. */
static bool may_try_again(struct upload *u, enum upload_way way, bool *at_once, struct err *e)
{
	struct http_answer *a = &u->session.answer;
	const bool mangled = a->status == 400 && refusal_has(a, "DIGEST_INVALID");

	u->lost += a->status == 404;
	u->gateways += a->status == 502 || a->status == 504;
	*at_once = u->session.smaller
		   || ((u->session.wrong_shape || u->gateways == GATEWAY_FAILURES)
		       && next_way(u, way, e));
	if (*at_once || a->may_pass)
		return true;
	const bool again = mangled && !u->corrupted;
	u->corrupted = u->corrupted || mangled;
	return again;
}

static bool send(struct upload *u, struct err *e)
{
	struct retry retry = registry_retry(u->session.at->registry);
	bool at_once = false;

	for (;;) {
		const enum upload_way way = learned_way(u->session.learned);
		if (run_session(u, way, e))
			return true;
		buf_drop(&u->session.location);
		if (!may_try_again(u, way, &at_once, e))
			break;
		if (at_once)
			err_clear(e);
		else if (!retry_again(&retry, &u->session.answer, e))
			break;
	}
	/* Of a ladder that leads nowhere the first step says most. */
	if (u->first.kind != ERR_NONE && e->kind != ERR_STOPPED)
		*e = u->first;
	return false;
}

static void begin(struct upload *u, const struct repository *at, const struct descriptor *blob,
    struct source *bytes)
{
	*u = (struct upload){
	    .session = {.at = at, .blob = blob, .learned = registry_learned(at->registry)},
	    .told = {.source = {told_read, told_rewind},
		.from = bytes,
		.watch = registry_policy(at->registry)->watch,
		.what = blob},
	};
	u->session.bytes = &u->told.source;
	(void)digest_text(&blob->digest, u->session.digest);
	registry_doing(at, HTTP_PUT, "blob", u->session.digest, u->session.doing);
}

bool upload_blob(const struct repository *at, const struct descriptor *blob,
    struct source *bytes, const char *from, enum upload_outcome *outcome, struct err *e)
{
	OWNED(upload_drop) struct upload u;
	bool has = false;
	bool mounted = false;

	begin(&u, at, blob, bytes);
	if (!upload_has(at, blob, &has, e)
	    || (!has && from && !session_mount(&u.session, from, &mounted, e))
	    || (!has && !mounted && !send(&u, e)))
		return false;
	*outcome = mounted ? UPLOAD_MOUNTED : u.sent ? UPLOAD_SENT : UPLOAD_EXISTS;
	return true;
}

bool upload_try(const struct repository *at, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf start = BUF(0);
	char doing[REGISTRY_DOING_MAX];

	registry_doing(at, HTTP_POST, "an", "upload", doing);
	if (!registry_url(at, "blobs/uploads", "", &start, e))
		return false;
	struct http_request r = {
	    .method = HTTP_POST, .url = buf_text(&start), .body_max = REFUSAL_BODY_MAX};
	return registry_send(at, ACCESS_PUSH, &r, doing, &a, e)
	       && (a.status == 202 || refusal(&a, doing, e));
}

bool upload_mount(const struct repository *at, const struct descriptor *blob, const char *from,
    bool *mounted, struct err *e)
{
	OWNED(upload_drop) struct upload u;

	begin(&u, at, blob, NULL);
	return session_mount(&u.session, from, mounted, e);
}
