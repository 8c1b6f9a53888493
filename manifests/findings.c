#include "manifests/findings.h"

#include "base/own.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 200 }; /* bytes of names in an error */

/* Whether a waiver, "CODE:PATH", means it. */
static bool waives(const char *waiver, const struct finding *one)
{
	const size_t code = strlen(one->code);

	return strncmp(waiver, one->code, code) == 0 && waiver[code] == ':'
	       && strcmp(waiver + code + 1, one->path ? one->path : "") == 0;
}

void findings_add(struct findings *f, struct finding one, const char *path, const char *text)
{
	one.path = path ? own_text(path) : NULL;
	one.text = own_text(text);
	for (size_t i = 0; one.blocking && i < f->waiver_count; i++)
		one.waived |= waives(f->waivers[i], &one);
	one.blocking &= !one.waived;
	f->items = own_grow(f->items, f->count + 1, sizeof(*f->items));
	f->items[f->count++] = one;
}

void findings_drop(struct findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->items[i].path);
		free(f->items[i].text);
	}
	free(f->items);
	*f = (struct findings){0};
}

bool findings_have(const struct findings *f, const char *code, const char *path)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->items[i].code, code) == 0 && f->items[i].path
		    && strcmp(f->items[i].path, path) == 0)
			return true;
	return false;
}

bool findings_have_in(const struct findings *f, const char *code, size_t line)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->items[i].code, code) == 0 && f->items[i].line == line)
			return true;
	return false;
}

size_t findings_blocking(const struct findings *f)
{
	size_t count = 0;

	for (size_t i = 0; i < f->count; i++)
		count += f->items[i].blocking;
	return count;
}

static bool is_used(const struct findings *f, const char *waiver)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].waived && waives(waiver, &f->items[i]))
			return true;
	return false;
}

bool findings_waivers_used(const struct findings *f, struct err *e)
{
	OWNED(buf_drop) struct buf all = BUF(LIST_MAX);

	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].blocking)
			buf_addf(&all, "%s%s:%s", all.len ? ", " : "", f->items[i].code,
			    f->items[i].path ? f->items[i].path : "");
	for (size_t i = 0; i < f->waiver_count; i++)
		if (!is_used(f, f->waivers[i]))
			return err_set(e, ERR_USAGE,
			    "--waive %.100s: expected CODE:PATH of a finding that blocks, "
			    "found "
			    "no such one; there %s",
			    f->waivers[i], all.len ? buf_text(&all) : "is none");
	return true;
}
