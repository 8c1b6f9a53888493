#include "manifests/chart.h"

#include "base/own.h"
#include "manifests/image.h"
#include "manifests/json.h"
#include "manifests/yaml.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHART_OUT_MAX = 100 * 1024 * 1024, /* bytes of all files together, as in Helm */
	CHART_FILE_MAX = 5 * 1024 * 1024,  /* bytes of a file that is kept, as in Helm */
	CHART_ENTRIES_MAX = 10000,
	CHART_RATIO_MAX = 200, /* bytes out for each byte in … */
	CHART_RATIO_FREE =
	    1024 * 1024, /* … once there are more than these: a small tar is mostly zeros */
	CHART_KEYS_MAX = 1000, /* keys of one mapping in it */
	CHART_NAME_MAX = 128,
	CHART_VERSION_MAX = 128, /* it becomes a tag */
};

/* A chart's .tgz while it is read. */
struct unpacking {
	struct slice tgz;
	struct archive *archive;
	struct chart *chart;
	uint64_t total; /* bytes of the files so far */
	size_t entries;
	char *folder; /* owned: the one at the top */
	bool has_metadata;
	bool has_values;
	bool has_requirements;
	unsigned depth; /* of archives inside one another */
};

static void unpacking_drop(struct unpacking *u)
{
	if (u->archive)
		(void)archive_read_free(u->archive);
	free(u->folder);
}

/* What came where a chart was expected; NULL when it may be one. */
static const char *found_instead(struct slice tgz)
{
	const struct slice text = slice_trim(tgz);

	if (slice_starts(tgz, "\x1f\x8b"))
		return NULL;
	if (!text.len)
		return "nothing";
	if (slice_starts(text, "<"))
		return "an HTML page (a login page, perhaps)";
	if (slice_starts(text, "{") || slice_starts(text, "["))
		return "JSON (an error of the server, perhaps)";
	return "something else";
}

static bool fail_archive(const struct unpacking *u, struct err *e)
{
	const char *why = archive_error_string(u->archive);

	return err_set(e, ERR_FORMAT, "expected a .tgz, found a damaged one: %s",
	    why ? why : "it does not say how");
}

/* ---- the files of the .tgz ------------------------------------------------------------------
 */

/* Whether a path is made of plain names, so that all tools mean the same by it (HLM-20). */
static bool check_path(struct slice path, struct err *e)
{
	struct slice rest = path;
	struct slice part;

	if (rest.len && rest.ptr[rest.len - 1] == '/')
		rest.len--;
	bool ok = !memchr(path.ptr, '\\', path.len);
	while (ok && slice_cut(&rest, '/', &part))
		ok = part.len && !slice_is(part, ".") && !slice_is(part, "..");
	if (!ok)
		return err_set(e, ERR_FORMAT,
		    "expected a file inside the chart's folder, found the path \"%.*s\"",
		    SLICE_ARG(path));
	return true;
}

/* The path inside the chart's folder, which is the same for all files. */
static bool cut_folder(
    struct unpacking *u, struct slice path, struct slice *inside, struct err *e)
{
	struct slice folder;

	*inside = path;
	(void)slice_cut(inside, '/', &folder);
	if (!inside->ptr)
		return err_set(e, ERR_FORMAT,
		    "expected all files in one folder, found %.*s outside of it",
		    SLICE_ARG(path));
	if (!u->folder)
		u->folder = own_bytes(folder.ptr, folder.len);
	if (!slice_is(folder, u->folder))
		return err_set(e, ERR_FORMAT,
		    "expected all files in one folder, found %s and %.*s", u->folder,
		    SLICE_ARG(folder));
	return true;
}

/* macOS adds a "._name" to each name; they are nobody's files. */
static bool is_apple_double(struct slice path)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	const char *name = slash ? slash + 1 : path.ptr;

	return slice_starts(slice_at(name, path.len - (size_t)(name - path.ptr)), "._");
}

/* Whether the entry is a file to look at; a folder is not, anything else is refused. */
static bool check_type(
    struct archive_entry *entry, struct slice path, bool *is_file, struct err *e)
{
	const mode_t type = archive_entry_filetype(entry);

	*is_file = type == AE_IFREG && !archive_entry_hardlink(entry);
	if (!*is_file && type != AE_IFDIR)
		return err_set(e, ERR_FORMAT,
		    "expected files and folders only, found a link or a device: %.*s",
		    SLICE_ARG(path));
	return true;
}

