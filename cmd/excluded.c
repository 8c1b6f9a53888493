#include "cmd/excluded.h"

#include "base/own.h"
#include "manifests/reference.h"

#include <stdlib.h>
#include <string.h>

static bool find(const struct inventory *inv, const char *text, size_t *at, struct err *e)
{
	struct reference ref;
	char name[REFERENCE_TEXT_MAX];

	if (!reference_parse(slice_of(text), &ref, e)) {
		e->kind = ERR_USAGE;
		return err_in(e, "--exclude");
	}
	(void)reference_text(&ref, name);
	for (*at = 0; *at < inv->image_count; ++*at)
		if (strcmp(inv->images[*at].ref, name) == 0)
			return true;
	return err_set(e, ERR_USAGE,
	    "--exclude: expected an image of this bundle, found %s; sealift inspect lists them",
	    name);
}

static bool leaves_something(
    const struct excluded *x, const struct inventory *inv, struct err *e)
{
	for (size_t i = 0; i < inv->image_count; i++)
		if (!x->reasons[i])
			return true;
	return inv->chart_count
	       || err_set(e, ERR_USAGE,
		   "--exclude: expected something to be left to push, found none");
}

bool excluded_read(const struct excluded_options *o, const struct inventory *inv,
    struct excluded *out, struct err *e)
{
	OWNED(excluded_drop)
	struct excluded x = {own_array(inv->image_count, sizeof(*x.reasons))};
	size_t at;

	if (o->refs.count != o->reasons.count)
		return err_set(e, ERR_USAGE,
		    "expected a --reason for each --exclude, found %zu for %zu",
		    o->reasons.count, o->refs.count);
	for (size_t i = 0; i < o->refs.count; i++) {
		if (!find(inv, o->refs.items[i], &at, e))
			return false;
		if (!*o->reasons.items[i])
			return err_set(
			    e, ERR_USAGE, "--reason: expected a text, found an empty one");
		x.reasons[at] = o->reasons.items[i];
	}
	if (!leaves_something(&x, inv, e))
		return false;
	*out = STEAL(x);
	return true;
}

void excluded_drop(struct excluded *x)
{
	free(x->reasons);
	*x = (struct excluded){0};
}
