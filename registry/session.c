#include "registry/session.h"

#include "base/own.h"
#include "registry/location.h"
#include "registry/refusal.h"
#include "registry/requests.h"
#include "registry/stored.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	RESUME_LEAST = 1024 * 1024,	 /* bytes of a blob: less is sent again as fast */
	STATUS_ASKS = 3,		 /* of one session: then a new one is better */
	CHUNK_MOST = 1024 * 1024 * 1024, /* of what a registry may ask for at least (UPL-10) */
};

void session_drop(struct session *s)
{
	http_answer_drop(&s->answer);
	buf_drop(&s->location);
}

/* --- Where it is --- */

/* The Location of an answer becomes the session's; one without leaves it where it is. */
static bool move(struct session *s, const struct http_answer *a, struct err *e)
{
	OWNED(buf_drop) struct buf location = BUF(0);

	if (!a->location)
		return true;
	if (!location_read(s->at, a, s->doing, &location, e))
		return false;
	buf_drop(&s->location);
	s->location = STEAL(location);
	return true;
}

/* The POST that opens a session, or mounts what another repository has (UPL-02). */
static bool post(
    const struct session *s, const char *from, struct http_answer *a, struct err *e)
{
	OWNED(buf_drop) struct buf start = BUF(0);
	OWNED(buf_drop) struct buf mount = BUF(0);
	OWNED(buf_drop) struct buf url = BUF(0);
	struct repository at = *s->at;
	char doing[REGISTRY_DOING_MAX];

	at.mount_from = from; /* TOK-12 */
	registry_doing(
	    s->at, HTTP_POST, from ? "a mount of" : "an upload for", s->digest, doing);
	if (!registry_url(s->at, "blobs/uploads", "", &start, e))
		return false;
	struct http_request r = {
	    .method = HTTP_POST, .url = buf_text(&start), .body_max = REFUSAL_BODY_MAX};
	if (!from)
		return registry_send(s->at, ACCESS_PUSH, &r, doing, a, e)
		       && (a->status == 201 || a->status == 202 || refusal(a, doing, e));
	if (!http_url_add_query(buf_text(&start), "mount", s->digest, &mount, e)
	    || !http_url_add_query(buf_text(&mount), "from", from, &url, e))
		return false;
	r.url = buf_text(&url);
	return registry_try(&at, ACCESS_PUSH, &r, a, e)
	       && (a->status == 201 || a->status == 202 || refusal(a, doing, e));
}

/* Takes what a POST said: the blob is there, or this is where the bytes go. */
static bool opened(struct session *s, const struct http_answer *a, bool *done, struct err *e)
{
	*done = a->status == 201;
	if (*done)
		return true;
	if (a->chunk_least && a->chunk_least <= CHUNK_MOST)
		learned_larger_chunk(s->learned, a->chunk_least);
	buf_drop(&s->location);
	return location_read(s->at, a, s->doing, &s->location, e);
}

bool session_open(struct session *s, bool *done, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};

	s->answer.may_pass = false;
	return post(s, NULL, &a, e) && opened(s, &a, done, e);
}

bool session_mount(struct session *s, const char *from, bool *done, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};

	s->answer.may_pass = false;
	*done = false;
	if (!learned_mounts(s->learned))
		return true;
	if (!post(s, from, &a, e)) {
		/* Where nobody answered, nothing was refused. */
		if (a.status)
			learned_mount_refused(s->learned);
		if (e->kind == ERR_STOPPED)
			return false;
		err_clear(e);
		return true;
	}
	if (a.status == 202)
		learned_mount_refused(s->learned);
	return opened(s, &a, done, e);
}

/* --- What an answer means --- */

/* Whether a refusal is of the way and not of the bytes. */
static bool is_wrong_shape(const struct http_answer *a)
{
	switch (a->status) {
	case 405:
	case 411:
	case 413:
	case 416:
	case 501:
		return true;
	default:
		return a->status == 400 && refusal_has(a, "CONTENT_LENGTH_INVALID");
	}
}

/* Judges an answer that does not take what was sent. */
static bool refuse(struct session *s, struct err *e)
{
	struct http_answer *a = &s->answer;

	s->wrong_shape = is_wrong_shape(a);
	a->may_pass = refusal_passes(a) || a->status == 404;
	return refusal(a, s->doing, e);
}

/* --- Sending --- */

/* One request to the session.  On a network failure may_pass of the answer is set. */
static bool ask(struct session *s, struct http_request *r, struct err *e)
{
	const bool quiet = quirk_known(&s->learned->facts, QUIRK_NO_EXPECT);

	r->body_max = REFUSAL_BODY_MAX;
	r->no_expect = quiet;
	if (!registry_try(s->at, ACCESS_PUSH, r, &s->answer, e))
		return s->answer.may_pass ? err_in(e, "%s", s->doing) : false;
	if (s->answer.expect_silent && !quiet)
		learned_quirk(s->learned, QUIRK_NO_EXPECT);
	return true;
}

/* The closing PUT, with the digest at the end of the Location's query; body may be NULL. */
static bool close_session(struct session *s, struct source *body, uint64_t size, struct err *e)
{
	OWNED(buf_drop) struct buf url = BUF(0);

	if (!http_url_add_query(buf_text(&s->location), "digest", s->digest, &url, e))
		return false;
	struct http_request r = {
	    .method = HTTP_PUT,
	    .url = buf_text(&url),
	    .content_type = "application/octet-stream",
	    .body = body,
	    .body_size = size,
	};
	if (!ask(s, &r, e))
		return false;
	if (stored_accepted(s->answer.status) && !refusal_is_page(&s->answer))
		return stored_as(&s->answer, &s->blob->digest, s->doing, e);
	return refuse(s, e);
}

