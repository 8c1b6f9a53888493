#include "manifests/release.h"

#include "base/own.h"
#include "manifests/json.h"
#include "manifests/yaml.h"

#include <stdlib.h>
#include <string.h>

enum {
	RELEASE_TEXT_MAX = 4096,	   /* bytes of one text with its parameters filled */
	RELEASE_DOCUMENT_MAX = 512 * 1024, /* bytes of a release file */
	RELEASE_PARAMETERS_MAX = 64,
};

/* A parameter that the file declares, and what fills it; all borrowed. */
struct filling {
	const char *name;
	const char *description;
	const char *value;
};

/* A release file while it is read. */
struct reading {
	const char *what;
	struct filling fillings[RELEASE_PARAMETERS_MAX];
	size_t count;
	struct release *release;
};

/* The members of coordinates that are lists, under the names they have in both documents. */
static const struct {
	const char *key;
	size_t at;
} lists[] = {
    {"whole", offsetof(struct coordinates, whole)},
    {"registry", offsetof(struct coordinates, registry)},
    {"repository", offsetof(struct coordinates, repository)},
    {"tag", offsetof(struct coordinates, tag)},
    {"suffix", offsetof(struct coordinates, suffix)},
    {"digest", offsetof(struct coordinates, digest)},
    {"dead", offsetof(struct coordinates, dead)},
};
enum { LIST_COUNT = sizeof lists / sizeof lists[0] };

static struct text_list *list_in(struct coordinates *c, size_t i)
{
	void *at = (char *)c + lists[i].at;

	return at;
}

static const struct text_list *list_of(const struct coordinates *c, size_t i)
{
	const void *at = (const char *)c + lists[i].at;

	return at;
}

/* ---- owning ---------------------------------------------------------------------------------
 */

