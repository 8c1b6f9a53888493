#include "registry/pull.h"

#include "base/own.h"
#include "manifests/verify.h"
#include "registry/refusal.h"
#include "registry/requests.h"

#include <inttypes.h>
#include <string.h>

enum { PROGRESS_BYTES = 1024 * 1024 }; /* so much more resets the count of attempts */

/* --- Manifests --- */

/* The registry's own word on the digest is a cross-check only (MAN-05): a sha256 that differs
 * is refused, anything that is none is nothing. */
static bool check_header(
    const struct http_answer *a, const struct digest *found, const char *doing, struct err *e)
{
	char text[DIGEST_TEXT];
	struct digest said;
	struct err ignored = {0};

	if (!a->content_digest || !digest_parse(slice_of(a->content_digest), &said, &ignored)
	    || digest_equal(&said, found))
		return true;
	return err_set(e, ERR_DAMAGED,
	    "%s: Docker-Content-Digest says %.71s, the bytes that came are %s", doing,
	    a->content_digest, digest_text(found, text));
}

/* The bytes must be what was asked for: the digest in ask, the parent's size. */
static bool check_bytes(const char *ask, const struct descriptor *want,
    const struct http_answer *a, const char *doing, struct err *e)
{
	char text[DIGEST_TEXT];
	struct digest asked;
	struct digest found;
	struct err ignored = {0};

	if (want && want->size != a->body.len)
		return err_set(e, ERR_DAMAGED,
		    "%s: expected %" PRIu64 " bytes, found %zu: the registry sends other bytes",
		    doing, want->size, a->body.len);
	digest_of(buf_slice(&a->body), &found);
	if (!digest_parse(slice_of(ask), &asked, &ignored))
		return check_header(a, &found, doing, e);
	if (digest_equal(&asked, &found))
		return true;
	return err_set(e, ERR_DAMAGED,
	    "%s: the bytes that came are %s: the registry sends other bytes", doing,
	    digest_text(&found, text));
}

bool pull_manifest(const struct repository *at, const char *ask, const struct descriptor *want,
    struct image **out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];
	const struct setting_number said = registry_settings(at->registry)->max_manifest;

	registry_doing(at, HTTP_GET, "manifest", ask, doing);
	if (!registry_url(at, "manifests", ask, &url, e))
		return false;
	struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&url),
	    .accept = REGISTRY_MANIFEST_TYPES,
	    .body_max = said.said ? said.value : IMAGE_DOCUMENT_MAX,
	};
	if (!registry_send(at, ACCESS_PULL, &r, doing, &a, e))
		return e->kind == ERR_LIMIT ? err_in(e, "%s", doing) : false;
	if (a.status != 200 || refusal_is_page(&a))
		return refusal(&a, doing, e);
	if (!check_bytes(ask, want, &a, doing, e))
		return false;
	const char *type = want && want->media_type ? want->media_type : a.content_type;
	/* A digest vouches for what the document says of itself; of a tag, both must agree
	 * (MAN-03). */
	if (!want && strchr(ask, ':') && image_names_type(buf_slice(&a.body)))
		type = NULL;
	return image_parse_take(&a.body, type, out, e) || err_in(e, "%s", doing);
}

/* --- Blobs --- */

/* Passes bytes on and tells of them: the innermost of the chain, so that what is told of stands
 * behind it. */
struct told_sink {
	struct sink sink;
	struct sink *to;
	struct watch *watch;
	const struct descriptor *what;
	uint64_t seen;
};

static bool told_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct told_sink *t = (struct told_sink *)self;

	if (!t->to->write(t->to, bytes, len, e))
		return false;
	t->seen += len;
	watch_tell(t->watch, &(struct news){.kind = NEWS_BYTES, .what = t->what, .bytes = len});
	return true;
}

static bool told_rewind(struct sink *self, struct err *e)
{
	struct told_sink *t = (struct told_sink *)self;

	watch_tell(
	    t->watch, &(struct news){.kind = NEWS_RESTART, .what = t->what, .bytes = t->seen});
	t->seen = 0;
	return t->to->rewind(t->to, e);
}

/* One blob on its way. */
struct fetch {
	const struct repository *at;
	const struct descriptor *blob;
	struct told_sink told;
	struct verify_sink verify;
	struct http_answer answer;
	struct buf url;
	char doing[REGISTRY_DOING_MAX];
	bool whole; /* a resumed answer was no use: begin at 0 without Range */
};

static void fetch_drop(struct fetch *f)
{
	verify_sink_drop(&f->verify);
	http_answer_drop(&f->answer);
	buf_drop(&f->url);
}

static bool restart(struct fetch *f, struct err *e)
{
	return f->verify.seen == 0 || f->verify.sink.rewind(&f->verify.sink, e);
}

/* What an answer that is not the blob means: a Range that was no use is dropped, all else is
 * the registry's refusal. */
static bool judge(struct fetch *f, bool ranged, struct err *e)
{
	struct http_answer *a = &f->answer;

	if (ranged && (a->status == 206 || a->status == 416)) {
		f->whole = true;
		a->may_pass = true;
		return err_set(e, ERR_NETWORK,
		    "%s: the registry cannot continue at byte %" PRIu64, f->doing,
		    f->verify.seen);
	}
	(void)refusal(a, f->doing, e);
	a->may_pass = refusal_passes(a);
	return false;
}

