#include "registry/chartindex.h"

#include "base/own.h"
#include "manifests/yamlstream.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 8 }; /* versions that an error lists */

static void entry_drop(struct chart_entry *c)
{
	for (size_t i = 0; i < c->url_count; i++)
		free(c->urls[i]);
	free(c->urls);
	free(c->version);
	free(c->digest);
	*c = (struct chart_entry){0};
}

void chart_entries_drop(struct chart_entries *c)
{
	for (size_t i = 0; i < c->count; i++)
		entry_drop(&c->items[i]);
	free(c->items);
	*c = (struct chart_entries){0};
}

/* --- Reading --- */

struct reading {
	struct yaml_stream *yaml;
	const char *what;
	const char *name;
	struct chart_entries *out;
	bool has_version; /* the index says its own: apiVersion */
	bool has_entries;
};

/* Goes through a mapping: what each key means is said by on_key, which takes the value that
 * follows, beginning with p. */
typedef bool (*on_key)(
    struct reading *r, struct slice key, const struct yaml_piece *p, struct err *e);

static bool each_key(struct reading *r, on_key take, struct err *e)
{
	for (;;) {
		struct yaml_piece key;
		struct yaml_piece value;
		if (!yaml_stream_next(r->yaml, &key, e))
			return false;
		if (key.kind == YAML_PIECE_CLOSE || key.kind == YAML_PIECE_END)
			return true;
		OWNED(drop_text)
		char *text = key.kind == YAML_PIECE_SCALAR
				 ? own_bytes(key.text.ptr, key.text.len)
				 : own_text("");
		if (!yaml_stream_skip(r->yaml, &key, e)
		    || !yaml_stream_next(r->yaml, &value, e))
			return false;
		if (!take(r, slice_of(text), &value, e))
			return false;
	}
}

/* A text of an entry, or NULL for what is none: null, an alias, a collection. */
static bool take_text(struct reading *r, const struct yaml_piece *p, char **out, struct err *e)
{
	if (p->kind != YAML_PIECE_SCALAR)
		return yaml_stream_skip(r->yaml, p, e);
	if (p->null || !p->text.len || memchr(p->text.ptr, '\0', p->text.len))
		return true;
	r->out->text += p->text.len;
	if (r->out->text > CHART_VERSIONS_TEXT)
		return err_set(e, ERR_LIMIT,
		    "%.160s: expected at most %d bytes of versions of chart %.80s, found more",
		    r->what, CHART_VERSIONS_TEXT, r->name);
	free(*out);
	*out = own_bytes(p->text.ptr, p->text.len);
	return true;
}

static bool take_urls(
    struct reading *r, struct chart_entry *entry, const struct yaml_piece *p, struct err *e)
{
	struct yaml_piece item;

	if (p->kind != YAML_PIECE_SEQUENCE)
		return yaml_stream_skip(r->yaml, p, e);
	for (;;) {
		char *url = NULL;
		if (!yaml_stream_next(r->yaml, &item, e))
			return false;
		if (item.kind == YAML_PIECE_CLOSE)
			return true;
		if (!take_text(r, &item, &url, e))
			return false;
		if (!url || entry->url_count == CHART_URLS_MAX) {
			free(url);
			continue;
		}
		entry->urls = own_grow(entry->urls, entry->url_count + 1, sizeof(char *));
		entry->urls[entry->url_count++] = url;
	}
}

static bool in_entry(
    struct reading *r, struct slice key, const struct yaml_piece *p, struct err *e)
{
	struct chart_entry *entry = &r->out->items[r->out->count];

	if (slice_is(key, "version"))
		return take_text(r, p, &entry->version, e);
	if (slice_is(key, "digest"))
		return take_text(r, p, &entry->digest, e);
	if (slice_is(key, "urls"))
		return take_urls(r, entry, p, e);
	return yaml_stream_skip(r->yaml, p, e);
}

static bool take_entry(struct reading *r, struct err *e)
{
	struct chart_entries *out = r->out;

	if (out->count == CHART_VERSIONS_MAX)
		return err_set(e, ERR_LIMIT,
		    "%.160s: expected at most %d versions of chart %.80s, found more", r->what,
		    CHART_VERSIONS_MAX, r->name);
	if (!(out->count & (out->count - 1)))
		out->items =
		    own_grow(out->items, out->count ? 2 * out->count : 1, sizeof(*out->items));
	out->items[out->count] = (struct chart_entry){0};
	const bool ok = each_key(r, in_entry, e);
	if (ok && out->items[out->count].version && out->items[out->count].url_count) {
		out->count++;
		return true;
	}
	entry_drop(&out->items[out->count]);
	out->odd++;
	return ok;
}

