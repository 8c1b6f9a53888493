/*
 * Customers' values files: what has been pointed at the customer's registry is left alone when
 * it comes again, and the input is never touched.
 */
#include "base/own.h"
#include "manifests/rewrite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char description[] = "release: shop\n"
				  "images:\n"
				  "  - ref: \"registry.example.com/shop/web:1.0\"\n"
				  "    values:\n"
				  "      - name: web\n"
				  "        whole: [web.image, image]\n"
				  "        registry: [web.registry, global.imageRegistry]\n"
				  "        repository: [web.repository]\n"
				  "        tag: [web.tag, \"@appVersion\"]\n"
				  "        dead: [old.image]\n";
static const char defaults[] = "global: {imageRegistry: registry.example.com}\nweb: "
			       "{repository: shop/web, tag: \"1.0\"}\n";

static bool rewrite_text(const struct release *release, struct slice text, struct rewrite **out)
{
	static const struct target target = {.host = "registry.corp:5000", .prefix = "apps"};
	const struct rewrite_request request = {
	    .release = release,
	    .target = &target,
	    .defaults = slice_of(defaults),
	    .app_version = "1.0",
	    .file = text,
	    .file_name = "values.yaml",
	};
	struct err e = {0};

	return rewrite_values(&request, out, &e);
}

static void check(const struct release *release, struct slice text)
{
	OWNED(rewrite_drop) struct rewrite *once = NULL;
	OWNED(rewrite_drop) struct rewrite *twice = NULL;

	if (!rewrite_text(release, text, &once) || findings_blocking(&once->findings))
		return;
	if (!rewrite_text(release, buf_slice(&once->file), &twice))
		abort();
	if (!slice_equal(buf_slice(&once->file), buf_slice(&twice->file)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(release_drop) struct release *release = NULL;
	OWNED(drop_any) char *before = own_bytes(bytes, len);
	struct err e = {0};

	if (!release_parse(slice_of(description), "description", NULL, 0, &release, &e))
		abort();
	check(release, slice_at(bytes, len));
	if (len && memcmp(before, bytes, len) != 0)
		abort();
	return 0;
}