static void list_add_take(struct text_list *list, char *text)
{
	list->items = own_grow(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
}

static void list_drop(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

static void image_drop(struct release_image *image)
{
	for (size_t i = 0; i < image->values_count; i++) {
		for (size_t k = 0; k < LIST_COUNT; k++)
			list_drop(list_in(&image->values[i], k));
		free(image->values[i].name);
	}
	free(image->values);
	free(image->ref);
}

struct release *release_new(void)
{
	return own_new(sizeof(struct release));
}

void release_free(struct release *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->image_count; i++)
		image_drop(&r->images[i]);
	for (size_t i = 0; i < r->chart_count; i++) {
		free(r->charts[i].name);
		free(r->charts[i].repo);
		free(r->charts[i].version);
	}
	list_drop(&r->files);
	list_drop(&r->version_keys);
	free(r->images);
	free(r->charts);
	free(r->name);
	free(r->version);
	free(r);
}

void release_drop(struct release **r)
{
	release_free(*r);
	*r = NULL;
}

static struct release_image *add_image(struct release *r)
{
	r->images = own_grow(r->images, r->image_count + 1, sizeof *r->images);
	r->images[r->image_count] = (struct release_image){0};
	return &r->images[r->image_count++];
}

static struct release_chart *add_chart(struct release *r)
{
	r->charts = own_grow(r->charts, r->chart_count + 1, sizeof *r->charts);
	r->charts[r->chart_count] = (struct release_chart){0};
	return &r->charts[r->chart_count++];
}

static struct coordinates *add_values(struct release_image *image)
{
	image->values = own_grow(image->values, image->values_count + 1, sizeof *image->values);
	image->values[image->values_count] = (struct coordinates){0};
	return &image->values[image->values_count++];
}

void release_add_image(struct release *r, const char *ref)
{
	add_image(r)->ref = own_text(ref);
}

void release_add_chart(
    struct release *r, const char *name, const char *repo, const char *version)
{
	struct release_chart *chart = add_chart(r);

	chart->name = own_text(name);
	chart->repo = repo ? own_text(repo) : NULL;
	chart->version = version ? own_text(version) : NULL;
}

/* ---- the release file -----------------------------------------------------------------------
 */

static const char *const kinds[] = {"a text", "a mapping", "a list", "an alias"};

/* Puts the place of node before the sentence that is there; always false. */
static bool fail_at(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	return err_in(e, "%s:%zu:%zu", r->what, node->line, node->column);
}

static bool need_kind(
    const struct reading *r, const struct yaml_node *node, enum yaml_kind kind, struct err *e)
{
	if (node->kind == kind)
		return true;
	(void)err_set(e, ERR_FORMAT, "expected %s, found %s", kinds[kind], kinds[node->kind]);
	return fail_at(r, node, e);
}

static bool known(const char *const *keys, struct slice key)
{
	for (; *keys; keys++)
		if (slice_is(key, *keys))
			return true;
	return false;
}

/* Whether node is a mapping with keys of the list only, each once. */
static bool need_keys(const struct reading *r, const struct yaml_node *node,
    const char *const *keys, struct err *e)
{
	if (!need_kind(r, node, YAML_MAPPING, e))
		return false;
	for (const struct yaml_node *value = node->first; value; value = value->next) {
		const struct slice key = value->key->text;

		if (!known(keys, key)) {
			OWNED(buf_drop) struct buf all = BUF(256);
			for (const char *const *k = keys; *k; k++)
				buf_addf(&all, "%s%s", k == keys ? "" : ", ", *k);
			(void)err_set(e, ERR_FORMAT,
			    "expected one of the keys %s, found \"%.*s\"", buf_text(&all),
			    SLICE_ARG(key));
			return fail_at(r, value->key, e);
		}
		if (key.ptr && yaml_get(node, key.ptr) != value) {
			(void)err_set(
			    e, ERR_FORMAT, "expected the key %s once, found it twice", key.ptr);
			return fail_at(r, value->key, e);
		}
	}
	return true;
}

static const struct filling *find_filling(const struct reading *r, struct slice name)
{
	for (size_t i = 0; i < r->count; i++)
		if (slice_is(name, r->fillings[i].name))
			return &r->fillings[i];
	return NULL;
}

/* Adds text with each ${name} replaced. */
static bool fill_text(
    const struct reading *r, struct slice text, struct buf *out, struct err *e)
{
	while (text.len) {
		const char *at = memmem(text.ptr, text.len, "${", 2);
		const size_t before = at ? (size_t)(at - text.ptr) : text.len;

		buf_add(out, text.ptr, before);
		if (!at)
			break;
		struct slice rest = slice_at(at + 2, text.len - before - 2);
		struct slice name;
		if (!slice_cut(&rest, '}', &name) || !rest.ptr)
			return err_set(
			    e, ERR_FORMAT, "expected } after ${, found the text's end");
		const struct filling *filling = find_filling(r, name);
		if (!filling)
			return err_set(e, ERR_FORMAT,
			    "expected a parameter that the file declares, found ${%.*s}",
			    SLICE_ARG(name));
		buf_adds(out, filling->value);
		text = rest;
	}
	return buf_ok(out, e);
}

/* A text with its parameters filled. */
static bool take_text(
    const struct reading *r, const struct yaml_node *node, char **out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(RELEASE_TEXT_MAX);

	if (!need_kind(r, node, YAML_SCALAR, e))
		return false;
	if (!fill_text(r, node->text, &text, e))
		return fail_at(r, node, e);
	if (!text.len || memchr(text.ptr, '\0', text.len)) {
		(void)err_set(e, ERR_FORMAT, "expected a text, found %s",
		    text.len ? "one with a NUL" : "nothing");
		return fail_at(r, node, e);
	}
	*out = own_text(buf_text(&text));
	return true;
}

/* The text under a key of a mapping. */
static bool need_text(const struct reading *r, const struct yaml_node *mapping, const char *key,
    char **out, struct err *e)
{
	const struct yaml_node *node = yaml_get(mapping, key);

	if (node)
		return take_text(r, node, out, e);
	(void)err_set(e, ERR_FORMAT, "expected the key %s, found none", key);
	return fail_at(r, mapping, e);
}

/* The texts under a key that may be missing. */
static bool take_list(const struct reading *r, const struct yaml_node *mapping, const char *key,
    struct text_list *out, struct err *e)
{
	const struct yaml_node *list = yaml_get(mapping, key);

	if (!list)
		return true;
	if (!need_kind(r, list, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *item = list->first; item; item = item->next) {
		OWNED(drop_text) char *text = NULL;

		if (!take_text(r, item, &text, e))
			return false;
		list_add_take(out, STEAL(text));
	}
	return true;
}

/* ---- parameters -----------------------------------------------------------------------------
 */

/* A plain text of a parameter's declaration; NULL when it is not there. */
static bool declared_text(const struct reading *r, const struct yaml_node *declaration,
    const char *key, const char **out, struct err *e)
{
	const struct yaml_node *node = yaml_get(declaration, key);

	if (!node)
		return true;
	if (!need_kind(r, node, YAML_SCALAR, e))
		return false;
	*out = node->text.ptr;
	return true;
}

static bool declare(struct reading *r, const struct yaml_node *node, struct err *e)
{
	static const char *const keys[] = {"default", "description", NULL};
	struct filling filling = {.name = node->key->text.ptr};

	if (!filling.name || r->count == RELEASE_PARAMETERS_MAX) {
		(void)err_set(e, ERR_FORMAT, "expected at most %d named parameters, found more",
		    RELEASE_PARAMETERS_MAX);
		return fail_at(r, node, e);
	}
	if (!need_keys(r, node, keys, e)
	    || !declared_text(r, node, "default", &filling.value, e)
	    || !declared_text(r, node, "description", &filling.description, e))
		return false;
	r->fillings[r->count++] = filling;
	return true;
}

static bool give(struct reading *r, const struct parameter *given, struct err *e)
{
	OWNED(buf_drop) struct buf all = BUF(RELEASE_TEXT_MAX);

	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->fillings[i].name, given->name) == 0) {
			r->fillings[i].value = given->value;
			return true;
		}
		buf_addf(&all, "%s%s", i ? ", " : "", r->fillings[i].name);
	}
	return err_set(e, ERR_USAGE, "%s: expected a parameter of this release (%s), found %s",
	    r->what, r->count ? buf_text(&all) : "it has none", given->name);
}

