#include "manifests/coordinates.h"

#include "base/own.h"

#include <string.h>

/* The node of the longest beginning of path that stands in y; *whole when that is all of it. */
static const struct yaml_node *deepest(const struct yaml *y, const char *path, bool *whole)
{
	OWNED(drop_text) char *prefix = own_text(path);
	const struct yaml_node *node = yaml_path(y, prefix);

	*whole = node != NULL;
	for (char *dot = strrchr(prefix, '.'); !node && dot; dot = strrchr(prefix, '.')) {
		*dot = '\0';
		node = yaml_path(y, prefix);
	}
	return node;
}

static bool take(
    const struct yaml_node *node, bool in_file, const char *path, struct place *out)
{
	const struct yaml_node *scalar = yaml_resolve(node);

	if (!scalar || scalar->kind != YAML_SCALAR || yaml_is_null(scalar))
		return false;
	*out = (struct place){
	    .path = path, .node = node, .in_file = in_file, .text = scalar->text};
	return true;
}

/* Helm lays maps over one another, key by key; what is no map replaces all below it, and null
 * takes away. */
bool values_at(const struct merged_values *v, const char *path, struct place *out)
{
	bool whole = false;

	if (strcmp(path, "@appVersion") == 0) {
		*out = (struct place){
		    .path = path, .text = slice_of(v->app_version ? v->app_version : "")};
		return v->app_version != NULL;
	}
	const struct yaml_node *node = v->file ? deepest(v->file, path, &whole) : NULL;
	if (whole)
		return take(node, true, path, out);
	if (node && yaml_resolve(node) && yaml_resolve(node)->kind != YAML_MAPPING)
		return false;
	return v->defaults && take(yaml_path(v->defaults, path), false, path, out);
}

bool values_first(const struct merged_values *v, const struct text_list *paths,
    enum empty_rule empty, struct place *out)
{
	for (size_t i = 0; i < paths->count; i++)
		if (values_at(v, paths->items[i], out)
		    && (out->text.len || empty == EMPTY_COUNTS))
			return true;
	*out = (struct place){0};
	return false;
}

/* The length of a path without its last part. */
static size_t parent_length(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

static bool beside_repository(const struct coordinates *c, const char *path)
{
	const size_t len = parent_length(path);

	for (size_t i = 0; i < c->repository.count; i++)
		if (parent_length(c->repository.items[i]) == len
		    && strncmp(c->repository.items[i], path, len) == 0)
			return true;
	return false;
}

bool values_registry(
    const struct merged_values *v, const struct coordinates *c, struct place *out)
{
	for (size_t i = 0; i < c->registry.count; i++) {
		const char *path = c->registry.items[i];
		if (values_at(v, path, out)
		    && (out->text.len
			|| (c->registry_empty_counts && beside_repository(c, path))))
			return true;
	}
	*out = (struct place){0};
	return false;
}

bool values_merge_key(const struct merged_values *v, const char *path, size_t *line)
{
	bool whole = false;
	const struct yaml_node *node = v->file ? deepest(v->file, path, &whole) : NULL;

	if (!node && v->file)
		node = yaml_root(v->file);
	for (; node; node = node->parent) {
		const struct yaml_node *merge =
		    whole ? NULL : yaml_get(yaml_resolve(node), "<<");
		whole = false;
		if (!merge)
			continue;
		*line = merge->line;
		return true;
	}
	return false;
}

/* The value before it in its mapping under the same key; NULL: none. */
static const struct yaml_node *same_key(const struct yaml_node *node)
{
	const struct yaml_node *key = node->key ? yaml_resolve(node->key) : NULL;

	for (const struct yaml_node *at = key ? node->parent->first : NULL; at && at != node;
	     at = at->next)
		if (slice_equal(yaml_resolve(at->key)->text, key->text))
			return at;
	return NULL;
}

bool values_duplicate(
    const struct merged_values *v, const char *path, struct place *out, size_t *first)
{
	bool whole = false;
	const struct yaml_node *node = v->file ? deepest(v->file, path, &whole) : NULL;

	for (; node; node = node->parent) {
		const struct yaml_node *before = same_key(node);

		if (!before)
			continue;
		*first = before->key->line;
		*out = (struct place){.path = path, .node = node->key, .in_file = true};
		return true;
	}
	return false;
}