/* Counts an entry before a byte of it is read. */
static bool check_size(struct unpacking *u, struct archive_entry *entry, struct err *e)
{
	const int64_t size = archive_entry_size(entry);

	if (++u->entries > CHART_ENTRIES_MAX)
		return err_set(
		    e, ERR_LIMIT, "expected at most %d files, found more", CHART_ENTRIES_MAX);
	if (size < 0 || size > CHART_OUT_MAX || u->total + (uint64_t)size > CHART_OUT_MAX)
		return err_set(e, ERR_LIMIT, "expected at most %d bytes unpacked, found more",
		    CHART_OUT_MAX);
	u->total += (uint64_t)size;
	if (u->total > CHART_RATIO_FREE && u->total / CHART_RATIO_MAX > u->tgz.len)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d times its %zu bytes unpacked, found more",
		    CHART_RATIO_MAX, u->tgz.len);
	return true;
}

/* Keeps the entry's bytes. */
static bool keep(struct unpacking *u, struct archive_entry *entry, const char *name, bool *had,
    struct buf *out, struct err *e)
{
	const size_t size = (size_t)archive_entry_size(entry);
	char block[16384];

	if (*had)
		return err_set(e, ERR_FORMAT, "expected one %s, found two", name);
	*had = true;
	if (size > CHART_FILE_MAX)
		return err_set(e, ERR_LIMIT, "expected at most %d bytes of %s, found %zu",
		    CHART_FILE_MAX, name, size);
	buf_init(out, CHART_FILE_MAX);
	for (;;) {
		const la_ssize_t got = archive_read_data(u->archive, block, sizeof block);

		if (got < 0)
			return fail_archive(u, e);
		if (got == 0)
			break;
		buf_add(out, block, (size_t)got);
	}
	if (out->len != size)
		return err_set(
		    e, ERR_FORMAT, "expected %zu bytes of %s, found %zu", size, name, out->len);
	return buf_ok(out, e);
}

/* ---- the charts inside it ------------------------------------------------------------------
 */

static bool ends(struct slice s, const char *with)
{
	const size_t len = strlen(with);

	return s.len >= len && memcmp(s.ptr + s.len - len, with, len) == 0;
}

/* Helm passes over what begins with "_" or "." there (HLM-18). */
static bool is_hidden(struct slice inside)
{
	struct slice name;

	while (slice_cut(&inside, '/', &name))
		if (name.len && (name.ptr[0] == '_' || name.ptr[0] == '.'))
			return true;
	return false;
}

static void add_sub(struct chart *c, struct slice path, bool direct, struct buf *metadata)
{
	if (c->sub_count == CHART_SUBS_MAX)
		return;
	c->subs = own_grow(c->subs, c->sub_count + 1, sizeof(*c->subs));
	c->subs[c->sub_count++] =
	    (struct chart_sub){own_bytes(path.ptr, path.len), direct, STEAL(*metadata)};
}

static bool read_inside(struct slice tgz, unsigned depth, struct chart **out, struct err *e);

/* What cannot be read as a chart is none that Helm would find. */
static void take_archive(struct unpacking *u, struct slice path, struct slice tgz)
{
	OWNED(chart_drop) struct chart *inner = NULL;
	struct err ignored = {0};

	if (u->depth == CHART_DEPTH_MAX || !read_inside(tgz, u->depth + 1, &inner, &ignored))
		return;
	for (size_t i = 0; i < inner->sub_count; i++)
		add_sub(u->chart, path, false, &inner->subs[i].metadata);
	add_sub(u->chart, path, !memchr(path.ptr + 7, '/', path.len - 7), &inner->metadata);
}

/* "charts/redis/Chart.yaml", "charts/a/charts/b/Chart.yaml", "charts/redis-1.2.3.tgz". */
static bool read_inner(
    struct unpacking *u, struct archive_entry *entry, struct slice inside, struct err *e)
{
	OWNED(buf_drop) struct buf bytes = BUF(0);
	const bool metadata = ends(inside, "/Chart.yaml");
	bool had = false;

	if ((!metadata && !ends(inside, ".tgz")) || is_hidden(inside)
	    || archive_entry_size(entry) > CHART_FILE_MAX)
		return true;
	if (!keep(u, entry, "chart inside it", &had, &bytes, e))
		return false;
	if (!metadata) {
		take_archive(u, inside, buf_slice(&bytes));
		return true;
	}
	const struct slice folder = slice_at(inside.ptr, inside.len - strlen("/Chart.yaml"));
	const size_t charts = strlen("charts/");
	if (folder.len <= charts)
		return true;
	add_sub(
	    u->chart, folder, !memchr(folder.ptr + charts, '/', folder.len - charts), &bytes);
	return true;
}

