#include "cmd/summary.h"

#include "base/own.h"
#include "cmd/output.h"
#include "manifests/digestmap.h"
#include "manifests/json.h"

#include <stdlib.h>

enum { JSON_MAX = 32 * 1024 * 1024 };

/* How many images use each member. */
static size_t *count_users(const struct inventory *inv)
{
	size_t *users = own_array(inv->member_count, sizeof(*users));
	OWNED(digest_map_drop) struct digest_map *map = digest_map_new();
	size_t at;

	for (size_t i = 0; i < inv->member_count; i++)
		if (!inv->members[i].name)
			(void)digest_map_add(map, &inv->members[i].digest, i);
	for (size_t i = 0; i < inv->image_count; i++) {
		if (digest_map_find(map, &inv->images[i].digest, &at))
			users[at]++;
		for (size_t b = 0; b < inv->images[i].blob_count; b++)
			if (digest_map_find(map, &inv->images[i].blobs[b], &at))
				users[at]++;
	}
	return users;
}

struct sizes {
	uint64_t all;
	uint64_t shared; /* of it, used by another image too */
};

static void add_size(
    const struct inventory *inv, const size_t *users, const struct digest *d, struct sizes *s)
{
	const size_t at = inventory_find(inv, d);

	if (at == inv->member_count)
		return;
	s->all += inv->members[at].size;
	if (users[at] > 1)
		s->shared += inv->members[at].size;
}

static struct sizes image_sizes(
    const struct inventory *inv, const size_t *users, const struct bundle_image *image)
{
	struct sizes s = {0};

	add_size(inv, users, &image->digest, &s);
	for (size_t b = 0; b < image->blob_count; b++)
		add_size(inv, users, &image->blobs[b], &s);
	return s;
}

static void join_platforms(const struct bundle_image *image, struct buf *out)
{
	for (size_t i = 0; i < image->platform_count; i++)
		buf_addf(out, "%s%s", i ? "," : "", image->platforms[i]);
	if (!image->platform_count)
		buf_adds(out, "-");
}

static struct sizes add_image_row(struct table *t, const struct inventory *inv,
    const size_t *users, const struct bundle_image *image)
{
	const struct sizes s = image_sizes(inv, users, image);
	OWNED(buf_drop) struct buf platforms = BUF(4096);
	char digest[DIGEST_TEXT];
	char text[24];

	join_platforms(image, &platforms);
	table_add(t, "%s", image->ref);
	table_add(t, "%s", digest_text(&image->digest, digest));
	table_add(t, "%s", buf_text(&platforms));
	table_add(t, "%s", size_text(s.all, text));
	table_add(t, "%s", size_text(s.shared, text));
	return s;
}

static void add_chart_row(
    struct table *t, const struct inventory *inv, const struct bundle_chart *chart)
{
	const size_t at = inventory_find(inv, &chart->blob);
	char digest[DIGEST_TEXT];
	char text[24];

	table_add(t, "chart %s %s", chart->name, chart->version);
	table_add(t, "%s", digest_text(&chart->manifest.digest, digest));
	table_add(t, "-");
	table_add(t, "%s", size_text(at < inv->member_count ? inv->members[at].size : 0, text));
	table_add(t, "%s", size_text(0, text));
}

static void add_file_row(struct table *t, const struct bundle_file *file)
{
	char digest[DIGEST_TEXT];
	char text[24];

	table_add(t, "file %s", file->name);
	table_add(t, "%s", digest_text(&file->blob, digest));
	table_add(t, "-");
	table_add(t, "%s", size_text(file->size, text));
	table_add(t, "%s", size_text(0, text));
}

