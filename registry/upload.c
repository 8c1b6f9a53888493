#include "registry/upload.h"

#include "base/own.h"
#include "registry/location.h"
#include "registry/refusal.h"
#include "registry/stored.h"

#include <string.h>

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

/* One blob on its way. */
struct upload {
	const struct repository *at;
	const struct descriptor *blob;
	struct told_source told;
	struct http_answer answer;
	char digest[DIGEST_TEXT];
	char doing[REGISTRY_DOING_MAX]; /* of the PUT */
	bool corrupted;			/* the registry got other bytes once (UPL-16) */
};

static void upload_drop(struct upload *u)
{
	http_answer_drop(&u->answer);
}

/* Whether the repository holds the blob; what HEAD does not answer clearly is "not known",
 * which means no (UPL-01). */
static bool has_blob(struct upload *u, bool *has, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];

	registry_doing(u->at, HTTP_HEAD, "blob", u->digest, doing);
	if (!registry_url(u->at, "blobs", u->digest, &url, e))
		return false;
	struct http_request r = {.method = HTTP_HEAD, .url = buf_text(&url)};
	const bool sent = registry_send(u->at, ACCESS_PUSH, &r, doing, &a, e);
	if (!sent && e->kind == ERR_NETWORK && a.status >= 500)
		err_clear(e);
	else if (!sent)
		return false;
	if (a.status == 401)
		return refusal(&a, doing, e);
	*has = a.status == 200 && (!a.has_length || a.length == u->blob->size);
	return true;
}

/* The Location with the digest at the end of its query (UPL-05). */
static bool take_location(
    const struct upload *u, const struct http_answer *a, struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf location = BUF(0);

	return location_read(u->at, a, u->doing, &location, e)
	       && http_url_add_query(buf_text(&location), "digest", u->digest, out, e);
}

/* Opens an upload session; *done when the registry has the blob after all (UPL-03, UPL-04). */
static bool open_session(struct upload *u, struct buf *url, bool *done, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf start = BUF(0);
	char doing[REGISTRY_DOING_MAX];

	registry_doing(u->at, HTTP_POST, "an upload for", u->digest, doing);
	if (!registry_url(u->at, "blobs/uploads", "", &start, e))
		return false;
	struct http_request r = {
	    .method = HTTP_POST, .url = buf_text(&start), .body_max = REFUSAL_BODY_MAX};
	if (!registry_send(u->at, ACCESS_PUSH, &r, doing, &a, e))
		return false;
	*done = a.status == 201;
	if (*done)
		return true;
	return a.status == 202 ? take_location(u, &a, url, e) : refusal(&a, doing, e);
}

/* Sends all bytes in one PUT (UPL-07).  On failure may_pass of the answer says whether a new
 * session is any use. */
static bool send_bytes(struct upload *u, const char *url, struct err *e)
{
	struct http_answer *a = &u->answer;
	struct http_request r = {
	    .method = HTTP_PUT,
	    .url = url,
	    .content_type = "application/octet-stream",
	    .body = &u->told.source,
	    .body_size = u->blob->size,
	    .body_max = REFUSAL_BODY_MAX,
	};

	if (!u->told.source.rewind(&u->told.source, e))
		return false;
	if (!registry_try(u->at, ACCESS_PUSH, &r, a, e))
		return a->may_pass ? err_in(e, "%s", u->doing) : false;
	if (stored_accepted(a->status) && !refusal_is_page(a))
		return stored_as(a, &u->blob->digest, u->doing, e);
	const bool mangled = a->status == 400 && refusal_has(a, "DIGEST_INVALID");
	a->may_pass = retry_status(a->status) || a->status == 404 || (mangled && !u->corrupted);
	u->corrupted = u->corrupted || mangled;
	return refusal(a, u->doing, e);
}

/* One session from POST to PUT.  When its end is in doubt the digest decides, not the session
 * (RULE-3, UPL-14). */
static bool run_session(struct upload *u, bool *sent, struct err *e)
{
	OWNED(buf_drop) struct buf url = BUF(0);
	bool done = false;
	bool has = false;

	u->answer.may_pass = false;
	*sent = false;
	if (!open_session(u, &url, &done, e) || done)
		return done;
	*sent = true;
	if (send_bytes(u, buf_text(&url), e))
		return true;
	struct err again = {0};
	if (!u->answer.may_pass || !has_blob(u, &has, &again) || !has)
		return false;
	err_clear(e);
	return true;
}

bool push_blob(const struct repository *at, const struct descriptor *blob, struct source *bytes,
    enum push_outcome *outcome, struct err *e)
{
	OWNED(upload_drop) struct upload u = {.at = at, .blob = blob};
	struct retry retry = {.policy = registry_policy(at->registry)};
	bool has = false;
	bool sent = false;

	u.told = (struct told_source){
	    .source = {told_read, told_rewind},
	    .from = bytes,
	    .watch = retry.policy->watch,
	    .what = blob,
	};
	digest_text(&blob->digest, u.digest);
	registry_doing(at, HTTP_PUT, "blob", u.digest, u.doing);
	if (!has_blob(&u, &has, e))
		return false;
	while (!has && !run_session(&u, &sent, e)) {
		if (!u.answer.may_pass || !retry_again(&retry, &u.answer, e))
			return false;
	}
	*outcome = sent ? PUSH_UPLOADED : PUSH_EXISTS;
	return true;
}

bool push_has(
    const struct repository *at, const struct descriptor *blob, bool *has, struct err *e)
{
	OWNED(upload_drop) struct upload u = {.at = at, .blob = blob};

	digest_text(&blob->digest, u.digest);
	return has_blob(&u, has, e);
}

bool push_try(const struct repository *at, struct err *e)
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

bool push_mount(const struct repository *at, const struct descriptor *blob, const char *from,
    bool *mounted, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf start = BUF(0);
	OWNED(buf_drop) struct buf mount = BUF(64 * 1024);
	OWNED(buf_drop) struct buf url = BUF(64 * 1024);
	char doing[REGISTRY_DOING_MAX];
	char digest[DIGEST_TEXT];

	(void)digest_text(&blob->digest, digest);
	registry_doing(at, HTTP_POST, "a mount of", digest, doing);
	if (!registry_url(at, "blobs/uploads", "", &start, e)
	    || !http_url_add_query(buf_text(&start), "mount", digest, &mount, e)
	    || !http_url_add_query(buf_text(&mount), "from", from, &url, e))
		return false;
	struct http_request r = {
	    .method = HTTP_POST, .url = buf_text(&url), .body_max = REFUSAL_BODY_MAX};
	if (!registry_send(at, ACCESS_PUSH, &r, doing, &a, e))
		return false;
	*mounted = a.status == 201;
	return true;
}
