/*
 * References and targets that are accepted keep their meaning: written out and read again they
 * are the same, and a re-homed one can be read.
 */
#include "base/own.h"
#include "manifests/reference.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_reference(struct slice text)
{
	static const struct target home = {.host = "registry.corp:5000", .prefix = "apps"};
	struct reference first;
	struct reference second;
	struct err e = {0};
	char once[REFERENCE_TEXT_MAX];
	char twice[REFERENCE_TEXT_MAX];

	if (!reference_parse(text, &first, &e))
		return;
	(void)reference_text(&first, once);
	if (!reference_parse(slice_of(once), &second, &e)
	    || strcmp(once, reference_text(&second, twice)) != 0)
		abort();
	if (reference_rehome(&first, &home, &second, &e)
	    && !reference_parse(slice_of(reference_text(&second, once)), &first, &e))
		abort();
}

static void check_target(const char *text)
{
	struct target first;
	struct target second;
	struct err e = {0};
	char once[REFERENCE_TEXT_MAX];

	if (target_parse(text, &first, &e)
	    && !target_parse(target_text(&first, once), &second, &e))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(drop_text) char *text = own_bytes(bytes, len);

	check_reference(slice_at(bytes, len));
	check_target(text);
	return 0;
}
