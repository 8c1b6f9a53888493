#include "registry/tags.h"

#include "base/own.h"
#include "manifests/json.h"
#include "registry/link.h"
#include "registry/refusal.h"
#include "registry/requests.h"

#include <stdlib.h>
#include <string.h>

void tags_drop(struct tags *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	free(t->items);
	*t = (struct tags){0};
}

/* Others are none of a registry (TAG-02). */
static bool is_tag(struct slice json)
{
	return json.len > 2 && json.ptr[0] == '"'
	       && reference_is_tag(slice_at(json.ptr + 1, json.len - 2));
}

static void add(struct tags *t, struct slice json)
{
	if (!(t->count & (t->count - 1)))
		t->items = own_grow(t->items, t->count ? 2 * t->count : 1, sizeof(char *));
	t->items[t->count++] = own_bytes(json.ptr + 1, json.len - 2);
}

static bool no_list(const char *doing, struct err *e)
{
	return err_set(
	    e, ERR_NETWORK, "%s: expected a list of tags, found something else", doing);
}

/* The array of one page; null and nothing are an empty one. */
static bool read_array(struct slice array, const char *doing, struct tags *t, struct err *e)
{
	struct slice tag;
	bool bad = false;

	if (!array.len || slice_is(array, "null"))
		return true;
	while (json_skim_element(&array, &tag, &bad)) {
		if (!is_tag(tag))
			continue;
		if (t->count == TAGS_MAX)
			return err_set(e, ERR_LIMIT, "%s: expected at most %d, found more",
			    doing, TAGS_MAX);
		add(t, tag);
	}
	return !bad || no_list(doing, e);
}

static bool read_page(struct slice body, const char *doing, struct tags *t, struct err *e)
{
	struct slice tags = slice_at("", 0);
	struct slice key;
	struct slice value;
	bool bad = false;

	while (json_skim_member(&body, &key, &value, &bad))
		if (slice_is(key, "tags"))
			tags = value;
	return bad ? no_list(doing, e) : read_array(tags, doing, t, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct tags *t)
{
	size_t kept = 0;

	if (t->count)
		qsort(t->items, t->count, sizeof(char *), by_text);
	for (size_t i = 0; i < t->count; i++) {
		if (kept && strcmp(t->items[kept - 1], t->items[i]) == 0)
			free(t->items[i]);
		else
			t->items[kept++] = t->items[i];
	}
	t->count = kept;
}

/* Whether there is another page, and where: what Link says; else behind the last tag of a page
 * that was filled to the number asked for (TAG-01). */
static bool next_page(const struct repository *at, const struct http_answer *a,
    const struct tags *t, size_t before, const char *first, struct buf *url)
{
	struct err ignored = {0};

	if (link_follow(at, a, url))
		return true;
	if (t->count - before != TAGS_ASKED)
		return false;
	buf_drop(url);
	return http_url_add_query(first, "last", t->items[t->count - 1], url, &ignored);
}

static bool get_page(const struct repository *at, const char *url, const char *doing,
    struct http_answer *a, struct err *e)
{
	struct http_request r = {.method = HTTP_GET, .url = url, .body_max = TAGS_PAGE_MAX};

	return registry_send(at, ACCESS_PULL, &r, doing, a, e)
	       && ((a->status == 200 && !refusal_is_page(a)) || refusal(a, doing, e));
}

bool tags_list(const struct repository *at, size_t pages, struct tags *out, struct err *e)
{
	OWNED(tags_drop) struct tags tags = {0};
	OWNED(link_trail_drop) struct link_trail trail = {0};
	OWNED(buf_drop) struct buf list = BUF(0);
	OWNED(buf_drop) struct buf first = BUF(0);
	OWNED(buf_drop) struct buf url = BUF(4096);
	char doing[REGISTRY_DOING_MAX];
	bool more = true;

	registry_doing(at, HTTP_GET, "the list of", "tags", doing);
	if (!registry_url(at, "tags", "list", &list, e)
	    || !http_url_add_query(buf_text(&list), "n", "1000", &first, e))
		return false;
	buf_adds(&url, buf_text(&first));
	while (more && trail.count < pages && link_trail_add(&trail, buf_text(&url))) {
		OWNED(http_answer_drop) struct http_answer a = {0};
		const size_t before = tags.count;
		if (!get_page(at, buf_text(&url), doing, &a, e)
		    || !read_page(buf_slice(&a.body), doing, &tags, e))
			return false;
		more = next_page(at, &a, &tags, before, buf_text(&first), &url);
	}
	tags.whole = !more || trail.count < pages;
	sort(&tags);
	*out = STEAL(tags);
	return true;
}

bool tags_have(const struct tags *t, const char *tag)
{
	return t->count && bsearch(&tag, t->items, t->count, sizeof(char *), by_text) != NULL;
}
