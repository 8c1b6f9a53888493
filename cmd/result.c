#include "cmd/result.h"

#include "base/own.h"
#include "cmd/output.h"
#include "manifests/json.h"

enum { RESULT_MAX = 64 * 1024 };

static void put_export(struct json_writer *w, const char *path, const struct inventory *inv,
    const char *id, const char *kid)
{
	json_begin(w, '{');
	json_pair(w, "event", "result");
	json_pair(w, "bundle", path);
	json_pair(w, "id", id);
	if (*kid)
		json_pair(w, "signer", kid);
	json_key(w, "total");
	json_put_u64(w, inv->total);
	json_key(w, "images");
	json_put_u64(w, inv->image_count);
	json_key(w, "charts");
	json_put_u64(w, inv->chart_count);
	json_key(w, "files");
	json_put_u64(w, inv->file_count);
	json_end(w, '}');
}

void result_id(
    const struct common *common, FILE *out, const char *path, const struct digest *id)
{
	char text[DIGEST_TEXT];

	if (!common->quiet && !common->json)
		say(out, "%s: %s\n", path, digest_text(id, text));
}

void result_json(const struct fact *facts, size_t count)
{
	OWNED(buf_drop) struct buf line = BUF(RESULT_MAX);
	struct json_writer w = {.out = &line};

	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	for (size_t i = 0; i < count; i++) {
		json_key(&w, facts[i].key);
		if (facts[i].text)
			json_put_text(&w, slice_of(facts[i].text));
		else
			json_put_u64(&w, facts[i].number);
	}
	json_end(&w, '}');
	(void)puts(buf_text(&line));
}

bool result_of_export(const struct common *common, const struct media_out_options *media,
    const char *path, const struct plan *plan, const struct signer *signer)
{
	OWNED(buf_drop) struct buf name = BUF(RESULT_MAX);
	FILE *out = media_out_messages(media);
	OWNED(buf_drop) struct buf text = BUF(RESULT_MAX);
	struct json_writer w = {.out = &text};
	const struct inventory *inv = plan->inventory;
	struct digest digest;
	char id[DIGEST_TEXT];
	char kid[KID_TEXT] = "";
	char size[24];

	digest_of(buf_slice(&plan->bytes), &digest);
	(void)digest_text(&digest, id);
	if (signer)
		(void)signer_kid(signer, kid);
	if (common->json) {
		put_export(&w, path, inv, id, kid);
		(void)fprintf(out, "%s\n", buf_text(&text));
		return true;
	}
	say(out, "%s: %s, signed by %s\n", path, id, signer ? kid : "nobody");
	media_out_name(media, path, &name);
	say(out, "wrote %s: %zu image%s, %zu chart%s, %zu file%s, %s\n", buf_text(&name),
	    inv->image_count, plural(inv->image_count), inv->chart_count,
	    plural(inv->chart_count), inv->file_count, plural(inv->file_count),
	    size_text(inv->total, size));
	return true;
}