static bool read_entry(struct unpacking *u, struct archive_entry *entry, struct err *e)
{
	const char *name = archive_entry_pathname(entry);
	struct slice inside;
	bool is_file = false;

	if (!name)
		name = archive_entry_pathname_utf8(entry);
	if (!name || !*name)
		return err_set(e, ERR_FORMAT, "expected files with names, found one without");
	const struct slice path = slice_of(name);
	if (!check_path(path, e) || !check_type(entry, path, &is_file, e)
	    || !check_size(u, entry, e))
		return false;
	if (!is_file || is_apple_double(path))
		return true;
	if (!cut_folder(u, path, &inside, e))
		return false;
	if (slice_is(inside, "Chart.yaml"))
		return keep(u, entry, "Chart.yaml", &u->has_metadata, &u->chart->metadata, e);
	if (slice_is(inside, "values.yaml"))
		return keep(u, entry, "values.yaml", &u->has_values, &u->chart->values, e);
	if (slice_is(inside, "requirements.yaml"))
		return keep(u, entry, "requirements.yaml", &u->has_requirements,
		    &u->chart->requirements, e);
	return !slice_starts(inside, "charts/") || read_inner(u, entry, inside, e);
}

static bool open_archive(struct unpacking *u, struct err *e)
{
	u->archive = archive_read_new();
	if (!u->archive)
		return err_set(e, ERR_SYSTEM, "expected memory for a .tgz reader, found none");
	if (archive_read_support_filter_gzip(u->archive) != ARCHIVE_OK
	    || archive_read_support_format_tar(u->archive) != ARCHIVE_OK
	    || archive_read_open_memory(u->archive, u->tgz.ptr, u->tgz.len) != ARCHIVE_OK)
		return fail_archive(u, e);
	return true;
}

/* libarchive takes one layer of gzip off after another; Helm takes off one. */
static bool check_layers(const struct unpacking *u, struct err *e)
{
	static const int gzip_and_the_file = 2;

	return archive_filter_count(u->archive) == gzip_and_the_file
	       || err_set(e, ERR_FORMAT, "expected a .tgz, found one that is compressed twice");
}

static bool read_entries(struct unpacking *u, struct err *e)
{
	struct archive_entry *entry = NULL;

	for (;;) {
		const int status = archive_read_next_header(u->archive, &entry);

		if (status == ARCHIVE_EOF)
			break;
		/* A warning is about a name that the locale cannot show. */
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return fail_archive(u, e);
		if (!check_layers(u, e) || !read_entry(u, entry, e))
			return false;
	}
	if (!u->has_metadata)
		return err_set(e, ERR_FORMAT,
		    "expected Chart.yaml in the .tgz, found %zu other entries", u->entries);
	return true;
}

/* ---- Chart.yaml -----------------------------------------------------------------------------
 */

/* A name or a version goes into addresses, so it is made of what is the same everywhere. */
static bool is_plain(struct slice s, const char *also, size_t max)
{
	if (!s.len || s.len > max)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.ptr[i];
		const bool letter =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!letter && (i == 0 || !c || !strchr(also, c)))
			return false;
	}
	return true;
}

static bool need_plain(const struct yaml *doc, const char *key, const char *also, size_t max,
    char **out, struct err *e)
{
	const struct yaml_node *node = yaml_resolve(yaml_get(yaml_root(doc), key));
	const struct slice text = node ? node->text : (struct slice){0};

	if (!is_plain(text, also, max))
		return err_set(e, ERR_FORMAT,
		    "Chart.yaml: expected a %s of at most %zu letters, digits and \"%s\", "
		    "found %s%.*s",
		    key, max, also, text.len ? "" : "none", SLICE_ARG(text));
	*out = own_bytes(text.ptr, text.len);
	return true;
}

static bool read_metadata(struct chart *c, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;

	if (!yaml_parse(buf_slice(&c->metadata), "Chart.yaml", &doc, e)
	    || !need_plain(doc, "name", "._-", CHART_NAME_MAX, &c->name, e)
	    || !need_plain(doc, "version", ".+-", CHART_VERSION_MAX, &c->version, e))
		return false;
	/* As it is written: 1.10 is no number (HLM-06). */
	const struct yaml_node *app = yaml_resolve(yaml_get(yaml_root(doc), "appVersion"));
	if (app && app->kind == YAML_SCALAR && !yaml_is_null(app))
		c->app_version = own_bytes(app->text.ptr, app->text.len);
	return true;
}