/* What it says of itself. */
static void print_stamp(const struct inventory *inv, FILE *out)
{
	char time[DATE_TEXT];

	say(out, "made %s by %s", date_text(inv->created, time), inv->tool);
	if (inv->expires)
		say(out, ", expires %s", date_text(inv->expires, time));
	say(out, ", channel %s, sequence %llu\n", inv->channel,
	    (unsigned long long)inv->sequence);
	for (size_t i = 0; i < inv->label_count; i++)
		say(out, "label %s: %s\n", inv->labels[i].key, inv->labels[i].value);
}

static void print_referrers(const struct inventory *inv, FILE *out)
{
	size_t count = 0;

	for (size_t i = 0; i < inv->image_count; i++)
		count += inv->images[i].referrer_count;
	if (count)
		say(out, "%zu that refer to them (signatures, attestations, SBOMs)\n", count);
}

void summary_print(const struct inventory *inv, FILE *out)
{
	static const char *const titles[] = {"IMAGE", "DIGEST", "PLATFORMS", "SIZE", "SHARED"};
	OWNED(table_drop) struct table t = {.columns = 5, .right = {[3] = true, [4] = true}};
	OWNED(drop_any) size_t *users = count_users(inv);
	uint64_t apart = 0;
	uint64_t together = 0;
	char text[2][24];

	for (size_t i = 0; i < 5; i++)
		table_add(&t, "%s", titles[i]);
	for (size_t i = 0; i < inv->image_count; i++)
		apart += add_image_row(&t, inv, users, &inv->images[i]).all;
	for (size_t i = 0; i < inv->chart_count; i++)
		add_chart_row(&t, inv, &inv->charts[i]);
	for (size_t i = 0; i < inv->file_count; i++)
		add_file_row(&t, &inv->files[i]);
	for (size_t i = 0; i < inv->member_count; i++)
		together += users[i] ? inv->members[i].size : 0;
	table_print(&t, out);
	say(out, "%zu image%s: %s with shared layers counted once, %s without sharing\n",
	    inv->image_count, plural(inv->image_count), size_text(together, text[0]),
	    size_text(apart, text[1]));
	print_referrers(inv, out);
	say(out, "bundle %s %s: %llu bytes in %zu members\n", inv->name, inv->version,
	    (unsigned long long)inv->total, inv->member_count);
	print_stamp(inv, out);
}

static void put_referrers(struct json_writer *w, const struct bundle_image *image)
{
	char digest[DIGEST_TEXT];

	json_key(w, "referrers");
	json_begin(w, '[');
	for (size_t i = 0; i < image->referrer_count; i++) {
		json_begin(w, '{');
		json_pair(w, "digest", digest_text(&image->referrers[i].digest, digest));
		json_pair(w, "artifactType", image->referrers[i].artifact_type);
		json_pair(w, "via", image->referrers[i].via);
		json_end(w, '}');
	}
	json_end(w, ']');
}

static void put_image(struct json_writer *w, const struct bundle_image *image, struct sizes s)
{
	char digest[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "ref", image->ref);
	json_pair(w, "digest", digest_text(&image->digest, digest));
	json_pair(w, "sourceDigest", digest_text(&image->source_digest, digest));
	json_pair(w, "mediaType", image->media_type);
	json_key(w, "platforms");
	json_begin(w, '[');
	for (size_t i = 0; i < image->platform_count; i++)
		json_put_text(w, slice_of(image->platforms[i]));
	json_end(w, ']');
	json_key(w, "size");
	json_put_u64(w, s.all);
	json_key(w, "shared");
	json_put_u64(w, s.shared);
	put_referrers(w, image);
	json_end(w, '}');
}

static void put_chart(struct json_writer *w, const struct bundle_chart *chart)
{
	char digest[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "name", chart->name);
	json_pair(w, "version", chart->version);
	json_pair(w, "source", chart->source);
	json_pair(w, "digest", digest_text(&chart->manifest.digest, digest));
	json_pair(w, "blob", digest_text(&chart->blob, digest));
	json_end(w, '}');
}

static void put_texts(struct json_writer *w, const char *key, char *const *texts)
{
	json_key(w, key);
	json_begin(w, '[');
	for (; *texts; texts++)
		json_put_text(w, slice_of(*texts));
	json_end(w, ']');
}

