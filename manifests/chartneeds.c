#include "manifests/chartneeds.h"

#include "base/own.h"
#include "manifests/yaml.h"

#include <string.h>

enum { LISTED_MAX = 4096 }; /* entries of one list */

static struct slice text_of(const struct yaml_node *mapping, const char *key)
{
	const struct yaml_node *node = yaml_resolve(yaml_get(mapping, key));

	return node && node->kind == YAML_SCALAR && !yaml_is_null(node) ? node->text
									: slice_at("", 0);
}

/* The items of a list, or NULL. */
static const struct yaml_node *items_of(const struct yaml_node *list)
{
	return list && list->kind == YAML_SEQUENCE && list->count <= LISTED_MAX ? list->first
										: NULL;
}

/* --- Dependencies --- */

/* Whether a chart of that name stands in charts/; a folder or an archive has any name. */
static bool has_sub(const struct chart *c, struct slice name)
{
	for (size_t i = 0; i < c->sub_count; i++) {
		OWNED(yaml_drop) struct yaml *doc = NULL;
		struct err ignored = {0};
		if (c->subs[i].direct
		    && yaml_parse(buf_slice(&c->subs[i].metadata), "Chart.yaml", &doc, &ignored)
		    && slice_equal(text_of(yaml_root(doc), "name"), name))
			return true;
	}
	return false;
}

static bool tell_missing(const struct chart *c, const struct yaml_node *list,
    struct chart_hearer *hearer, struct err *e)
{
	for (const struct yaml_node *item = items_of(list); item; item = item->next) {
		const struct yaml_node *one = yaml_resolve(item);
		const struct slice name = text_of(one, "name");
		OWNED(drop_text) char *what = own_bytes(name.ptr, name.len);
		const struct slice place = text_of(one, "repository");
		OWNED(drop_text) char *where = own_bytes(place.ptr, place.len);
		if (name.len && !has_sub(c, name)
		    && !hearer->hear(hearer, &(struct chart_need){what, where, false}, e))
			return false;
	}
	return true;
}

bool chartneeds_missing(const struct chart *c, struct chart_hearer *hearer, struct err *e)
{
	const struct buf *const texts[] = {&c->metadata, &c->requirements};

	for (size_t i = 0; i < 2; i++) {
		OWNED(yaml_drop) struct yaml *doc = NULL;
		struct err ignored = {0};
		if (!texts[i]->len
		    || !yaml_parse(buf_slice(texts[i]), "dependencies", &doc, &ignored))
			continue;
		const struct yaml_node *list =
		    yaml_resolve(yaml_get(yaml_root(doc), "dependencies"));
		if (!tell_missing(c, list, hearer, e))
			return false;
	}
	return true;
}

/* --- Images --- */

static bool tell_images(struct slice text, const char *where, const char *key,
    struct chart_hearer *hearer, struct err *e)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	struct err why = {0};

	if (!yaml_parse(text, key, &doc, &why)
	    || (yaml_root(doc) && yaml_root(doc)->kind != YAML_SEQUENCE))
		return err_set(e, ERR_FORMAT,
		    "%.160s: expected a list of images in the annotation %s, found %.200s",
		    where, key, why.kind ? why.text : "something else");
	for (const struct yaml_node *item = items_of(yaml_root(doc)); item; item = item->next) {
		const struct yaml_node *one = yaml_resolve(item);
		const struct slice image = text_of(one, "image");
		OWNED(drop_text) char *what = own_bytes(image.ptr, image.len);
		const struct chart_need need = {what, where, text_of(one, "condition").len > 0};
		if (image.len && !hearer->hear(hearer, &need, e))
			return false;
	}
	return true;
}

static bool images_of(
    struct slice metadata, const char *where, struct chart_hearer *hearer, struct err *e)
{
	static const char *const keys[] = {"artifacthub.io/images", "images", "helm.sh/images"};
	OWNED(yaml_drop) struct yaml *doc = NULL;

	if (!yaml_parse(metadata, "Chart.yaml", &doc, e))
		return err_in(e, "%.160s", where);
	const struct yaml_node *notes = yaml_resolve(yaml_get(yaml_root(doc), "annotations"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct slice text = text_of(notes, keys[i]);
		if (text.len && !tell_images(text, where, keys[i], hearer, e))
			return false;
	}
	return true;
}

bool chartneeds_images(const struct chart *c, struct chart_hearer *hearer, struct err *e)
{
	if (!images_of(buf_slice(&c->metadata), c->name, hearer, e))
		return false;
	for (size_t i = 0; i < c->sub_count; i++)
		if (!images_of(buf_slice(&c->subs[i].metadata), c->subs[i].path, hearer, e))
			return false;
	return true;
}