/* One request for the blob, or for what is missing of it (DL-07, DL-08).  On failure may_pass
 * of the answer says whether another attempt is any use. */
static bool attempt(struct fetch *f, struct err *e)
{
	if (f->whole && !restart(f, e)) {
		f->answer.may_pass = false;
		return false;
	}
	const bool ranged = f->verify.seen > 0;
	if (ranged && f->verify.seen == f->blob->size)
		return true;
	struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&f->url),
	    .range_from = f->verify.seen,
	    .sink = &f->verify.sink,
	    .body_max = REFUSAL_BODY_MAX,
	};
	if (!registry_try(f->at, ACCESS_PULL, &r, &f->answer, e))
		return false;
	f->whole = false;
	if (!f->answer.sunk || (f->answer.status != 200 && f->answer.status != 206))
		return judge(f, ranged, e);
	/* A length that was told and kept is the registry's word on the size: other bytes. */
	if (f->answer.has_length && !refusal_is_page(&f->answer))
		return true;
	if (f->verify.seen < f->blob->size) {
		f->answer.may_pass = !refusal_is_page(&f->answer);
		return err_set(e, ERR_NETWORK,
		    "%s: expected %" PRIu64 " bytes, the transfer ended after %" PRIu64 "%s",
		    f->doing, f->blob->size, f->verify.seen,
		    f->answer.may_pass ? "" : ": an HTML page, not the blob");
	}
	return true;
}

/* Repeats attempts until all bytes came; what was got counts, so a link that breaks now and
 * then does not use the attempts up. */
static bool fetch_all(struct fetch *f, struct err *e)
{
	struct retry retry = registry_retry(f->at->registry);
	uint64_t before = f->verify.seen;

	while (!attempt(f, e)) {
		if (!f->answer.may_pass)
			return false;
		if (f->verify.seen >= before + PROGRESS_BYTES)
			retry.failed = 0;
		before = f->verify.seen;
		if (!retry_again(&retry, &f->answer, e))
			return false;
	}
	return true;
}

/* Bytes of the wrong digest, or more than there should be, get one more chance from the first
 * byte on (DL-11). */
static bool fetch_verified(struct fetch *f, struct err *e)
{
	for (int tries = 0;; tries++) {
		if (fetch_all(f, e) && verify_sink_end(&f->verify, e))
			return true;
		if (e->kind != ERR_DAMAGED)
			return false;
		if (refusal_is_page(&f->answer))
			return err_set(e, ERR_NETWORK,
			    "%s: expected the blob, found an HTML page; check address and "
			    "proxy",
			    f->doing);
		if (tries)
			return err_in(e, "%s", f->doing);
		err_clear(e);
		if (!f->verify.sink.rewind(&f->verify.sink, e))
			return false;
	}
}

static void fetch_init(struct fetch *f, const struct repository *at,
    const struct descriptor *blob, struct sink *sink)
{
	*f = (struct fetch){.at = at, .blob = blob};
	f->told = (struct told_sink){
	    .sink = {told_write, sink->rewind ? told_rewind : NULL},
	    .to = sink,
	    .watch = registry_policy(at->registry)->watch,
	    .what = blob,
	};
	verify_sink_init(&f->verify, blob, &f->told.sink);
}

static bool fetch_run(struct fetch *f, struct err *e)
{
	char text[DIGEST_TEXT];

	registry_doing(f->at, HTTP_GET, "blob", digest_text(&f->blob->digest, text), f->doing);
	return registry_url(f->at, "blobs", text, &f->url, e) && fetch_verified(f, e);
}

bool pull_blob(const struct repository *at, const struct descriptor *blob, struct sink *sink,
    struct err *e)
{
	OWNED(fetch_drop) struct fetch f = {0};

	fetch_init(&f, at, blob, sink);
	return fetch_run(&f, e);
}

bool pull_rest(const struct repository *at, const struct descriptor *blob, struct source *held,
    struct sink *sink, struct err *e)
{
	OWNED(fetch_drop) struct fetch f = {0};

	fetch_init(&f, at, blob, sink);
	if (!verify_sink_hold(&f.verify, held, e))
		return false;
	f.told.seen = f.verify.seen;
	watch_tell(f.told.watch,
	    &(struct news){.kind = NEWS_BYTES, .what = blob, .bytes = f.verify.seen});
	return fetch_run(&f, e);
}

bool pull_lacks(
    const struct repository *at, const struct descriptor *blob, bool *lacks, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];
	char text[DIGEST_TEXT];

	registry_doing(at, HTTP_HEAD, "blob", digest_text(&blob->digest, text), doing);
	if (!registry_url(at, "blobs", text, &url, e))
		return false;
	struct http_request r = {.method = HTTP_HEAD, .url = buf_text(&url)};
	if (!registry_send(at, ACCESS_PULL, &r, doing, &a, e))
		return false;
	*lacks = a.status == 404;
	return true;
}
