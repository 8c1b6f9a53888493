#include "manifests/overlay.h"

#include "base/own.h"
#include "manifests/json.h"
#include "manifests/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_MAX = 1024 };

static int by_path(const void *a, const void *b)
{
	return strcmp(
	    (*(const struct change *const *)a)->path, (*(const struct change *const *)b)->path);
}

/* The key that path begins with, as YAML; *path goes on behind it. */
static void put_key(struct slice *path, struct buf *out)
{
	struct json_writer w = {.out = out};
	struct slice key;
	const char *quote =
	    path->len && path->ptr[0] == '"' ? memchr(path->ptr + 1, '"', path->len - 1) : NULL;

	if (!quote) {
		(void)slice_cut(path, '.', &key);
		if (yaml_is_text(key))
			buf_add(out, key.ptr, key.len);
		else
			json_put_text(&w, key);
		return;
	}
	key = slice_at(path->ptr + 1, (size_t)(quote - path->ptr) - 1);
	*path = slice_at(quote + 1, path->len - key.len - 2);
	if (path->len)
		*path = slice_at(path->ptr + 1, path->len - 1);
	else
		path->ptr = NULL;
	json_put_text(&w, key);
}

/* How many bytes of leading whole parts two paths share, with the dot behind them. */
static size_t shared_parts(const char *a, const char *b)
{
	bool quoted = false;
	size_t shared = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
		quoted ^= a[i] == '"';
		if (a[i] == '.' && !quoted)
			shared = i + 1;
	}
	return shared;
}

static void put_overlay_line(struct buf *out, const char *before, const struct change *change)
{
	struct json_writer w = {.out = out};
	const size_t shared = shared_parts(before, change->path);
	struct slice rest = slice_of(change->path);
	struct buf key = BUF(KEY_MAX);

	for (size_t depth = 0; rest.ptr; depth++) {
		const bool again = (size_t)(rest.ptr - change->path) < shared;
		buf_clear(&key);
		put_key(&rest, &key);
		if (!again)
			buf_addf(out, "%*s%s:%s", (int)(2 * depth), "", buf_text(&key),
			    rest.ptr ? "\n" : " ");
	}
	json_put_text(&w, slice_of(change->new));
	buf_adds(out, "\n");
	buf_drop(&key);
}

void overlay_write(const struct change *changes, size_t change_count, struct buf *out)
{
	OWNED(drop_any)
	const struct change **sorted = own_array(change_count, sizeof(struct change *));
	const char *before = "";
	size_t count = 0;

	for (size_t i = 0; i < change_count; i++)
		if (changes[i].kind == CHANGE_OVERLAY)
			sorted[count++] = &changes[i];
	if (!count)
		return;
	/* Paths that begin alike stand together, so each mapping is opened once. */
	qsort(sorted, count, sizeof(struct change *), by_path);
	buf_adds(out, "# Image coordinates that stand in the chart's defaults only; "
		      "use this file after your own.\n");
	for (size_t i = 0; i < count; i++) {
		put_overlay_line(out, before, sorted[i]);
		before = sorted[i]->path;
	}
}
