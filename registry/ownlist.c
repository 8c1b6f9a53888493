#include "registry/ownlist.h"

#include "base/own.h"
#include "registry/link.h"
#include "registry/requests.h"

#include <stdlib.h>
#include <string.h>

/* One page of it; *known is false when the registry says anything but an index, which means
 * that it has no such list (RFR-01). */
static bool get_page(const struct repository *at, const char *url, bool *known,
    struct image **page, struct buf *next, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	struct http_request r = {.method = HTTP_GET,
	    .url = url,
	    .accept = MEDIA_OCI_INDEX,
	    .body_max = IMAGE_DOCUMENT_MAX};
	struct err ignored = {0};

	*known = false;
	if (!registry_ask(at, ACCESS_PULL, &r, &a, &ignored)) {
		*e = ignored;
		return ignored.kind != ERR_STOPPED;
	}
	if (a.status != 200 || !a.content_type || strcmp(a.content_type, MEDIA_OCI_INDEX) != 0)
		return true;
	if (!link_follow(at, &a, next))
		buf_clear(next);
	*known =
	    image_parse_take(&a.body, NULL, page, &ignored) && (*page)->kind == IMAGE_INDEX;
	return true;
}

void own_list_drop(struct own_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		image_free(l->pages[i]);
	free(l->pages);
	*l = (struct own_list){0};
}

/* Also when nothing came: the tags are looked at then, and a person is told why. */
static bool no_list(const struct repository *at, const struct err *why, struct err *e)
{
	if (why->kind == ERR_STOPPED) {
		*e = *why;
		return false;
	}
	if (why->kind != ERR_NONE)
		watch_warn(registry_policy(at->registry)->watch,
		    "%s; what refers to it is looked for by tags", why->text);
	else
		learned_list_asked(registry_learned(at->registry), false);
	return true;
}

bool own_list_get(const struct repository *at, const struct digest *subject,
    struct own_list *out, struct err *e)
{
	OWNED(link_trail_drop) struct link_trail trail = {0};
	OWNED(buf_drop) struct buf url = BUF(0);
	char text[DIGEST_TEXT];
	struct err why = {0};
	bool known = false;

	if (!learned_lists(registry_learned(at->registry)))
		return true;
	if (!registry_url(at, "referrers", digest_text(subject, text), &url, e))
		return false;
	while (url.len && link_trail_add(&trail, buf_text(&url))) {
		OWNED(image_drop) struct image *page = NULL;
		OWNED(buf_drop) struct buf next = BUF(64 * 1024);
		if (!get_page(at, buf_text(&url), &known, &page, &next, &why) || !known)
			return out->count ? err_set(e, ERR_NETWORK,
				   "%.80s: expected the list of what refers to %s to go on, it "
				   "does not",
				   registry_host(at->registry), text)
					  : no_list(at, &why, e);
		out->pages = own_grow(out->pages, out->count + 1, sizeof(struct image *));
		out->pages[out->count++] = STEAL(page);
		learned_list_asked(registry_learned(at->registry), true);
		buf_drop(&url);
		url = STEAL(next);
	}
	return true;
}
