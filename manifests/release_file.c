#include "base/own.h"
#include "manifests/release_reading.h"

#include <string.h>

enum { RELEASE_DOCUMENT_MAX = 512 * 1024 }; /* bytes of a release file */

static bool read_flags(
    const struct reading *r, const struct yaml_node *node, struct coordinates *c, struct err *e)
{
	OWNED(text_list_drop) struct text_list empty = {0};
	const struct yaml_node *semver = yaml_get(node, "tag_must_be_semver");

	if (!reading_take_list(r, node, "empty_is_value", &empty, e))
		return false;
	for (size_t i = 0; i < empty.count; i++) {
		if (strcmp(empty.items[i], "registry") != 0) {
			(void)err_set(
			    e, ERR_FORMAT, "expected registry, found %s", empty.items[i]);
			return reading_fail_at(r, yaml_get(node, "empty_is_value"), e);
		}
		c->registry_empty_counts = true;
	}
	if (semver && !slice_is(semver->text, "true") && !slice_is(semver->text, "false")) {
		(void)err_set(e, ERR_FORMAT, "expected true or false, found something else");
		return reading_fail_at(r, semver, e);
	}
	c->tag_must_be_semver = semver && slice_is(semver->text, "true");
	return true;
}

static bool read_coordinates(
    const struct reading *r, const struct yaml_node *node, struct coordinates *c, struct err *e)
{
	static const char *const keys[] = {"name", "whole", "registry", "repository", "tag",
	    "suffix", "digest", "dead", "empty_is_value", "tag_must_be_semver", NULL};

	if (!reading_need_keys(r, node, keys, e)
	    || !reading_need_text(r, node, "name", &c->name, e))
		return false;
	for (size_t i = 0; i < RELEASE_LISTS; i++)
		if (!reading_take_list(r, node, release_list_key(i), release_list_in(c, i), e))
			return false;
	return read_flags(r, node, c, e);
}

/* How it was found says where it goes, so that only what sealift finds by is taken. */
static bool read_referrer(const struct reading *r, const struct yaml_node *node,
    struct release_referrer *one, struct err *e)
{
	static const char *const keys[] = {"digest", "via", NULL};

	if (!reading_need_keys(r, node, keys, e) || !reading_may_pin(r, node, &one->pin, e)
	    || !reading_need_text(r, node, "via", &one->via, e))
		return false;
	if (one->pin.set && (strcmp(one->via, "api") == 0 || strncmp(one->via, "tag:", 4) == 0))
		return true;
	(void)err_set(e, ERR_FORMAT,
	    "expected a digest, and \"api\" or \"tag:TAG\" for how it was found");
	return reading_fail_at(r, node, e);
}

static bool read_referrers(const struct reading *r, const struct yaml_node *node,
    struct release_image *image, struct err *e)
{
	const struct yaml_node *list = yaml_get(node, "referrers");

	if (!list)
		return true;
	if (!reading_need_kind(r, list, YAML_SEQUENCE, e))
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

	if (!reading_need_keys(r, node, keys, e)
	    || !reading_need_text(r, node, "ref", &image->ref, e)
	    || !reading_may_pin(r, node, &image->pin, e) || !read_referrers(r, node, image, e))
		return false;
	const struct yaml_node *values = yaml_get(node, "values");
	if (!values)
		return true;
	if (values->kind == YAML_MAPPING)
		return read_coordinates(r, values, release_new_values(image), e);
	if (!reading_need_kind(r, values, YAML_SEQUENCE, e))
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
	if (!reading_need_kind(r, images, YAML_SEQUENCE, e))
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
	return reading_need_keys(r, node, keys, e)
	       && reading_need_text(r, node, "name", &chart->name, e)
	       && reading_may_pin(r, node, &chart->pin, e)
	       && (chart->pin.set ? reading_may_text : reading_need_text)(
		   r, node, "version", &chart->version, e)
	       && reading_may_text(r, node, "repo", &chart->repo, e);
}

/* A path, or a mapping of path and digest. */
static bool read_file(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	static const char *const keys[] = {"path", "digest", NULL};
	struct release_file *file = release_new_file(r->release);

	if (node->kind != YAML_MAPPING)
		return reading_take_text(r, node, &file->path, e);
	return reading_need_keys(r, node, keys, e)
	       && reading_need_text(r, node, "path", &file->path, e)
	       && reading_may_pin(r, node, &file->pin, e);
}

static bool read_files(const struct reading *r, const struct yaml_node *root, struct err *e)
{
	const struct yaml_node *files = yaml_get(root, "files");

	if (!files)
		return true;
	if (!reading_need_kind(r, files, YAML_SEQUENCE, e))
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
	if (!reading_need_keys(&r, root, keys, e)
	    || !reading_parameters(&r, root, given, count, e)
	    || !reading_need_text(&r, root, "release", &release->name, e)
	    || !reading_may_text(&r, root, "version", &release->version, e)
	    || !reading_may_text(&r, root, "platform", &release->platform, e)
	    || !reading_may_text(&r, root, "locked", &release->locked, e)
	    || !read_chart(&r, root, e) || !read_images(&r, root, e) || !read_files(&r, root, e)
	    || !reading_take_list(&r, root, "versions", &release->version_keys, e)
	    || !check_lock(&r, e))
		return false;
	*out = STEAL(release);
	return true;
}