static bool read_inside(struct slice tgz, unsigned depth, struct chart **out, struct err *e)
{
	OWNED(chart_drop) struct chart *chart = own_new(sizeof *chart);
	OWNED(unpacking_drop)
	struct unpacking u = {.tgz = tgz, .chart = chart, .depth = depth};
	const char *instead = found_instead(tgz);

	if (instead)
		return err_set(e, ERR_FORMAT, "expected a .tgz, found %s", instead);
	if (tgz.len > CHART_TGZ_MAX)
		return err_set(e, ERR_LIMIT, "expected at most %d bytes, found %zu",
		    CHART_TGZ_MAX, tgz.len);
	if (!open_archive(&u, e) || !read_entries(&u, e) || !read_metadata(chart, e))
		return false;
	*out = STEAL(chart);
	return true;
}

bool chart_read(struct slice tgz, struct chart **out, struct err *e)
{
	return read_inside(tgz, 0, out, e);
}

void chart_free(struct chart *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->sub_count; i++) {
		free(c->subs[i].path);
		buf_drop(&c->subs[i].metadata);
	}
	free(c->subs);
	buf_drop(&c->requirements);
	buf_drop(&c->metadata);
	buf_drop(&c->values);
	free(c->name);
	free(c->version);
	free(c->app_version);
	free(c);
}

void chart_drop(struct chart **c)
{
	chart_free(*c);
	*c = NULL;
}

/* ---- as an OCI artifact ---------------------------------------------------------------------
 */

/* truth names the member of a mapping, or of a sequence's mappings, that is true or false to
 * Helm; NULL: all are text. */
static void put_node(
    struct json_writer *w, const struct yaml_node *node, const char *truth, size_t depth);

/* A value that Helm reads as YAML 1.1's true or false. */
static void put_truth(struct json_writer *w, const struct yaml_node *node)
{
	static const char *const words[] = {
	    "true", "True", "TRUE", "yes", "Yes", "YES", "y", "Y", "on", "On", "ON"};
	bool truth = false;

	node = yaml_resolve(node);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		truth |= node->kind == YAML_SCALAR && slice_is(node->text, words[i]);
	json_put_raw(w, slice_of(truth ? "true" : "false"));
}

static void put_mapping(
    struct json_writer *w, const struct yaml_node *node, const char *truth, size_t depth)
{
	if (node->count > CHART_KEYS_MAX)
		w->out->over = true;
	json_begin(w, '{');
	for (const struct yaml_node *at = node->first; at && !w->out->over; at = at->next) {
		const struct yaml_node *key = yaml_resolve(at->key);

		/* Of two values of one key the last counts. */
		if (key->kind != YAML_SCALAR || yaml_get(node, key->text.ptr) != at)
			continue;
		json_key(w, key->text.ptr);
		if (truth && slice_is(key->text, truth))
			put_truth(w, at);
		else
			put_node(w, at, NULL, depth);
	}
	json_end(w, '}');
}

/* Writes a value of Chart.yaml.  Aliases are followed: what they may multiply to ends at the
 * ceilings of the output and of the depth. */
static void put_node(
    struct json_writer *w, const struct yaml_node *node, const char *truth, size_t depth)
{
	node = yaml_resolve(node);
	if (depth == YAML_DEPTH_MAX)
		w->out->over = true;
	if (w->out->over)
		return;
	if (node->kind == YAML_MAPPING) {
		put_mapping(w, node, truth, depth + 1);
	} else if (node->kind == YAML_SEQUENCE) {
		json_begin(w, '[');
		for (const struct yaml_node *at = node->first; at && !w->out->over;
		     at = at->next)
			put_node(w, at, truth, depth + 1);
		json_end(w, ']');
	} else if (yaml_is_null(node)) {
		json_put_raw(w, slice_of("null"));
	} else {
		json_put_text(w, node->text);
	}
}

