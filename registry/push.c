#include "registry/push.h"

#include "base/own.h"
#include "registry/refusal.h"
#include "registry/stored.h"

#include <string.h>

enum { UNSETTLED_MOST = 4 }; /* times that a manifest is sent again for its blobs' sake */

/* --- What is there --- */

/* Where HEAD does not tell, the bytes do (MAN-12). */
static bool lookup_by_get(const struct repository *at, const char *ask, const char *url,
    bool *found, struct digest *digest, struct err *e)
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
	*found = a.status == 200 && !refusal_is_page(&a);
	if (*found)
		digest_of(buf_slice(&a.body), digest);
	return *found || a.status == 404 || refusal(&a, doing, e);
}

bool push_lookup(const struct repository *at, const char *ask, bool *found,
    struct digest *digest, struct err *e)
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
	*found = a.status == 200 && stored_said(&a, digest);
	if (*found || a.status == 404)
		return true;
	if (a.status == 401)
		return refusal(&a, doing, e);
	return lookup_by_get(at, ask, buf_text(&url), found, digest, e);
}

/* --- Manifests --- */

static bool read_back(
    const struct repository *at, const char *tag, const struct digest *want, struct err *e)
{
	char text[2][DIGEST_TEXT];
	struct digest there;
	bool found = false;

	if (!push_lookup(at, tag, &found, &there, e))
		return false;
	if (found && digest_equal(&there, want))
		return true;
	return err_set(e, ERR_DAMAGED,
	    "%s: %.160s:%.128s was stored as %s, and then names %s; does somebody else push "
	    "there?",
	    registry_host(at->registry), at->path, tag, digest_text(want, text[0]),
	    found ? digest_text(&there, text[1]) : "nothing");
}

/* Whether the registry misses a blob that it confirmed: some see what they stored a little
 * later than they say (PSH-09). */
static bool is_unsettled(const struct http_answer *a)
{
	return (a->status == 400 || a->status == 404)
	       && (refusal_has(a, "MANIFEST_BLOB_UNKNOWN") || refusal_has(a, "BLOB_UNKNOWN"));
}

static bool send_manifest(const struct repository *at, struct http_request *r,
    const char *doing, struct http_answer *a, struct err *e)
{
	struct retry retry = {.policy = registry_policy(at->registry)};

	for (;;) {
		if (!registry_send(at, ACCESS_PUSH, r, doing, a, e))
			return false;
		if (!is_unsettled(a) || retry.failed == UNSETTLED_MOST)
			return true;
		(void)refusal(a, doing, e);
		if (!retry_again(&retry, a, e))
			return e->kind != ERR_STOPPED;
		if (!r->body->rewind(r->body, e))
			return false;
	}
}

/* What the registry reads as other bytes was changed on the way, or is a fault of ours
 * (PSH-15).
 */
static bool refused(const struct http_answer *a, const char *doing, struct err *e)
{
	(void)refusal(a, doing, e);
	if (refusal_has(a, "DIGEST_INVALID"))
		e->kind = ERR_DAMAGED;
	return false;
}

static bool put_manifest(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct http_answer *a, struct err *e)
{
	OWNED(buf_drop) struct buf url = BUF(0);
	char doing[REGISTRY_DOING_MAX];
	struct mem_source body;

	registry_doing(at, HTTP_PUT, "manifest", ask, doing);
	if (!registry_url(at, "manifests", ask, &url, e))
		return false;
	mem_source_init(&body, bytes);
	struct http_request r = {
	    .method = HTTP_PUT,
	    .url = buf_text(&url),
	    .content_type = manifest->media_type,
	    .body = &body.source,
	    .body_size = bytes.len,
	    .body_max = REFUSAL_BODY_MAX,
	};
	if (!send_manifest(at, &r, doing, a, e))
		return false;
	if (!stored_accepted(a->status) || refusal_is_page(a))
		return refused(a, doing, e);
	if (!stored_as(a, &manifest->digest, doing, e))
		return false;
	return strchr(ask, ':') || read_back(at, ask, &manifest->digest, e);
}

bool push_manifest(const struct repository *at, const char *ask,
    const struct descriptor *manifest, struct slice bytes, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};

	return put_manifest(at, ask, manifest, bytes, &a, e);
}

bool push_referrer(
    const struct repository *at, const struct image *image, bool *listed, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	char ask[DIGEST_TEXT];
	char subject[DIGEST_TEXT];

	if (!put_manifest(at, digest_text(&image->self.digest, ask), &image->self,
		buf_slice(&image->raw), &a, e))
		return false;
	*listed = a.subject && strcmp(a.subject, digest_text(&image->subject, subject)) == 0;
	return true;
}
