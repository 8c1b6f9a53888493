/*
 * JSON: skimming sees the members that parsing sees, and any bytes can be written as a text
 * that can be read.
 */
#include "base/own.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_within(struct slice part, struct slice whole)
{
	if (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len)
		abort();
}

/* How many items skimming finds; none when the structure does not hold. */
static bool skim(struct slice text, bool object, size_t *count)
{
	struct slice rest = text;
	struct slice key = {0};
	struct slice value = {0};
	bool bad = false;

	for (*count = 0; object ? json_skim_member(&rest, &key, &value, &bad)
				: json_skim_element(&rest, &value, &bad);
	     ++*count) {
		check_within(value, text);
		if (object)
			check_within(key, text);
	}
	return !bad;
}

static size_t members(const struct json *object)
{
	const struct json *value;
	const char *key;
	void *iter = NULL;
	size_t count = 0;

	while (json_next(object, &iter, &key, &value))
		count++;
	return count;
}

static void check_reading(struct slice text)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct err e = {0};
	size_t skimmed;
	const bool parsed = json_parse(text, "input", &doc, &e);
	const bool object = !parsed || json_is_object(doc);
	const bool held = skim(text, object, &skimmed);

	/* Only a key with an escape may be refused in a document that is one. */
	if (parsed && !held && (!object || !memchr(text.ptr, '\\', text.len)))
		abort();
	if (parsed && held && skimmed != (object ? members(doc) : json_count(doc)))
		abort();
	if (!parsed)
		(void)skim(text, false, &skimmed);
}

static void check_writing(struct slice text)
{
	OWNED(json_drop) struct json *doc = NULL;
	OWNED(buf_drop) struct buf out = BUF(6 * text.len + 4);
	struct json_writer w = {.out = &out};
	struct err e = {0};

	json_begin(&w, '[');
	json_put_text(&w, text);
	json_end(&w, ']');
	if (!buf_ok(&out, &e))
		abort();
	for (size_t i = 0; i < out.len; i++)
		if (out.ptr[i] < ' ' || out.ptr[i] > '~')
			abort();
	/* A reader that refuses NUL in a text refuses only that. */
	if (!json_parse(buf_slice(&out), "output", &doc, &e) && !memchr(text.ptr, 0, text.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(drop_text) char *text = own_bytes(bytes, len);

	check_reading(slice_at(text, len));
	check_writing(slice_at(text, len));
	return 0;
}
