#include "base/own.h"
#include "manifests/json.h"
#include "manifests/release_parts.h"

#include <string.h>

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
	for (size_t i = 0; i < RELEASE_LISTS; i++)
		put_list(w, release_list_key(i), release_list_of(c, i));
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
		text_list_add_take(out, own_bytes(text.ptr, text.len));
	}
	return true;
}

static bool copy_coordinates(const struct json *from, struct coordinates *c, struct err *e)
{
	OWNED(text_list_drop) struct text_list empty = {0};
	struct slice name;

	if (!json_need_text(from, "name", what_document, &name, e))
		return false;
	c->name = own_bytes(name.ptr, name.len);
	for (size_t i = 0; i < RELEASE_LISTS; i++)
		if (!copy_list(from, release_list_key(i), release_list_in(c, i), e))
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
		if (!copy_coordinates(json_at(values, i), release_new_values(image), e))
			return false;
	return true;
}

static bool copy_charts(const struct json *doc, struct release *r, struct err *e)
{
	const struct json *charts = NULL;

	if (!json_need_array(doc, "charts", what_document, &charts, e))
		return false;
	for (size_t i = 0; i < json_count(charts); i++) {
		struct release_chart *chart = release_new_chart(r);

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
		if (!copy_image(json_at(images, i), release_new_image(r), e))
			return false;
	if (!copy_list(doc, "versions", &r->version_keys, e))
		return false;
	*out = STEAL(r);
	return true;
}