/* Who is believed to have signed; and signatures that do not count, where there are some. */
static void put_judgement(struct json_writer *w, const struct judgement *j)
{
	json_pair(w, "signer", j->signers[0].kid);
	json_key(w, "signers");
	json_begin(w, '[');
	for (size_t i = 0; i < j->signer_count; i++)
		json_put_text(w, slice_of(j->signers[i].kid));
	json_end(w, ']');
	if (*j->unchecked)
		put_texts(w, "unchecked", j->unchecked);
	if (*j->not_counted)
		put_texts(w, "notCounted", j->not_counted);
}

static void put_number(struct json_writer *w, const char *key, uint64_t number)
{
	json_key(w, key);
	json_put_u64(w, number);
}

static void put_head(
    struct json_writer *w, const struct inventory *inv, const struct summary_facts *facts)
{
	static const char *const checked[] = {
	    [CHECKED_NOTHING] = "nothing", [CHECKED_HEAD] = "head", [CHECKED_ALL] = "all"};
	char digest[DIGEST_TEXT];

	json_pair(w, "event", "result");
	if (facts->id)
		json_pair(w, "id", digest_text(facts->id, digest));
	json_key(w, "verified");
	json_put_raw(w, slice_of(facts->judgement ? "true" : "false"));
	json_pair(w, "checked", checked[facts->checked]);
	if (facts->judgement)
		put_judgement(w, facts->judgement);
	json_pair(w, "name", inv->name);
	json_pair(w, "version", inv->version);
	json_pair(w, "channel", inv->channel);
	put_number(w, "sequence", inv->sequence);
	put_number(w, "created", inv->created);
	json_key(w, "expires");
	if (inv->expires)
		json_put_u64(w, inv->expires);
	else
		json_put_raw(w, slice_of("null"));
	json_pair(w, "tool", inv->tool);
	put_number(w, "total", inv->total);
	put_number(w, "members", inv->member_count);
}

static void put_labels(struct json_writer *w, const struct inventory *inv)
{
	json_key(w, "labels");
	json_begin(w, '{');
	for (size_t i = 0; i < inv->label_count; i++)
		json_pair(w, inv->labels[i].key, inv->labels[i].value);
	json_end(w, '}');
}

static void put_files(struct json_writer *w, const struct inventory *inv)
{
	char digest[DIGEST_TEXT];

	json_key(w, "files");
	json_begin(w, '[');
	for (size_t i = 0; i < inv->file_count; i++) {
		json_begin(w, '{');
		json_pair(w, "name", inv->files[i].name);
		json_pair(w, "blob", digest_text(&inv->files[i].blob, digest));
		put_number(w, "size", inv->files[i].size);
		json_pair(w, "mediaType", inv->files[i].media_type);
		json_end(w, '}');
	}
	json_end(w, ']');
}

void summary_json(const struct inventory *inv, const struct summary_facts *facts, FILE *out)
{
	OWNED(buf_drop) struct buf text = BUF(JSON_MAX);
	OWNED(drop_any) size_t *users = count_users(inv);
	struct json_writer w = {.out = &text};

	json_begin(&w, '{');
	put_head(&w, inv, facts);
	put_labels(&w, inv);
	json_key(&w, "images");
	json_begin(&w, '[');
	for (size_t i = 0; i < inv->image_count; i++)
		put_image(&w, &inv->images[i], image_sizes(inv, users, &inv->images[i]));
	json_end(&w, ']');
	json_key(&w, "charts");
	json_begin(&w, '[');
	for (size_t i = 0; i < inv->chart_count; i++)
		put_chart(&w, &inv->charts[i]);
	json_end(&w, ']');
	put_files(&w, inv);
	json_end(&w, '}');
	(void)fprintf(out, "%s\n", buf_text(&text));
}
