#include "manifests/release_parts.h"

/* Double quotes take every text that YAML can hold. */
static void put_quoted(struct buf *out, const char *text)
{
	buf_adds(out, "\"");
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			buf_addf(out, "\\x%02x", (unsigned)*text);
		else
			buf_addf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	}
	buf_adds(out, "\"");
}

/* One line "KEY: "TEXT"" behind its indentation; nothing for NULL. */
static void put_pair(struct buf *out, const char *key, const char *text)
{
	if (!text)
		return;
	buf_addf(out, "%s: ", key);
	put_quoted(out, text);
	buf_adds(out, "\n");
}

static void put_pin(struct buf *out, const char *key, const struct pin *pin)
{
	char text[DIGEST_TEXT];

	put_pair(out, key, pin->set ? digest_text(&pin->digest, text) : NULL);
}

static void put_list(struct buf *out, const char *key, const struct text_list *list)
{
	if (!list->count)
		return;
	buf_addf(out, "%s: [", key);
	for (size_t i = 0; i < list->count; i++) {
		buf_adds(out, i ? ", " : "");
		put_quoted(out, list->items[i]);
	}
	buf_adds(out, "]\n");
}

static void put_coordinates(struct buf *out, const struct coordinates *c)
{
	put_pair(out, "      - name", c->name);
	for (size_t i = 0; i < RELEASE_LISTS; i++) {
		const struct text_list *list = release_list_of(c, i);
		buf_adds(out, list->count ? "        " : "");
		put_list(out, release_list_key(i), list);
	}
	if (c->registry_empty_counts)
		buf_adds(out, "        empty_is_value: [registry]\n");
	if (c->tag_must_be_semver)
		buf_adds(out, "        tag_must_be_semver: true\n");
}

static void put_chart(struct buf *out, const struct release_chart *chart)
{
	buf_adds(out, "\nchart:\n");
	put_pair(out, "  name", chart->name);
	put_pair(out, "  repo", chart->repo);
	put_pair(out, "  version", chart->version);
	put_pin(out, "  digest", &chart->pin);
}

static void put_referrers(struct buf *out, const struct release_image *image)
{
	if (image->referrer_count)
		buf_adds(out, "    referrers:\n");
	for (size_t i = 0; i < image->referrer_count; i++) {
		put_pin(out, "      - digest", &image->referrers[i].pin);
		put_pair(out, "        via", image->referrers[i].via);
	}
}

static void put_image(struct buf *out, const struct release_image *image)
{
	put_pair(out, "  - ref", image->ref);
	put_pin(out, "    digest", &image->pin);
	put_referrers(out, image);
	if (image->values_count)
		buf_adds(out, "    values:\n");
	for (size_t i = 0; i < image->values_count; i++)
		put_coordinates(out, &image->values[i]);
}

static void put_file(struct buf *out, const struct release_file *file)
{
	put_pair(out, "  - path", file->path);
	put_pin(out, "    digest", &file->pin);
}

void release_lock_write(const struct release *r, struct buf *out)
{
	put_pair(out, "release", r->name ? r->name : "bundle");
	put_pair(out, "version", r->version);
	put_pair(out, "platform", r->platform);
	put_pair(out, "locked", r->locked);
	put_list(out, "versions", &r->version_keys);
	for (size_t i = 0; i < r->chart_count; i++)
		put_chart(out, &r->charts[i]);
	buf_adds(out, r->image_count ? "\nimages:\n" : "");
	for (size_t i = 0; i < r->image_count; i++)
		put_image(out, &r->images[i]);
	buf_adds(out, r->file_count ? "\nfiles:\n" : "");
	for (size_t i = 0; i < r->file_count; i++)
		put_file(out, &r->files[i]);
}