static bool need_values(const struct reading *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct filling *f = &r->fillings[i];

		if (!f->value)
			return err_set(e, ERR_USAGE,
			    "%s: expected --param %s=VALUE (%s), found none", r->what, f->name,
			    f->description ? f->description : "no description");
	}
	return true;
}

static bool read_parameters(struct reading *r, const struct yaml_node *root,
    const struct parameter *given, size_t count, struct err *e)
{
	const struct yaml_node *parameters = yaml_get(root, "parameters");

	if (parameters && !need_kind(r, parameters, YAML_MAPPING, e))
		return false;
	for (const struct yaml_node *at = parameters ? parameters->first : NULL; at;
	     at = at->next)
		if (!declare(r, at, e))
			return false;
	for (size_t i = 0; i < count; i++)
		if (!give(r, &given[i], e))
			return false;
	return need_values(r, e);
}

/* ---- images and the chart -------------------------------------------------------------------
 */

static bool read_flags(
    const struct reading *r, const struct yaml_node *node, struct coordinates *c, struct err *e)
{
	OWNED(list_drop) struct text_list empty = {0};
	const struct yaml_node *semver = yaml_get(node, "tag_must_be_semver");

	if (!take_list(r, node, "empty_is_value", &empty, e))
		return false;
	for (size_t i = 0; i < empty.count; i++) {
		if (strcmp(empty.items[i], "registry") != 0) {
			(void)err_set(
			    e, ERR_FORMAT, "expected registry, found %s", empty.items[i]);
			return fail_at(r, yaml_get(node, "empty_is_value"), e);
		}
		c->registry_empty_counts = true;
	}
	if (semver && !slice_is(semver->text, "true") && !slice_is(semver->text, "false")) {
		(void)err_set(e, ERR_FORMAT, "expected true or false, found something else");
		return fail_at(r, semver, e);
	}
	c->tag_must_be_semver = semver && slice_is(semver->text, "true");
	return true;
}

static bool read_coordinates(
    const struct reading *r, const struct yaml_node *node, struct coordinates *c, struct err *e)
{
	static const char *const keys[] = {"name", "whole", "registry", "repository", "tag",
	    "suffix", "digest", "dead", "empty_is_value", "tag_must_be_semver", NULL};

	if (!need_keys(r, node, keys, e) || !need_text(r, node, "name", &c->name, e))
		return false;
	for (size_t i = 0; i < LIST_COUNT; i++)
		if (!take_list(r, node, lists[i].key, list_in(c, i), e))
			return false;
	return read_flags(r, node, c, e);
}

