#include "registry/scopes.h"

#include "base/own.h"

#include <string.h>

/* One scope, taken apart: actions stand behind the last colon, a name may hold others. */
struct scope {
	struct slice resource; /* "repository:host:5000/x" */
	bool pull;
	bool push;
};

bool scopes_next(struct slice *rest, struct slice *scope)
{
	while (slice_cut(rest, ' ', scope)) {
		if (scope->len)
			return true;
	}
	return false;
}

static struct scope take_apart(struct slice text)
{
	const char *last = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	struct scope s = {0};
	struct slice action;

	if (!last)
		return s;
	s.resource = slice_at(text.ptr, (size_t)(last - text.ptr));
	struct slice actions = slice_at(last + 1, text.len - s.resource.len - 1);
	while (slice_cut(&actions, ',', &action)) {
		const struct slice word = slice_trim(action);
		s.pull = s.pull || slice_is(word, "pull");
		s.push = s.push || slice_is(word, "push");
	}
	return s;
}

/* What a set allows of a resource. */
static struct scope find(struct slice set, struct slice resource)
{
	struct scope all = {.resource = resource};
	struct slice text;

	while (scopes_next(&set, &text)) {
		const struct scope s = take_apart(text);
		if (slice_equal(s.resource, resource)) {
			all.pull = all.pull || s.pull;
			all.push = all.push || s.push;
		}
	}
	return all;
}

bool scopes_cover(struct slice have, struct slice want)
{
	struct slice text;

	while (scopes_next(&want, &text)) {
		const struct scope w = take_apart(text);
		const struct scope h = find(have, w.resource);
		if ((w.pull && !h.pull) || (w.push && !h.push))
			return false;
	}
	return true;
}

/* Adds what all says of the resource of text, unless the set has it already. */
static void add(struct buf *set, struct slice text, struct slice all)
{
	const struct scope s = find(all, take_apart(text).resource);
	const struct scope there = find(buf_slice(set), s.resource);

	if ((!s.pull && !s.push) || there.pull || there.push || !s.resource.len)
		return;
	buf_adds(set, set->len ? " " : "");
	buf_add(set, s.resource.ptr, s.resource.len);
	/* Never push alone (TOK-08). */
	buf_adds(set, s.push ? ":pull,push" : ":pull");
}

void scopes_merge(struct buf *set, struct slice more)
{
	OWNED(buf_drop) struct buf all = BUF(2 * SCOPES_MAX);
	OWNED(buf_drop) struct buf merged = BUF(SCOPES_MAX);
	struct slice text;

	buf_add(&all, more.ptr ? more.ptr : "", more.len);
	buf_adds(&all, " ");
	buf_add(&all, buf_text(set), set->len);
	struct slice rest = buf_slice(&all);
	while (scopes_next(&rest, &text))
		add(&merged, text, buf_slice(&all));
	buf_drop(set);
	*set = STEAL(merged);
}
