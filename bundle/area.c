#include "bundle/area.h"

#include "base/own.h"
#include "bundle/ustar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char folder[] = "bundle/sig/";
static const char pad_name[] = "bundle/pad";

enum {
	FOLDER_LEN = sizeof(folder) - 1,
	KID_LEN = KID_TEXT - 1,
};

/* "bundle/sig/<16 hex>.<suffix>" */
static bool parse_name(const char *name, struct area_signature *s)
{
	const char *suffix = name + FOLDER_LEN + KID_LEN + 1;

	if (strncmp(name, folder, FOLDER_LEN) != 0 || strlen(name) < FOLDER_LEN + KID_LEN + 2)
		return false;
	(void)memcpy(s->kid, name + FOLDER_LEN, KID_LEN);
	s->kid[KID_LEN] = '\0';
	if (strspn(s->kid, "0123456789abcdef") != KID_LEN || suffix[-1] != '.'
	    || strspn(suffix, "abcdefghijklmnopqrstuvwxyz0123456789.") != strlen(suffix))
		return false;
	(void)snprintf(s->name, sizeof(s->name), "%s", name + FOLDER_LEN);
	return true;
}

static bool broken(size_t at, const char *what, struct err *e)
{
	return err_set(e, ERR_DAMAGED,
	    "signature area, byte %zu: expected %s, found something else", at, what);
}

/* Takes the signature whose header stands at *at; last is the name of the one before and
 * becomes its own, since they are sorted. */
static bool take_signature(
    struct area *a, size_t *at, char last[USTAR_NAME_MAX + 1], struct err *e)
{
	struct area_signature *s = &a->signatures[a->count];
	const unsigned char *header = a->bytes + *at;
	char name[USTAR_NAME_MAX + 1];
	uint64_t size;

	if (a->count == AREA_SIGNATURES_MAX || !ustar_claimed_name(header, name)
	    || !parse_name(name, s) || strcmp(last, name) >= 0)
		return broken(*at, "bundle/sig/KID.SUFFIX, sorted, or bundle/pad", e);
	if (!ustar_claimed_size(header, &size) || size > SIGNATURE_MAX
	    || !ustar_is_header(header, name, size)
	    || *at + TAR_BLOCK + ustar_padded(size) > SIGNATURE_AREA - TAR_BLOCK)
		return broken(*at, "the header of a signature", e);
	const unsigned char *data = header + TAR_BLOCK;
	if (!ustar_is_padding(data + size, (size_t)(ustar_padded(size) - size)))
		return broken(*at, "zero bytes after a signature", e);
	s->data = slice_at(data, (size_t)size);
	(void)memcpy(last, name, sizeof(name));
	*at += TAR_BLOCK + (size_t)ustar_padded(size);
	a->count++;
	return true;
}

bool area_parse(struct area *a, struct err *e)
{
	char last[USTAR_NAME_MAX + 1] = "";
	size_t at = 0;

	a->count = 0;
	while (at + TAR_BLOCK <= SIGNATURE_AREA) {
		const size_t left = SIGNATURE_AREA - at - TAR_BLOCK;
		if (ustar_is_header(a->bytes + at, pad_name, left))
			return ustar_is_padding(a->bytes + at + TAR_BLOCK, left)
			       || broken(at + TAR_BLOCK, "zero bytes", e);
		if (!take_signature(a, &at, last, e))
			return false;
	}
	return broken(at, pad_name, e);
}

const char *area_suffix(const struct area_signature *s)
{
	return s->name + KID_LEN + 1;
}

void area_drop(struct area *a)
{
	free(a->bytes);
	*a = (struct area){0};
}

const struct area_signature *area_find(
    const struct area *a, const char *kid, const char *suffix)
{
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->signatures[i].kid, kid) == 0
		    && strcmp(area_suffix(&a->signatures[i]), suffix) == 0)
			return &a->signatures[i];
	return NULL;
}

bool signatures_add(
    struct signatures *s, const char *kid, const char *suffix, struct buf **text, struct err *e)
{
	if (s->count == AREA_SIGNATURES_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d signatures in the bundle, found more",
		    AREA_SIGNATURES_MAX);
	struct signature_text *one = &s->items[s->count++];
	(void)snprintf(one->name, sizeof(one->name), "%s.%s", kid, suffix);
	buf_init(&one->text, SIGNATURE_MAX);
	*text = &one->text;
	return true;
}

void signatures_drop(struct signatures *s)
{
	for (size_t i = 0; i < s->count; i++)
		buf_drop(&s->items[i].text);
	s->count = 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct signature_text *)a)->name, ((const struct signature_text *)b)->name);
}

bool area_make(struct signatures *s, unsigned char out[SIGNATURE_AREA], struct err *e)
{
	size_t at = 0;

	qsort(s->items, s->count, sizeof(*s->items), by_name);
	(void)memset(out, 0, SIGNATURE_AREA);
	for (size_t i = 0; i < s->count; i++) {
		const struct buf *text = &s->items[i].text;
		const size_t after = at + TAR_BLOCK + (size_t)ustar_padded(text->len);
		char name[USTAR_NAME_MAX + 1];

		if (i && strcmp(s->items[i - 1].name, s->items[i].name) == 0)
			return err_set(e, ERR_USAGE,
			    "expected each form of a signature once, found %s twice",
			    s->items[i].name);
		if (text->len > SIGNATURE_MAX || after > SIGNATURE_AREA - TAR_BLOCK)
			return err_set(e, ERR_LIMIT,
			    "expected signatures of at most %d bytes that fit into %d in all, "
			    "found more: %s has no room",
			    SIGNATURE_MAX, SIGNATURE_AREA, s->items[i].name);
		(void)snprintf(name, sizeof(name), "%s%s", folder, s->items[i].name);
		ustar_header(name, text->len, out + at);
		if (text->len)
			(void)memcpy(out + at + TAR_BLOCK, text->ptr, text->len);
		at = after;
	}
	ustar_header(pad_name, SIGNATURE_AREA - at - TAR_BLOCK, out + at);
	return true;
}
