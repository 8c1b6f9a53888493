#include "cmd/repoindex.h"

#include "base/own.h"
#include "manifests/image.h"
#include "manifests/json.h"

#include <string.h>

enum { INDEX_MAX = 32 * 1024 * 1024 };

/* The chart's Chart.yaml as JSON, as the config of its manifest has it. */
static bool read_metadata(const struct reader *reader, const struct bundle_chart *chart,
    struct buf *out, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);
	OWNED(buf_drop) struct buf raw = BUF(0);
	OWNED(image_drop) struct image *image = NULL;
	OWNED(json_drop) struct json *doc = NULL;

	if (!reader_small(reader, inventory_find(inv, &chart->manifest.digest), &raw, e)
	    || !image_parse_take(&raw, chart->manifest.media_type, &image, e))
		return false;
	const size_t config = image->kind == IMAGE_MANIFEST && image->count
				  ? inventory_find(inv, &image->parts[0].descriptor.digest)
				  : inv->member_count;
	if (config == inv->member_count)
		return err_set(e, ERR_DAMAGED, "expected a config, found none");
	if (!reader_small(reader, config, out, e)
	    || !json_parse(buf_slice(out), "config", &doc, e))
		return false;
	return (json_is_object(doc) && json_text(json_get(doc, "name")).len)
	       || err_set(
		   e, ERR_FORMAT, "expected the chart's metadata in its config, found none");
}

/* The metadata, and behind it where and what the chart is. */
static bool put_entry(const struct reader *reader, const struct bundle_chart *chart,
    struct json_writer *w, struct err *e)
{
	OWNED(buf_drop) struct buf metadata = BUF(0);
	OWNED(buf_drop) struct buf more = BUF(64 * 1024);
	OWNED(buf_drop) struct buf file = BUF(1024);
	struct json_writer to = {.out = &more, .comma = true};
	char created[DATE_TEXT];
	char hex[DIGEST_TEXT];

	if (!read_metadata(reader, chart, &metadata, e))
		return err_in(e, "chart %.100s", chart->name);
	const struct slice text = slice_trim(buf_slice(&metadata));
	buf_addf(&file, "%s-%s.tgz", chart->name, chart->version);
	buf_add(&more, text.ptr, text.len - 1);
	json_pair(&to, "created", date_text(reader_inventory(reader)->created, created));
	json_pair(&to, "digest", digest_hex(&chart->blob, hex));
	json_key(&to, "urls");
	json_begin(&to, '[');
	json_put_text(&to, buf_slice(&file));
	json_end(&to, ']');
	buf_adds(&more, "}");
	json_put_raw(w, buf_slice(&more));
	return buf_ok(&more, e) && buf_ok(&file, e);
}

static bool is_first(const struct inventory *inv, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(inv->charts[i].name, inv->charts[at].name) == 0)
			return false;
	return true;
}

/* All versions of the chart that stands at that place. */
static bool put_versions(
    const struct reader *reader, size_t at, struct json_writer *w, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);

	json_key(w, inv->charts[at].name);
	json_begin(w, '[');
	for (size_t i = at; i < inv->chart_count; i++)
		if (strcmp(inv->charts[i].name, inv->charts[at].name) == 0
		    && !put_entry(reader, &inv->charts[i], w, e))
			return false;
	json_end(w, ']');
	return true;
}

bool repoindex_write(const struct reader *reader, struct buf *out, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);
	struct json_writer w = {.out = out};
	char created[DATE_TEXT];

	buf_init(out, INDEX_MAX);
	json_begin(&w, '{');
	json_pair(&w, "apiVersion", "v1");
	json_key(&w, "entries");
	json_begin(&w, '{');
	for (size_t i = 0; i < inv->chart_count; i++)
		if (is_first(inv, i) && !put_versions(reader, i, &w, e))
			return false;
	json_end(&w, '}');
	json_pair(&w, "generated", date_text(inv->created, created));
	json_end(&w, '}');
	buf_adds(out, "\n");
	return buf_ok(out, e);
}
