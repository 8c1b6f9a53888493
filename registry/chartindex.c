#include "registry/chartindex.h"

#include "base/own.h"
#include "manifests/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { NAMED_MAX = 8 }; /* versions that an error lists */

/* A version by its numbers; false for one that is no stable release. */
struct stable {
	uint64_t part[3];
};

void chart_entry_drop(struct chart_entry *c)
{
	free(c->version);
	free(c->url);
	free(c->digest);
	*c = (struct chart_entry){0};
}

static struct slice text_of(const struct yaml_node *mapping, const char *key)
{
	const struct yaml_node *node = yaml_resolve(yaml_get(mapping, key));

	if (!node || node->kind != YAML_SCALAR || yaml_is_null(node))
		return slice_at("", 0);
	return node->text;
}

/* The first address that can be fetched; an empty slice when there is none. */
static struct slice first_url(const struct yaml_node *entry)
{
	const struct yaml_node *urls = yaml_resolve(yaml_get(entry, "urls"));

	if (!urls || urls->kind != YAML_SEQUENCE || !urls->first)
		return slice_at("", 0);
	const struct yaml_node *url = yaml_resolve(urls->first);
	return url && url->kind == YAML_SCALAR ? url->text : slice_at("", 0);
}

/* "1.2.3", "v1.2" or "1.2.3+build"; anything behind a "-" is a prerelease. */
static bool read_stable(struct slice version, struct stable *out)
{
	struct slice core;
	struct slice rest = version;
	struct slice number;

	*out = (struct stable){0};
	if (slice_starts(rest, "v"))
		rest = slice_at(rest.ptr + 1, rest.len - 1);
	if (!slice_cut(&rest, '+', &core))
		return false;
	for (size_t i = 0; slice_cut(&core, '.', &number); i++) {
		if (i >= 3 || !slice_u64(number, UINT32_MAX, &out->part[i]))
			return false;
	}
	return true;
}

static bool newer(const struct stable *a, const struct stable *b)
{
	for (size_t i = 0; i < 3; i++) {
		if (a->part[i] != b->part[i])
			return a->part[i] > b->part[i];
	}
	return false;
}

static const struct yaml_node *exactly(const struct yaml_node *versions, const char *version)
{
	for (const struct yaml_node *v = versions->first; v; v = v->next) {
		const struct yaml_node *entry = yaml_resolve(v);
		if (slice_is(text_of(entry, "version"), version) && first_url(entry).len)
			return entry;
	}
	return NULL;
}

static const struct yaml_node *highest(const struct yaml_node *versions)
{
	const struct yaml_node *best = NULL;
	struct stable best_version = {0};

	for (const struct yaml_node *v = versions->first; v; v = v->next) {
		const struct yaml_node *entry = yaml_resolve(v);
		struct stable version;
		if (!read_stable(text_of(entry, "version"), &version) || !first_url(entry).len)
			continue;
		if (!best || newer(&version, &best_version)) {
			best = entry;
			best_version = version;
		}
	}
	return best;
}

/* The versions that stand first, which in most repositories are the newest. */
static void list_versions(const struct yaml_node *versions, struct buf *out)
{
	size_t count = 0;

	for (const struct yaml_node *v = versions->first; v && count < NAMED_MAX; v = v->next) {
		const struct slice version = text_of(yaml_resolve(v), "version");
		if (!version.len || version.len > 40)
			continue;
		buf_addf(out, "%s%.*s", count ? ", " : "", SLICE_ARG(version));
		count++;
	}
	if (versions->count > NAMED_MAX)
		buf_addf(out, " and %zu more", versions->count - NAMED_MAX);
}

static bool missing(const struct yaml_node *versions, const char *what, const char *name,
    const char *version, struct err *e)
{
	OWNED(buf_drop) struct buf there = BUF(1024);

	list_versions(versions, &there);
	return err_set(e, ERR_MISSING,
	    "%.160s: chart %.80s has no version %.80s that can be fetched; there are %.200s",
	    what, name, version ? version : "that is stable",
	    there.len ? buf_text(&there) : "none");
}

static char *copy(struct slice text)
{
	return own_bytes(text.ptr, text.len);
}

static bool find(const struct yaml_node *root, const char *what, const char *name,
    const char *version, struct chart_entry *out, struct err *e)
{
	const struct yaml_node *entries = yaml_resolve(yaml_get(root, "entries"));

	if (!entries || entries->kind != YAML_MAPPING)
		return err_set(e, ERR_FORMAT,
		    "%.200s: expected \"entries\" with charts, found none: no index of a chart "
		    "repository",
		    what);
	const struct yaml_node *versions = yaml_resolve(yaml_get(entries, name));
	if (!versions || versions->kind != YAML_SEQUENCE)
		return err_set(e, ERR_MISSING, "%.200s: there is no chart %.80s", what, name);
	const struct yaml_node *entry =
	    version ? exactly(versions, version) : highest(versions);
	if (!entry)
		return missing(versions, what, name, version, e);
	const struct slice digest = text_of(entry, "digest");
	*out = (struct chart_entry){
	    .version = copy(text_of(entry, "version")),
	    .url = copy(first_url(entry)),
	    .digest = digest.len ? copy(digest) : NULL,
	};
	return true;
}

bool chartindex_find(struct slice yaml, const char *what, const char *name, const char *version,
    struct chart_entry *out, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;

	return yaml_parse(yaml, what, &doc, e)
	       && find(yaml_root(doc), what, name, version, out, e);
}