static bool take_versions(struct reading *r, const struct yaml_piece *p, struct err *e)
{
	struct yaml_piece item;

	r->out->found = true;
	if (p->kind != YAML_PIECE_SEQUENCE)
		return yaml_stream_skip(r->yaml, p, e);
	for (;;) {
		if (!yaml_stream_next(r->yaml, &item, e))
			return false;
		if (item.kind == YAML_PIECE_CLOSE)
			return true;
		if (item.kind == YAML_PIECE_MAPPING) {
			if (!take_entry(r, e))
				return false;
			continue;
		}
		r->out->odd++;
		if (!yaml_stream_skip(r->yaml, &item, e))
			return false;
	}
}

/* Of a name that comes twice the last one counts, as in Helm. */
static bool in_entries(
    struct reading *r, struct slice key, const struct yaml_piece *p, struct err *e)
{
	if (!slice_is(key, r->name))
		return yaml_stream_skip(r->yaml, p, e);
	const bool twice = r->out->found;
	chart_entries_drop(r->out);
	r->out->twice = twice;
	return take_versions(r, p, e);
}

static bool in_index(
    struct reading *r, struct slice key, const struct yaml_piece *p, struct err *e)
{
	if (slice_is(key, "apiVersion"))
		r->has_version = p->kind == YAML_PIECE_SCALAR && !p->null;
	if (!slice_is(key, "entries") || p->kind != YAML_PIECE_MAPPING)
		return yaml_stream_skip(r->yaml, p, e);
	r->has_entries = true;
	return each_key(r, in_entries, e);
}

bool chartindex_read(struct source *yaml, const char *what, const char *name,
    struct chart_entries *out, struct err *e)
{
	OWNED(yaml_stream_drop) struct yaml_stream *stream = yaml_stream_new(yaml, what);
	OWNED(chart_entries_drop) struct chart_entries found = {0};
	struct reading r = {.yaml = stream, .what = what, .name = name, .out = &found};
	struct yaml_piece root;
	struct yaml_piece end;

	if (!yaml_stream_next(stream, &root, e))
		return false;
	if (root.kind == YAML_PIECE_MAPPING
	    && (!each_key(&r, in_index, e) || !yaml_stream_next(stream, &end, e)))
		return false;
	if (!r.has_version || !r.has_entries)
		return err_set(e, ERR_FORMAT,
		    "%.200s: expected \"apiVersion\" and \"entries\" with charts, found no "
		    "%s: no index of a chart repository",
		    what, r.has_entries ? "apiVersion" : "entries");
	*out = STEAL(found);
	return true;
}

/* --- Choosing --- */

bool version_choose(
    const char *const *versions, size_t count, const char *version, size_t *chosen)
{
	struct semver best = {0};
	struct range range;
	struct err ignored = {0};
	bool any = false;

	for (size_t i = 0; version && i < count; i++) {
		if (strcmp(versions[i], version) != 0)
			continue;
		*chosen = i;
		return true;
	}
	if (!range_parse(slice_of(version ? version : "*"), &range, &ignored))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct semver v;
		if (!semver_parse(slice_of(versions[i]), &v) || !range_has(&range, &v)
		    || (any && semver_compare(&v, &best) <= 0))
			continue;
		any = true;
		best = v;
		*chosen = i;
	}
	return any;
}

/* The versions that stand first, which in most repositories are the newest. */
static void list_versions(const struct chart_entries *c, struct buf *out)
{
	for (size_t i = 0; i < c->count && i < NAMED_MAX; i++)
		buf_addf(out, "%s%.40s", i ? ", " : "", c->items[i].version);
	if (c->count > NAMED_MAX)
		buf_addf(out, " and %zu more", c->count - NAMED_MAX);
}

bool chartindex_choose(const struct chart_entries *c, const char *what, const char *name,
    const char *version, const struct chart_entry **out, struct err *e)
{
	OWNED(drop_any) const char **versions = own_array(c->count, sizeof(char *));
	OWNED(buf_drop) struct buf there = BUF(1024);
	size_t at = 0;

	if (!c->found)
		return err_set(e, ERR_MISSING, "%.200s: there is no chart %.80s", what, name);
	for (size_t i = 0; i < c->count; i++)
		versions[i] = c->items[i].version;
	if (version_choose(versions, c->count, version, &at)) {
		*out = &c->items[at];
		return true;
	}
	list_versions(c, &there);
	return err_set(e, ERR_MISSING,
	    "%.160s: chart %.80s has no version %.80s that can be fetched; there are %.200s",
	    what, name, version ? version : "that is stable",
	    there.len ? buf_text(&there) : "none");
}
