#include "bundle/inventory.h"

#include "base/own.h"
#include "bundle/layout.h"
#include "manifests/json.h"

static void put_digest(struct json_writer *w, const char *key, const struct digest *d)
{
	char text[DIGEST_TEXT];

	json_pair(w, key, digest_text(d, text));
}

static void put_number(struct json_writer *w, const char *key, uint64_t number)
{
	json_key(w, key);
	json_put_u64(w, number);
}

static void put_empty(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_put_raw(w, slice_of("[]"));
}

static void put_bundle(struct json_writer *w, const struct inventory *inv)
{
	char time[DATE_TEXT];

	json_key(w, "bundle");
	json_begin(w, '{');
	json_pair(w, "name", inv->name);
	json_pair(w, "channel", inv->channel);
	json_pair(w, "version", inv->version);
	put_number(w, "sequence", inv->sequence);
	json_pair(w, "created", date_text(inv->created, time));
	json_key(w, "expires");
	if (inv->expires)
		json_put_text(w, slice_of(date_text(inv->expires, time)));
	else
		json_put_raw(w, slice_of("null"));
	json_key(w, "labels");
	json_begin(w, '{');
	for (size_t i = 0; i < inv->label_count; i++)
		json_pair(w, inv->labels[i].key, inv->labels[i].value);
	json_end(w, '}');
	json_pair(w, "tool", inv->tool);
	json_end(w, '}');
}

static void put_chart(struct json_writer *w, const struct bundle_chart *chart)
{
	json_begin(w, '{');
	json_pair(w, "name", chart->name);
	json_pair(w, "version", chart->version);
	put_digest(w, "blob", &chart->blob);
	json_key(w, "manifest");
	json_begin(w, '{');
	put_digest(w, "digest", &chart->manifest.digest);
	put_number(w, "size", chart->manifest.size);
	json_pair(w, "mediaType", chart->manifest.media_type);
	json_end(w, '}');
	json_pair(w, "source", chart->source);
	json_end(w, '}');
}

static void put_referrer(struct json_writer *w, const struct bundle_referrer *referrer)
{
	json_begin(w, '{');
	put_digest(w, "digest", &referrer->digest);
	json_pair(w, "mediaType", referrer->media_type);
	json_pair(w, "artifactType", referrer->artifact_type);
	json_pair(w, "via", referrer->via);
	json_end(w, '}');
}

static void put_image(struct json_writer *w, const struct bundle_image *image)
{
	char text[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "ref", image->ref);
	put_digest(w, "digest", &image->digest);
	put_digest(w, "sourceDigest", &image->source_digest);
	json_pair(w, "mediaType", image->media_type);
	put_number(w, "size", image->size);
	json_key(w, "platforms");
	json_begin(w, '[');
	for (size_t i = 0; i < image->platform_count; i++)
		json_put_text(w, slice_of(image->platforms[i]));
	json_end(w, ']');
	json_key(w, "blobs");
	json_begin(w, '[');
	for (size_t i = 0; i < image->blob_count; i++)
		json_put_text(w, slice_of(digest_text(&image->blobs[i], text)));
	json_end(w, ']');
	json_key(w, "referrers");
	json_begin(w, '[');
	for (size_t i = 0; i < image->referrer_count; i++)
		put_referrer(w, &image->referrers[i]);
	json_end(w, ']');
	json_end(w, '}');
}

static void put_file(struct json_writer *w, const struct bundle_file *file)
{
	json_begin(w, '{');
	json_pair(w, "name", file->name);
	put_digest(w, "blob", &file->blob);
	put_number(w, "size", file->size);
	json_pair(w, "mediaType", file->media_type);
	json_end(w, '}');
}

static void put_member(struct json_writer *w, const struct member *m)
{
	char path[MEMBER_PATH];
	char hex[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "path", member_path(m, path));
	put_number(w, "size", m->size);
	json_pair(w, "sha256", digest_hex(&m->digest, hex));
	json_end(w, '}');
}

static void put_lists(struct json_writer *w, const struct inventory *inv)
{
	json_key(w, "charts");
	json_begin(w, '[');
	for (size_t i = 0; i < inv->chart_count; i++)
		put_chart(w, &inv->charts[i]);
	json_end(w, ']');
	json_key(w, "images");
	json_begin(w, '[');
	for (size_t i = 0; i < inv->image_count; i++)
		put_image(w, &inv->images[i]);
	json_end(w, ']');
	json_key(w, "files");
	json_begin(w, '[');
	for (size_t i = 0; i < inv->file_count; i++)
		put_file(w, &inv->files[i]);
	json_end(w, ']');
	json_key(w, "base");
	json_put_raw(w, slice_of("null"));
	put_empty(w, "absent");
	json_key(w, "members");
	json_begin(w, '[');
	for (size_t i = 0; i < inv->member_count; i++)
		put_member(w, &inv->members[i]);
	json_end(w, ']');
}

/* Everything but the total and the end. */
static void put_all(struct json_writer *w, const struct inventory *inv)
{
	json_begin(w, '{');
	json_pair(w, "_type", INVENTORY_TYPE);
	put_empty(w, "requires");
	put_number(w, "sigArea", SIGNATURE_AREA);
	put_digest(w, "release", &inv->release);
	put_bundle(w, inv);
	put_lists(w, inv);
}

static size_t digits(uint64_t number)
{
	size_t count = 1;

	while (number >= 10) {
		number /= 10;
		count++;
	}
	return count;
}

/* The total counts the inventory's own bytes, among them the total's digits: with one digit
 * more the file may be a block longer, and then the digits fit. */
static bool find_total(
    const struct inventory *inv, size_t before, uint64_t *total, struct err *e)
{
	static const size_t around = sizeof(",\"total\":}\n") - 1;

	*total = 0;
	for (int i = 0; i < 4; i++) {
		OWNED(layout_drop) struct layout l = {0};
		const uint64_t last = *total;

		if (!layout_make(inv, before + around + digits(last), &l, e))
			return false;
		*total = l.total;
		if (l.total == last)
			return true;
	}
	return err_set(
	    e, ERR_LIMIT, "expected the bundle's length to settle, found that it does not");
}

bool inventory_write(struct inventory *inv, struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};

	put_all(&w, inv);
	if (!find_total(inv, out->len, &inv->total, e))
		return false;
	put_number(&w, "total", inv->total);
	json_end(&w, '}');
	buf_adds(out, "\n");
	if (!inventory_index(inv))
		return err_set(e, ERR_FORMAT, "expected each blob once, found one twice");
	return buf_ok(out, e) || err_in(e, "the inventory");
}
