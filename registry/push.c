#include "registry/push.h"

#include "base/own.h"
#include "registry/refusal.h"
#include "registry/requests.h"
#include "registry/stored.h"

#include <string.h>

enum { LATE_RETRIES = 4 }; /* of a manifest whose blobs are not seen yet */

/* --- What is there --- */

/* What a name or digest shows. */
struct sight {
	bool found;
	bool hidden; /* there may be something, which a policy keeps from being read (PSH-21) */
	struct digest digest;
};

/* Where HEAD does not tell, the bytes do (MAN-12). */
static bool look_by_get(const struct repository *at, const char *ask, const char *url,
    struct sight *s, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	char doing[REGISTRY_DOING_MAX];
	struct http_request r = {
	    .method = HTTP_GET,
	    .url = url,
	    .accept = REGISTRY_MANIFEST_TYPES,
	    .body_max = IMAGE_DOCUMENT_MAX,
	};

	registry_doing(at, HTTP_GET, "manifest", ask, doing);
	if (!registry_send(at, ACCESS_PUSH, &r, doing, &a, e))
		return false;
	s->found = a.status == 200 && !refusal_is_page(&a);
	s->hidden =
	    (a.status == 412 || a.status == 403) && refusal_has(&a, "PROJECTPOLICYVIOLATION");
	if (s->found)
		digest_of(buf_slice(&a.body), &s->digest);
	return s->found || s->hidden || a.status == 404 || refusal(&a, doing, e);
}

static bool look(const struct repository *at, const char *ask, struct sight *s, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];

	registry_doing(at, HTTP_HEAD, "manifest", ask, doing);
	if (!registry_url(at, "manifests", ask, &url, e))
		return false;
	struct http_request r = {
	    .method = HTTP_HEAD, .url = buf_text(&url), .accept = REGISTRY_MANIFEST_TYPES};
	/* A HEAD that is never answered well says as little as one that is refused (MAN-12). */
	if (!registry_send(at, ACCESS_PUSH, &r, doing, &a, e)) {
		if (e->kind != ERR_NETWORK || a.status < 500)
			return false;
		err_clear(e);
	}
	*s = (struct sight){0};
	s->found = a.status == 200 && stored_said(&a, &s->digest);
	if (s->found || a.status == 404)
		return true;
	if (a.status == 401)
		return refusal(&a, doing, e);
	return look_by_get(at, ask, buf_text(&url), s, e);
}

bool push_lookup(const struct repository *at, const char *ask, bool *found,
    struct digest *digest, struct err *e)
{
	struct sight s;

	if (!look(at, ask, &s, e))
		return false;
	*found = s.found;
	*digest = s.digest;
	return true;
}

/* --- Manifests --- */

static bool read_back(const struct repository *at, const char *tag, const struct digest *want,
    bool *hidden, struct err *e)
{
	char text[2][DIGEST_TEXT];
	struct sight s;

	if (!look(at, tag, &s, e))
		return false;
	*hidden = s.hidden;
	if (s.hidden || (s.found && digest_equal(&s.digest, want)))
		return true;
	return err_set(e, ERR_DAMAGED,
	    "%s: %.160s:%.128s was stored as %s, and then names %s; does somebody else push "
	    "there?",
	    registry_host(at->registry), at->path, tag, digest_text(want, text[0]),
	    s.found ? digest_text(&s.digest, text[1]) : "nothing");
}

/* A manifest on its way. */
struct placement {
	const struct repository *at;
	const char *ask;
	const struct descriptor *manifest;
	struct slice bytes;
	struct placing *help;
	struct http_answer answer;
	char doing[REGISTRY_DOING_MAX];
};

static void placement_drop(struct placement *p)
{
	http_answer_drop(&p->answer);
}

static bool put_once(struct placement *p, struct err *e)
{
	OWNED(buf_drop) struct buf url = BUF(0);
	struct mem_source body;

	registry_doing(p->at, HTTP_PUT, "manifest", p->ask, p->doing);
	if (!registry_url(p->at, "manifests", p->ask, &url, e))
		return false;
	mem_source_init(&body, p->bytes);
	struct http_request r = {
	    .method = HTTP_PUT,
	    .url = buf_text(&url),
	    .content_type = p->manifest->media_type,
	    .body = &body.source,
	    .body_size = p->bytes.len,
	    .body_max = REFUSAL_BODY_MAX,
	};
	return registry_send(p->at, ACCESS_PUSH, &r, p->doing, &p->answer, e);
}

/* Whether the registry does not see (yet) what the manifest names (PSH-09). */
static bool lacks(const struct http_answer *a)
{
	return (a->status == 400 || a->status == 404)
	       && (refusal_has(a, "MANIFEST_BLOB_UNKNOWN") || refusal_has(a, "BLOB_UNKNOWN"));
}

/* What the registry reads as other bytes was changed on the way, or is a fault of ours
 * (PSH-15). */
static void refused(const struct placement *p, struct err *e)
{
	(void)refusal(&p->answer, p->doing, e);
	if (refusal_has(&p->answer, "DIGEST_INVALID"))
		e->kind = ERR_DAMAGED;
}

/* Puts it until the registry sees what it names, or has not for some time. */
static bool put_manifest(struct placement *p, struct err *e)
{
	struct retry_policy few = *registry_policy(p->at->registry);
	struct retry retry = {.policy = &few};
	struct placing *help = p->help;

	few.retries = few.retries < LATE_RETRIES ? few.retries : LATE_RETRIES;
	for (;;) {
		if (!put_once(p, e))
			return false;
		if (stored_accepted(p->answer.status) && !refusal_is_page(&p->answer))
			return stored_as(&p->answer, &p->manifest->digest, p->doing, e);
		refused(p, e);
		if (!lacks(&p->answer) || !retry_again(&retry, &p->answer, e))
			return false;
		if (help && help->mend && !help->mend(help, e))
			return false;
	}
}

static bool place(struct placement *p, struct err *e)
{
	bool hidden = false;

	if (!put_manifest(p, e))
		return false;
	if (!strchr(p->ask, ':') && !read_back(p->at, p->ask, &p->manifest->digest, &hidden, e))
		return false;
	if (hidden)
		watch_warn(registry_policy(p->at->registry)->watch,
		    "%.80s: %.160s:%.128s is stored, and pulling it is blocked by the "
		    "project's "
		    "policy (signatures, or a scan for vulnerabilities): it could not be read "
		    "back",
		    registry_host(p->at->registry), p->at->path, p->ask);
	if (hidden && p->help)
		p->help->unconfirmed = true;
	return true;
}

bool push_manifest_so(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct placing *p, struct err *e)
{
	OWNED(placement_drop)
	struct placement one = {
	    .at = at, .ask = ask, .manifest = manifest, .bytes = bytes, .help = p};

	return place(&one, e);
}

bool push_manifest(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct err *e)
{
	return push_manifest_so(at, ask, manifest, bytes, NULL, e);
}

bool push_referrer(
    const struct repository *at, const struct image *image, bool *listed, struct err *e)
{
	char ask[DIGEST_TEXT];
	char subject[DIGEST_TEXT];
	OWNED(placement_drop)
	struct placement one = {.at = at,
	    .ask = digest_text(&image->self.digest, ask),
	    .manifest = &image->self,
	    .bytes = buf_slice(&image->raw)};

	if (!place(&one, e))
		return false;
	*listed = one.answer.subject
		  && strcmp(one.answer.subject, digest_text(&image->subject, subject)) == 0;
	return true;
}
