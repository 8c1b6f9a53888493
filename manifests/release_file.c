#include "base/own.h"
#include "manifests/release_parts.h"
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

/* The same where the key may be missing. */
static bool may_text(const struct reading *r, const struct yaml_node *mapping, const char *key,
    char **out, struct err *e)
{
	return !yaml_get(mapping, key) || need_text(r, mapping, key, out, e);
}

/* The digest that a lock pins, where there is one. */
static bool may_pin(
    const struct reading *r, const struct yaml_node *mapping, struct pin *out, struct err *e)
{
	const struct yaml_node *node = yaml_get(mapping, "digest");
	OWNED(drop_text) char *text = NULL;

	if (!node)
		return true;
	if (!take_text(r, node, &text, e))
		return false;
	out->set = digest_parse(slice_of(text), &out->digest, e);
	return out->set || fail_at(r, node, e);
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
		text_list_add_take(out, STEAL(text));
	}
	return true;
}

/* --- Parameters --- */

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

/* --- Images and the chart --- */

static bool read_flags(
    const struct reading *r, const struct yaml_node *node, struct coordinates *c, struct err *e)
{
	OWNED(text_list_drop) struct text_list empty = {0};
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
	for (size_t i = 0; i < RELEASE_LISTS; i++)
		if (!take_list(r, node, release_list_key(i), release_list_in(c, i), e))
			return false;
	return read_flags(r, node, c, e);
}

/* How it was found says where it goes, so that only what sealift finds by is taken. */
static bool read_referrer(const struct reading *r, const struct yaml_node *node,
    struct release_referrer *one, struct err *e)
{
	static const char *const keys[] = {"digest", "via", NULL};

	if (!need_keys(r, node, keys, e) || !may_pin(r, node, &one->pin, e)
	    || !need_text(r, node, "via", &one->via, e))
		return false;
	if (one->pin.set && (strcmp(one->via, "api") == 0 || strncmp(one->via, "tag:", 4) == 0))
		return true;
	(void)err_set(e, ERR_FORMAT,
	    "expected a digest, and \"api\" or \"tag:TAG\" for how it was found");
	return fail_at(r, node, e);
}

static bool read_referrers(const struct reading *r, const struct yaml_node *node,
    struct release_image *image, struct err *e)
{
	const struct yaml_node *list = yaml_get(node, "referrers");

	if (!list)
		return true;
	if (!need_kind(r, list, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *at = list->first; at; at = at->next)
		if (!read_referrer(r, at, release_new_referrer(image), e))
			return false;
	return true;
}

static bool read_image(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	static const char *const keys[] = {"ref", "digest", "referrers", "values", NULL};
	struct release_image *image = release_new_image(r->release);

	if (!need_keys(r, node, keys, e) || !need_text(r, node, "ref", &image->ref, e)
	    || !may_pin(r, node, &image->pin, e) || !read_referrers(r, node, image, e))
		return false;
	const struct yaml_node *values = yaml_get(node, "values");
	if (!values)
		return true;
	if (values->kind == YAML_MAPPING)
		return read_coordinates(r, values, release_new_values(image), e);
	if (!need_kind(r, values, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *at = values->first; at; at = at->next)
		if (!read_coordinates(r, at, release_new_values(image), e))
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
	static const char *const keys[] = {"name", "repo", "version", "digest", NULL};
	const struct yaml_node *node = yaml_get(root, "chart");

	if (!node)
		return true;
	struct release_chart *chart = release_new_chart(r->release);
	return need_keys(r, node, keys, e) && need_text(r, node, "name", &chart->name, e)
	       && may_pin(r, node, &chart->pin, e)
	       && (chart->pin.set ? may_text : need_text)(
		   r, node, "version", &chart->version, e)
	       && may_text(r, node, "repo", &chart->repo, e);
}

/* A path, or a mapping of path and digest. */
static bool read_file(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	static const char *const keys[] = {"path", "digest", NULL};
	struct release_file *file = release_new_file(r->release);

	if (node->kind != YAML_MAPPING)
		return take_text(r, node, &file->path, e);
	return need_keys(r, node, keys, e) && need_text(r, node, "path", &file->path, e)
	       && may_pin(r, node, &file->pin, e);
}

static bool read_files(const struct reading *r, const struct yaml_node *root, struct err *e)
{
	const struct yaml_node *files = yaml_get(root, "files");

	if (!files)
		return true;
	if (!need_kind(r, files, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *at = files->first; at; at = at->next)
		if (!read_file(r, at, e))
			return false;
	return true;
}

/* A lock that leaves one thing open is none. */
static bool check_lock(const struct reading *r, struct err *e)
{
	const struct release *release = r->release;
	const char *open = NULL;

	for (size_t i = 0; i < release->file_count; i++)
		open = release->files[i].pin.set ? open : release->files[i].path;
	for (size_t i = 0; i < release->chart_count; i++)
		open = release->charts[i].pin.set ? open : release->charts[i].name;
	for (size_t i = 0; i < release->image_count; i++)
		open = release->images[i].pin.set ? open : release->images[i].ref;
	return !release->locked || !open
	       || err_set(e, ERR_FORMAT,
		   "%s: expected a digest for everything in a lock, found none for %s; make it "
		   "anew with sealift plan -o",
		   r->what, open);
}

bool release_parse(struct slice yaml, const char *what, const struct parameter *given,
    size_t count, struct release **out, struct err *e)
{
	static const char *const keys[] = {"release", "version", "platform", "locked",
	    "parameters", "chart", "images", "files", "versions", NULL};
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
	    || !need_text(&r, root, "release", &release->name, e)
	    || !may_text(&r, root, "version", &release->version, e)
	    || !may_text(&r, root, "platform", &release->platform, e)
	    || !may_text(&r, root, "locked", &release->locked, e) || !read_chart(&r, root, e)
	    || !read_images(&r, root, e) || !read_files(&r, root, e)
	    || !take_list(&r, root, "versions", &release->version_keys, e)
	    || !check_lock(&r, e))
		return false;
	*out = STEAL(release);
	return true;
}
