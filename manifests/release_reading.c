#include "manifests/release_reading.h"

#include "base/own.h"

#include <string.h>

enum { TEXT_MAX = 4096 }; /* bytes of one text with its parameters filled */

static const char *const kinds[] = {"a text", "a mapping", "a list", "an alias"};

bool reading_fail_at(const struct reading *r, const struct yaml_node *node, struct err *e)
{
	return err_in(e, "%s:%zu:%zu", r->what, node->line, node->column);
}

bool reading_need_kind(
    const struct reading *r, const struct yaml_node *node, enum yaml_kind kind, struct err *e)
{
	if (node->kind == kind)
		return true;
	(void)err_set(e, ERR_FORMAT, "expected %s, found %s", kinds[kind], kinds[node->kind]);
	return reading_fail_at(r, node, e);
}

static bool known(const char *const *keys, struct slice key)
{
	for (; *keys; keys++)
		if (slice_is(key, *keys))
			return true;
	return false;
}

bool reading_need_keys(const struct reading *r, const struct yaml_node *node,
    const char *const *keys, struct err *e)
{
	if (!reading_need_kind(r, node, YAML_MAPPING, e))
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
			return reading_fail_at(r, value->key, e);
		}
		if (key.ptr && yaml_get(node, key.ptr) != value) {
			(void)err_set(
			    e, ERR_FORMAT, "expected the key %s once, found it twice", key.ptr);
			return reading_fail_at(r, value->key, e);
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

bool reading_take_text(
    const struct reading *r, const struct yaml_node *node, char **out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(TEXT_MAX);

	if (!reading_need_kind(r, node, YAML_SCALAR, e))
		return false;
	if (!fill_text(r, node->text, &text, e))
		return reading_fail_at(r, node, e);
	if (!text.len || memchr(text.ptr, '\0', text.len)) {
		(void)err_set(e, ERR_FORMAT, "expected a text, found %s",
		    text.len ? "one with a NUL" : "nothing");
		return reading_fail_at(r, node, e);
	}
	*out = own_text(buf_text(&text));
	return true;
}

bool reading_need_text(const struct reading *r, const struct yaml_node *mapping,
    const char *key, char **out, struct err *e)
{
	const struct yaml_node *node = yaml_get(mapping, key);

	if (node)
		return reading_take_text(r, node, out, e);
	(void)err_set(e, ERR_FORMAT, "expected the key %s, found none", key);
	return reading_fail_at(r, mapping, e);
}

bool reading_may_text(const struct reading *r, const struct yaml_node *mapping, const char *key,
    char **out, struct err *e)
{
	return !yaml_get(mapping, key) || reading_need_text(r, mapping, key, out, e);
}

bool reading_may_pin(
    const struct reading *r, const struct yaml_node *mapping, struct pin *out, struct err *e)
{
	const struct yaml_node *node = yaml_get(mapping, "digest");
	OWNED(drop_text) char *text = NULL;

	if (!node)
		return true;
	if (!reading_take_text(r, node, &text, e))
		return false;
	out->set = digest_parse(slice_of(text), &out->digest, e);
	return out->set || reading_fail_at(r, node, e);
}

bool reading_take_list(const struct reading *r, const struct yaml_node *mapping,
    const char *key, struct text_list *out, struct err *e)
{
	const struct yaml_node *list = yaml_get(mapping, key);

	if (!list)
		return true;
	if (!reading_need_kind(r, list, YAML_SEQUENCE, e))
		return false;
	for (const struct yaml_node *item = list->first; item; item = item->next) {
		OWNED(drop_text) char *text = NULL;

		if (!reading_take_text(r, item, &text, e))
			return false;
		text_list_add_take(out, STEAL(text));
	}
	return true;
}

/* A plain text of a parameter's declaration; NULL when it is not there. */
static bool declared_text(const struct reading *r, const struct yaml_node *declaration,
    const char *key, const char **out, struct err *e)
{
	const struct yaml_node *node = yaml_get(declaration, key);

	if (!node)
		return true;
	if (!reading_need_kind(r, node, YAML_SCALAR, e))
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
		return reading_fail_at(r, node, e);
	}
	if (!reading_need_keys(r, node, keys, e)
	    || !declared_text(r, node, "default", &filling.value, e)
	    || !declared_text(r, node, "description", &filling.description, e))
		return false;
	r->fillings[r->count++] = filling;
	return true;
}

static bool give(struct reading *r, const struct parameter *given, struct err *e)
{
	OWNED(buf_drop) struct buf all = BUF(TEXT_MAX);

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

bool reading_parameters(struct reading *r, const struct yaml_node *root,
    const struct parameter *given, size_t count, struct err *e)
{
	const struct yaml_node *parameters = yaml_get(root, "parameters");

	if (parameters && !reading_need_kind(r, parameters, YAML_MAPPING, e))
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
