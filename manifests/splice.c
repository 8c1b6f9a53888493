#include "manifests/splice.h"

#include "base/own.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>

static int by_start(const void *a, const void *b)
{
	const size_t left = ((const struct splice *)a)->node->start;
	const size_t right = ((const struct splice *)b)->node->start;

	return (left > right) - (left < right);
}

/* Characters that mean themselves in a plain scalar wherever it stands, in {} and [] too. */
static bool plain_is_safe(const char *value)
{
	static const char first[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const size_t len = strlen(value);

	return len && strchr(first, value[0]) && strchr(first, value[len - 1])
	       && strspn(value,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@-")
		      == len
	       && yaml_is_text(slice_of(value));
}

/* The value in the style of what it replaces, where that style can hold it. */
static void put_value(const struct yaml_node *node, const char *value, struct buf *out)
{
	struct json_writer w = {.out = out};
	const bool unset = node->start == node->end;
	const bool plain = node->kind == YAML_ALIAS || node->style == YAML_PLAIN;

	if (unset)
		buf_adds(out, " ");
	if (plain && plain_is_safe(value))
		buf_adds(out, value);
	else if (node->kind == YAML_SCALAR && node->style == YAML_SINGLE
		 && !strchr(value, '\''))
		buf_addf(out, "'%s'", value);
	else
		json_put_text(&w, slice_of(value));
}

void splice_apply(struct slice text, struct splice *splices, size_t count, struct buf *out)
{
	size_t at = 0;

	if (count)
		qsort(splices, count, sizeof(*splices), by_start);
	for (size_t i = 0; i < count; i++) {
		const struct yaml_node *node = splices[i].node;

		buf_add(out, text.ptr + at, node->start - at);
		put_value(node, splices[i].value, out);
		at = node->end;
	}
	buf_add(out, text.ptr + at, text.len - at);
}

static const char *new_value(
    const struct yaml_node *node, const struct splice *splices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (splices[i].node == node)
			return splices[i].value;
	return NULL;
}

struct proof {
	const struct splice *splices;
	size_t count;
};

static bool same(
    const struct proof *p, const struct yaml_node *before, const struct yaml_node *after);

static bool same_children(
    const struct proof *p, const struct yaml_node *before, const struct yaml_node *after)
{
	const struct yaml_node *b = before->first;
	const struct yaml_node *a = after->first;

	for (; a && b; a = a->next, b = b->next)
		if ((a->key != NULL) != (b->key != NULL) || (a->key && !same(p, b->key, a->key))
		    || !same(p, b, a))
			return false;
	return !a && !b;
}

static bool same(
    const struct proof *p, const struct yaml_node *before, const struct yaml_node *after)
{
	const char *value = new_value(before, p->splices, p->count);

	if (value)
		return after->kind == YAML_SCALAR && slice_is(after->text, value)
		       && !yaml_is_null(after);
	return before->kind == after->kind && before->tagged == after->tagged
	       && before->count == after->count
	       && (before->kind != YAML_SCALAR || before->style == after->style)
	       && (before->anchor ? after->anchor && strcmp(before->anchor, after->anchor) == 0
				  : !after->anchor)
	       && slice_equal(before->text, after->text) && same_children(p, before, after);
}

bool splice_prove(const struct yaml *before, struct slice after, const struct splice *splices,
    size_t count, struct err *e)
{
	OWNED(yaml_drop) struct yaml *parsed = NULL;
	const struct proof p = {splices, count};

	if (!yaml_parse(after, "the rewritten values", &parsed, e))
		return false;
	const struct yaml_node *old_root = yaml_root(before);
	const struct yaml_node *new_root = yaml_root(parsed);
	if (!old_root || !new_root ? old_root == new_root : same(&p, old_root, new_root))
		return true;
	return err_set(e, ERR_FORMAT,
	    "expected the rewritten values to differ in the listed places only, found more; "
	    "nothing was written,"
	    " please report this file's shape");
}