static bool read_image(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	static const char *const keys[] = {"ref", "values", NULL};
	struct release_image *image = add_image(r->release);

	if (!need_keys(r, node, keys, e) || !need_text(r, node, "ref", &image->ref, e))
		return false;
	const struct yaml_node *values = yaml_get(node, "values");
	if (!values)
		return true;
	if (values->kind == YAML_MAPPING)
		return read_coordinates(r, values, add_values(image), e);
	if (!need_kind(r, values, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *at = values->first; at; at = at->next)
		if (!read_coordinates(r, at, add_values(image), e))
			return false;
	return true;
}

static bool read_images(const struct reading *r, const struct yaml_node *root, struct err *e)
{
	const struct yaml_node *images = yaml_get(root, "images");

	if (!images)
		return true;
	if (!need_kind(r, images, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *at = images->first; at; at = at->next)
		if (!read_image(r, at, e))
			return false;
	return true;
}

static bool read_chart(const struct reading *r, const struct yaml_node *root, struct err *e)
{
	static const char *const keys[] = {"name", "repo", "version", NULL};
	const struct yaml_node *node = yaml_get(root, "chart");

	if (!node)
		return true;
	struct release_chart *chart = add_chart(r->release);
	return need_keys(r, node, keys, e) && need_text(r, node, "name", &chart->name, e)
	       && need_text(r, node, "version", &chart->version, e)
	       && (!yaml_get(node, "repo") || need_text(r, node, "repo", &chart->repo, e));
}

bool release_parse(struct slice yaml, const char *what, const struct parameter *given,
    size_t count, struct release **out, struct err *e)
{
	static const char *const keys[] = {
	    "release", "parameters", "chart", "images", "files", "versions", NULL};
	OWNED(release_drop) struct release *release = release_new();
	OWNED(yaml_drop) struct yaml *doc = NULL;
	struct reading r = {.what = what, .release = release};

	if (yaml.len > RELEASE_DOCUMENT_MAX)
		return err_set(e, ERR_LIMIT, "%s: expected at most %d bytes, found %zu", what,
		    RELEASE_DOCUMENT_MAX, yaml.len);
	if (!yaml_parse(yaml, what, &doc, e))
		return false;
	const struct yaml_node *root = yaml_root(doc);
	if (!root)
		return err_set(
		    e, ERR_FORMAT, "%s: expected a release, found an empty file", what);
	if (!need_keys(&r, root, keys, e) || !read_parameters(&r, root, given, count, e)
	    || !need_text(&r, root, "release", &release->name, e) || !read_chart(&r, root, e)
	    || !read_images(&r, root, e) || !take_list(&r, root, "files", &release->files, e)
	    || !take_list(&r, root, "versions", &release->version_keys, e))
		return false;
	*out = STEAL(release);
	return true;
}

/* ---- the release document -------------------------------------------------------------------
 */

static void put_text_or_null(struct json_writer *w, const char *key, const char *text)
{
	json_key(w, key);
	if (text)
		json_put_text(w, slice_of(text));
	else
		json_put_raw(w, slice_of("null"));
}

static void put_list(struct json_writer *w, const char *key, const struct text_list *list)
{
	json_key(w, key);
	json_begin(w, '[');
	for (size_t i = 0; i < list->count; i++)
		json_put_text(w, slice_of(list->items[i]));
	json_end(w, ']');
}

static void put_coordinates(struct json_writer *w, const struct coordinates *c)
{
	json_begin(w, '{');
	json_pair(w, "name", c->name);
	for (size_t i = 0; i < LIST_COUNT; i++)
		put_list(w, lists[i].key, list_of(c, i));
	json_key(w, "empty_is_value");
	json_put_raw(w, slice_of(c->registry_empty_counts ? "[\"registry\"]" : "[]"));
	json_key(w, "tag_must_be_semver");
	json_put_raw(w, slice_of(c->tag_must_be_semver ? "true" : "false"));
	json_end(w, '}');
}

static void put_charts(struct json_writer *w, const struct release *r)
{
	json_key(w, "charts");
	json_begin(w, '[');
	for (size_t i = 0; i < r->chart_count; i++) {
		json_begin(w, '{');
		put_text_or_null(w, "name", r->charts[i].name);
		put_text_or_null(w, "repo", r->charts[i].repo);
		put_text_or_null(w, "version", r->charts[i].version);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_images(struct json_writer *w, const struct release *r)
{
	json_key(w, "images");
	json_begin(w, '[');
	for (size_t i = 0; i < r->image_count; i++) {
		json_begin(w, '{');
		json_pair(w, "ref", r->images[i].ref);
		json_key(w, "values");
		json_begin(w, '[');
		for (size_t k = 0; k < r->images[i].values_count; k++)
			put_coordinates(w, &r->images[i].values[k]);
		json_end(w, ']');
		json_end(w, '}');
	}
	json_end(w, ']');
}

void release_write(const struct release *r, struct buf *out)
{
	struct json_writer w = {.out = out};

	json_begin(&w, '{');
	put_text_or_null(&w, "release", r->name);
	put_text_or_null(&w, "version", r->version);
	put_charts(&w, r);
	put_images(&w, r);
	put_list(&w, "versions", &r->version_keys);
	json_end(&w, '}');
}

static const char what_document[] = "release document";

static char *copy_text(const struct json *object, const char *key)
{
	const struct slice text = json_text(json_get(object, key));

	return text.ptr ? own_bytes(text.ptr, text.len) : NULL;
}

static bool copy_list(
    const struct json *object, const char *key, struct text_list *out, struct err *e)
{
	const struct json *list = NULL;

	if (!json_need_array(object, key, what_document, &list, e))
		return false;
	for (size_t i = 0; i < json_count(list); i++) {
		const struct slice text = json_text(json_at(list, i));

		if (!text.ptr)
			return err_set(e, ERR_FORMAT,
			    "%s: expected texts in \"%s\", found another value", what_document,
			    key);
		list_add_take(out, own_bytes(text.ptr, text.len));
	}
	return true;
}

static bool copy_coordinates(const struct json *from, struct coordinates *c, struct err *e)
{
	OWNED(list_drop) struct text_list empty = {0};
	struct slice name;

	if (!json_need_text(from, "name", what_document, &name, e))
		return false;
	c->name = own_bytes(name.ptr, name.len);
	for (size_t i = 0; i < LIST_COUNT; i++)
		if (!copy_list(from, lists[i].key, list_in(c, i), e))
			return false;
	if (!copy_list(from, "empty_is_value", &empty, e))
		return false;
	for (size_t i = 0; i < empty.count; i++)
		if (strcmp(empty.items[i], "registry") == 0)
			c->registry_empty_counts = true;
	c->tag_must_be_semver = json_bool(json_get(from, "tag_must_be_semver"));
	return true;
}

static bool copy_image(const struct json *from, struct release_image *image, struct err *e)
{
	const struct json *values = NULL;
	struct slice ref;

	if (!json_need_text(from, "ref", what_document, &ref, e))
		return false;
	image->ref = own_bytes(ref.ptr, ref.len);
	if (!json_need_array(from, "values", what_document, &values, e))
		return false;
	for (size_t i = 0; i < json_count(values); i++)
		if (!copy_coordinates(json_at(values, i), add_values(image), e))
			return false;
	return true;
}

static bool copy_charts(const struct json *doc, struct release *r, struct err *e)
{
	const struct json *charts = NULL;

	if (!json_need_array(doc, "charts", what_document, &charts, e))
		return false;
	for (size_t i = 0; i < json_count(charts); i++) {
		struct release_chart *chart = add_chart(r);

		chart->name = copy_text(json_at(charts, i), "name");
		chart->repo = copy_text(json_at(charts, i), "repo");
		chart->version = copy_text(json_at(charts, i), "version");
	}
	return true;
}

bool release_read(struct slice json, struct release **out, struct err *e)
{
	OWNED(release_drop) struct release *r = release_new();
	OWNED(json_drop) struct json *doc = NULL;
	const struct json *images = NULL;

	if (!json_parse(json, what_document, &doc, e) || !copy_charts(doc, r, e)
	    || !json_need_array(doc, "images", what_document, &images, e))
		return false;
	r->name = copy_text(doc, "release");
	r->version = copy_text(doc, "version");
	for (size_t i = 0; i < json_count(images); i++)
		if (!copy_image(json_at(images, i), add_image(r), e))
			return false;
	if (!copy_list(doc, "versions", &r->version_keys, e))
		return false;
	*out = STEAL(r);
	return true;
}
