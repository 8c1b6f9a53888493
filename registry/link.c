#include "registry/link.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_one_of(char c, const char *these)
{
	return c && strchr(these, c);
}

/* Whether one of the words is "next". */
static bool has_next(struct slice words)
{
	struct slice word;

	while (slice_cut(&words, ' ', &word))
		if (word.len == 4 && strncasecmp(word.ptr, "next", 4) == 0)
			return true;
	return false;
}

/* The value of a parameter, without its quotes; *rest goes on behind it. */
static struct slice take_value(struct slice *rest)
{
	const bool quoted = slice_starts(*rest, "\"");
	const char *from = rest->ptr + quoted;
	size_t len = 0;
	const size_t most = rest->len - quoted;

	while (len < most && (quoted ? from[len] != '"' : !is_one_of(from[len], ";,")))
		len++;
	const size_t used = quoted + len + (quoted && len < most);
	*rest = slice_at(rest->ptr + used, rest->len - used);
	return slice_trim(slice_at(from, len));
}

static void skip(struct slice *rest, const char *these)
{
	while (rest->len && is_one_of(*rest->ptr, these))
		*rest = slice_at(rest->ptr + 1, rest->len - 1);
}

/* The parameters of one link, up to the comma behind it: whether they make it the next page. */
static bool is_next(struct slice *rest)
{
	bool next = false;
	bool related = false;

	for (skip(rest, " \t;"); rest->len && *rest->ptr != ','; skip(rest, " \t;")) {
		size_t name = 0;
		while (name < rest->len && !is_one_of(rest->ptr[name], "=;,"))
			name++;
		const bool rel = slice_trim(slice_at(rest->ptr, name)).len == 3
				 && strncasecmp(rest->ptr, "rel", 3) == 0;
		*rest = slice_at(rest->ptr + name, rest->len - name);
		if (!slice_starts(*rest, "="))
			continue;
		*rest = slice_at(rest->ptr + 1, rest->len - 1);
		skip(rest, " \t");
		const struct slice value = take_value(rest);
		related = related || rel;
		next = next || (rel && has_next(value));
	}
	return next || !related;
}

static struct slice next_of_line(struct slice line)
{
	for (;;) {
		skip(&line, " \t,");
		const char *end =
		    slice_starts(line, "<") ? memchr(line.ptr, '>', line.len) : NULL;
		if (!end)
			return slice_at("", 0);
		const struct slice target =
		    slice_at(line.ptr + 1, (size_t)(end - line.ptr) - 1);
		line = slice_at(end + 1, line.len - target.len - 2);
		if (is_next(&line))
			return target;
	}
}

struct slice link_next(struct slice lines)
{
	struct slice line;

	while (slice_cut(&lines, '\n', &line)) {
		const struct slice target = next_of_line(line);
		if (target.len)
			return target;
	}
	return slice_at("", 0);
}

void link_trail_drop(struct link_trail *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->urls[i]);
	free(t->urls);
	*t = (struct link_trail){0};
}

bool link_trail_add(struct link_trail *t, const char *url)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->urls[i], url) == 0)
			return false;
	if (t->count == LINK_PAGES_MAX)
		return false;
	t->urls = own_grow(t->urls, t->count + 1, sizeof(char *));
	t->urls[t->count++] = own_text(url);
	return true;
}

/* A proxy in between may have lost our scheme or port (as of UPL-06). */
static bool same_host(const char *a, const char *b)
{
	OWNED(url_parts_drop) struct url_parts left = {0};
	OWNED(url_parts_drop) struct url_parts right = {0};
	struct err ignored = {0};

	return http_url_parts(a, &left, &ignored) && http_url_parts(b, &right, &ignored)
	       && strcasecmp(left.host, right.host) == 0;
}

bool link_follow(const struct repository *at, const struct http_answer *a, struct buf *url)
{
	const char *base = registry_base(at->registry);
	const struct slice next = link_next(buf_slice(&a->links));
	OWNED(drop_text) char *target = own_bytes(next.ptr, next.len);
	OWNED(buf_drop) struct buf joined = BUF(0);
	struct err ignored = {0};

	if (!next.len || !http_url_join(a->url, target, &joined, &ignored)
	    || !same_host(buf_text(&joined), base))
		return false;
	const char *rest = strstr(buf_text(&joined), "://") + 3;
	buf_drop(url);
	*url = BUF(64 * 1024);
	buf_adds(url, base);
	buf_adds(url, rest + strcspn(rest, "/?#"));
	return buf_ok(url, &ignored);
}
