/*
 * YAML, as a customer or a chart may hold it: whatever it is, the bytes of every scalar are
 * inside the text, and each node is where its parent says.
 */
#include "manifests/yaml.h"

#include "base/own.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check(const struct yaml_node *node, const struct yaml_node *parent, size_t len)
{
	size_t count = 0;

	if (node->parent != parent || node->start > node->end || node->end > len || !node->line)
		abort();
	if (node->kind == YAML_SCALAR && node->text.ptr)
		(void)yaml_is_text(node->text);
	if ((node->kind == YAML_ALIAS) != (node->target != NULL))
		abort();
	for (const struct yaml_node *at = node->first; at; at = at->next, count++) {
		check(at, node, len);
		if ((node->kind == YAML_MAPPING) != (at->key != NULL))
			abort();
		if (at->key)
			check(at->key, node, len);
	}
	if (count != node->count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(yaml_drop) struct yaml *doc = NULL;
	struct err e = {0};

	if (yaml_parse(slice_at(bytes, len), "fuzz", &doc, &e) != (e.kind == ERR_NONE))
		abort();
	if (doc && yaml_root(doc))
		check(yaml_root(doc), NULL, len);
	if (doc)
		(void)yaml_path(doc, "a.\"b.c\".0");
	return 0;
}