/* Chart.yaml as JSON, in the order of Helm's own struct. */
static void put_config(struct json_writer *w, const struct yaml_node *root)
{
	static const char *const keys[] = {"name", "home", "sources", "version", "description",
	    "keywords", "maintainers", "icon", "apiVersion", "condition", "tags", "appVersion",
	    "deprecated", "annotations", "kubeVersion", "dependencies", "type"};

	json_begin(w, '{');
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const struct yaml_node *value = yaml_get(root, keys[i]);
		const bool dependencies = strcmp(keys[i], "dependencies") == 0;

		if (!value || yaml_is_null(yaml_resolve(value)))
			continue;
		json_key(w, keys[i]);
		if (strcmp(keys[i], "deprecated") == 0)
			put_truth(w, value);
		else
			put_node(w, value, dependencies ? "enabled" : NULL, 0);
	}
	json_end(w, '}');
}

static void put_descriptor(
    struct json_writer *w, const char *media_type, const struct descriptor *d)
{
	char text[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "mediaType", media_type);
	json_pair(w, "digest", digest_text(&d->digest, text));
	json_key(w, "size");
	json_put_u64(w, d->size);
	json_end(w, '}');
}

#define OCI_TITLE "org.opencontainers.image.title"
#define OCI_VERSION "org.opencontainers.image.version"

/* The chart's own annotations, but for the two that Helm sets; no time, so that the same chart
 * has the same digest always. */
static void put_annotations(
    struct json_writer *w, const struct chart *c, const struct yaml_node *root)
{
	const struct yaml_node *own = yaml_resolve(yaml_get(root, "annotations"));
	const struct yaml_node *at = own && own->kind == YAML_MAPPING ? own->first : NULL;

	json_key(w, "annotations");
	json_begin(w, '{');
	json_pair(w, OCI_TITLE, c->name);
	json_pair(w, OCI_VERSION, c->version);
	if (own && own->count > CHART_KEYS_MAX)
		w->out->over = true;
	for (; at && !w->out->over; at = at->next) {
		const struct yaml_node *key = yaml_resolve(at->key);
		const struct yaml_node *value = yaml_resolve(at);

		if (value->kind != YAML_SCALAR || key->kind != YAML_SCALAR
		    || slice_is(key->text, OCI_TITLE) || slice_is(key->text, OCI_VERSION)
		    || yaml_get(own, key->text.ptr) != at)
			continue;
		json_key(w, key->text.ptr);
		json_put_text(w, value->text);
	}
	json_end(w, '}');
}

struct chart_parts {
	const struct chart *chart;
	const struct yaml_node *root;
	const struct descriptor *config;
	const struct descriptor *tgz;
	const struct descriptor *prov; /* or NULL */
};

static void put_manifest(struct json_writer *w, const struct chart_parts *parts)
{
	json_begin(w, '{');
	json_key(w, "schemaVersion");
	json_put_u64(w, 2);
	json_pair(w, "mediaType", MEDIA_OCI_MANIFEST);
	json_key(w, "config");
	put_descriptor(w, MEDIA_CHART_CONFIG, parts->config);
	json_key(w, "layers");
	json_begin(w, '[');
	put_descriptor(w, MEDIA_CHART_CONTENT, parts->tgz);
	if (parts->prov)
		put_descriptor(w, parts->prov->media_type, parts->prov);
	json_end(w, ']');
	put_annotations(w, parts->chart, parts->root);
	json_end(w, '}');
}

bool chart_oci(const struct chart *c, const struct descriptor *tgz,
    const struct descriptor *prov, struct buf *config, struct buf *manifest, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	struct json_writer to_config = {.out = config};
	struct json_writer to_manifest = {.out = manifest};
	struct descriptor d = {0};

	for (const char *at = c->name; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			return err_set(e, ERR_FORMAT,
			    "chart %s: expected a name in lower case, as registries need it, "
			    "found %c",
			    c->name, *at);
	if (!yaml_parse(buf_slice(&c->metadata), "Chart.yaml", &doc, e))
		return false;
	put_config(&to_config, yaml_root(doc));
	d.size = config->len;
	digest_of(buf_slice(config), &d.digest);
	d.media_type = MEDIA_CHART_CONFIG;
	put_manifest(&to_manifest, &(struct chart_parts){c, yaml_root(doc), &d, tgz, prov});
	return (buf_ok(config, e) && buf_ok(manifest, e))
	       || err_in(e, "chart %s: Chart.yaml as JSON", c->name);
}

const char *chart_tag(const char *version, char out[129])
{
	size_t i = 0;

	for (; i < 128 && version[i]; i++)
		out[i] = version[i];
	out[i] = '\0';
	for (char *at = strchr(out, '+'); at; at = strchr(at, '+'))
		*at = '_';
	return out;
}