/* One PATCH; content_range NULL: of all bytes. */
static bool patch(struct session *s, struct source *body, uint64_t size,
    const char *content_range, struct err *e)
{
	struct http_request r = {
	    .method = HTTP_PATCH,
	    .url = buf_text(&s->location),
	    .content_type = "application/octet-stream",
	    .content_range = content_range,
	    .body = body,
	    .body_size = size,
	};

	if (!ask(s, &r, e))
		return false;
	if (!stored_accepted(s->answer.status) || refusal_is_page(&s->answer))
		return refuse(s, e);
	return move(s, &s->answer, e);
}

/* --- Chunks --- */

bool session_range(const char *text, uint64_t *least, uint64_t *most)
{
	struct slice rest = text ? slice_trim(slice_of(text)) : (struct slice){0};
	uint64_t last;

	if (slice_starts(rest, "bytes"))
		rest = slice_at(rest.ptr + 6, rest.len > 6 ? rest.len - 6 : 0);
	if (!slice_starts(rest, "0-"))
		return false;
	rest = slice_at(rest.ptr + 2, rest.len - 2);
	if (slice_is(rest, "-1"))
		*least = *most = 0;
	else if (slice_u64(rest, UINT64_MAX - 1, &last)) {
		*most = last + 1;
		*least = last ? last : 0;
	} else
		return false;
	return true;
}

/* Asks the session how many bytes it has, as session_range tells them; false when it does not
 * say.
 */
static bool ask_place(struct session *s, uint64_t *least, uint64_t *most)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	struct http_request r = {
	    .method = HTTP_GET, .url = buf_text(&s->location), .body_max = REFUSAL_BODY_MAX};
	struct err ignored = {0};

	return registry_try(s->at, ACCESS_PUSH, &r, &a, &ignored)
	       && (a.status == 204 || a.status == 200) && session_range(a.range, least, most)
	       && move(s, &a, &ignored);
}

/* After a chunk whose fate is not known: true when *at, where that chunk began, or its end next
 * is what comes now (UPL-12, UPL-13). */
static bool find_place(struct session *s, uint64_t *at, uint64_t next, struct err *e)
{
	uint64_t least = 0;
	uint64_t most = 0;

	if (!ask_place(s, &least, &most))
		return false;
	if (least <= next && next <= most)
		*at = next;
	else if (*at < least || most < *at)
		return false;
	err_clear(e);
	return true;
}

/* A registry, or a proxy before it, that calls a chunk too large (UPL-12, UPL-20). */
static bool is_too_large(const struct http_answer *a)
{
	const struct slice body = buf_slice(&a->body);

	return a->status == 413
	       || (a->status == 416
		   && (memmem(body.ptr, body.len, "too large", 9)
		       || memmem(body.ptr, body.len, "too big", 7)));
}

/* Sends the bytes from at on that one PATCH takes. */
static bool send_chunk(
    struct session *s, struct window_source *w, uint64_t at, uint64_t size, struct err *e)
{
	char range[48];

	(void)snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, at, at + size - 1);
	return window_source_set(w, at, size, e) && patch(s, &w->source, size, range, e);
}

static uint64_t chunk_at(const struct session *s, uint64_t at)
{
	const uint64_t rest = s->blob->size - at;
	const uint64_t chunk = learned_chunk(s->learned);

	return rest < chunk ? rest : chunk;
}

/* What is done about a chunk that was not taken: a smaller one in a new session, or on where
 * the registry stands.  True to go on. */
static bool mend(struct session *s, uint64_t *at, uint64_t size, unsigned *asked, struct err *e)
{
	if (is_too_large(&s->answer)) {
		s->smaller = learned_smaller_chunk(s->learned, size);
		s->wrong_shape = !s->smaller;
		return false;
	}
	if (!s->answer.may_pass && s->answer.status != 416)
		return false;
	return (*asked)++ < STATUS_ASKS && find_place(s, at, *at + size, e);
}

static bool send_chunks(struct session *s, uint64_t at, struct err *e)
{
	struct window_source window;
	unsigned asked = 0;

	window_source_init(&window, s->bytes);
	while (at < s->blob->size) {
		const uint64_t size = chunk_at(s, at);
		if (send_chunk(s, &window, at, size, e))
			at += size;
		else if (!mend(s, &at, size, &asked, e))
			return false;
	}
	return close_session(s, NULL, 0, e);
}

bool session_send(struct session *s, enum upload_way way, struct err *e)
{
	s->wrong_shape = s->smaller = false;
	if (!s->bytes->rewind(s->bytes, e))
		return false;
	switch (way) {
	case UPLOAD_CHUNKS:
		return send_chunks(s, 0, e);
	case UPLOAD_PATCH:
		return patch(s, s->bytes, s->blob->size, NULL, e)
		       && close_session(s, NULL, 0, e);
	case UPLOAD_PUT:
	case UPLOAD_WAYS:
		break;
	}
	return close_session(s, s->bytes, s->blob->size, e);
}

bool session_resume(struct session *s, enum upload_way way, struct err *e)
{
	uint64_t least = 0;
	uint64_t most = 0;

	if (way != UPLOAD_PUT || s->answer.status || s->blob->size < RESUME_LEAST
	    || !ask_place(s, &least, &most) || !least || most > s->blob->size)
		return false;
	err_clear(e);
	return s->bytes->rewind(s->bytes, e) && send_chunks(s, most, e);
}
