/* extract: charts and files out of a verified bundle. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/names.h"
#include "cmd/output.h"
#include "cmd/repoindex.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"
#include "manifests/image.h"
#include "manifests/json.h"
#include "manifests/provenance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct options {
	struct common common;
	struct trust_options trust;
	bool charts;
	bool chart_index;
	bool files;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"charts", 0, OPTION_FLAG, AT(charts), NULL, "take out the charts, as NAME-VERSION.tgz"},
    {"chart-index", 0, OPTION_FLAG, AT(chart_index), NULL,
	"with --charts, write an index.yaml beside them: the folder is a chart repository"},
    {"files", 0, OPTION_FLAG, AT(files), NULL, "take out the files, by their names"},
    {"output", 'o', OPTION_TEXT, AT(output), "DIR",
	"write into this folder, which is made when it is missing (default: this one)"},
    {0},
};
static const struct option_group groups[] = {
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {own_options, 0, "Options"},
    {common_options, AT(common), "General"},
    {0},
};

enum { PATH_ROOM = 4096, JSON_MAX = 32 * 1024 * 1024 };

/* One file that will be written. */
struct piece {
	char *name; /* owned */
	size_t member;
	struct buf made; /* in place of a member, when it is not empty */
};

struct pieces {
	struct piece *items;
	size_t count;
	const char *folder;
};

static void pieces_drop(struct pieces *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].name);
		buf_drop(&p->items[i].made);
	}
	free(p->items);
	*p = (struct pieces){0};
}

static void add_piece(struct pieces *p, const char *name, size_t member)
{
	p->items = own_grow(p->items, p->count + 1, sizeof(*p->items));
	p->items[p->count++] = (struct piece){.name = own_text(name), .member = member};
}

/* The provenance file that travels with a chart, as NAME-VERSION.tgz.prov. */
static bool add_prov(const struct reader *reader, const struct bundle_chart *chart,
    const char *name, struct pieces *p, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);
	OWNED(buf_drop) struct buf raw = BUF(0);
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(image_drop) struct image *image = NULL;

	if (!reader_small(reader, inventory_find(inv, &chart->manifest.digest), &raw, e)
	    || !image_parse_take(&raw, chart->manifest.media_type, &image, e))
		return false;
	buf_addf(&path, "%s.prov", name);
	for (size_t i = 1; i < image->count; i++) {
		const struct descriptor *d = &image->parts[i].descriptor;
		const size_t member = inventory_find(inv, &d->digest);
		if (strcmp(d->media_type, MEDIA_CHART_PROVENANCE) != 0
		    || member == inv->member_count)
			continue;
		add_piece(p, buf_text(&path), member);
		return buf_ok(&path, e);
	}
	return true;
}

/* A chart's name and version come from whoever made it. */
static bool add_charts(const struct reader *reader, struct pieces *p, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);

	for (size_t i = 0; i < inv->chart_count; i++) {
		const struct bundle_chart *chart = &inv->charts[i];
		OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);

		buf_addf(&name, "%s-%s.tgz", chart->name, chart->version);
		if (!buf_ok(&name, e) || !name_is_chart_file(buf_slice(&name)))
			return err_set(e, ERR_DAMAGED,
			    "expected a chart's name and version that make the name of a file, "
			    "found \"%.100s\" and \"%.100s\"",
			    chart->name, chart->version);
		add_piece(p, buf_text(&name), inventory_find(inv, &chart->blob));
		if (!add_prov(reader, chart, buf_text(&name), p, e))
			return err_in(e, "chart %s", chart->name);
	}
	return inv->chart_count
	       || err_set(e, ERR_MISSING, "expected charts in the bundle, found none");
}

static bool add_index(const struct reader *reader, struct pieces *p, struct err *e)
{
	OWNED(buf_drop) struct buf index = BUF(0);

	if (!repoindex_write(reader, &index, e))
		return false;
	add_piece(p, "index.yaml", 0);
	p->items[p->count - 1].made = STEAL(index);
	return true;
}

static bool add_files(const struct inventory *inv, struct pieces *p, struct err *e)
{
	for (size_t i = 0; i < inv->file_count; i++)
		add_piece(p, inv->files[i].name, inventory_find(inv, &inv->files[i].blob));
	return inv->file_count
	       || err_set(e, ERR_MISSING, "expected files in the bundle, found none");
}

static int by_folded_name(const void *a, const void *b)
{
	const char *left = ((const struct piece *)a)->name;
	const char *right = ((const struct piece *)b)->name;

	return strcasecmp(left, right);
}

/* A chart may be called like another of another source, or like a file. */
static bool check_unique(struct pieces *p, struct err *e)
{
	qsort(p->items, p->count, sizeof(*p->items), by_folded_name);
	for (size_t i = 1; i < p->count; i++)
		if (by_folded_name(&p->items[i - 1], &p->items[i]) == 0)
			return err_set(e, ERR_SYSTEM,
			    "%s and %s cannot stand in one folder; take charts and files out "
			    "apart",
			    p->items[i - 1].name, p->items[i].name);
	return true;
}

static bool list(
    const struct options *o, const struct reader *reader, struct pieces *p, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);

	p->folder = o->output ? o->output : ".";
	return (!o->charts || add_charts(reader, p, e))
	       && (!o->chart_index || add_index(reader, p, e))
	       && (!o->files || add_files(inv, p, e)) && check_unique(p, e);
}

static void path_of(const struct pieces *p, size_t i, struct buf *path)
{
	const bool slash = p->folder[strlen(p->folder) - 1] == '/';

	buf_addf(path, "%s%s%s", p->folder, slash ? "" : "/", p->items[i].name);
}

/* All that is in the way is said at once, before anything is written. */
static bool check_free(const struct pieces *p, struct err *e)
{
	size_t there = 0;

	for (size_t i = 0; i < p->count; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		struct stat st;

		path_of(p, i, &path);
		if (!buf_ok(&path, e))
			return false;
		if (lstat(buf_text(&path), &st) == 0) {
			say(stderr, "exists already: %s\n", buf_text(&path));
			there++;
		}
	}
	return !there
	       || err_set(e, ERR_SYSTEM,
		   "%zu of %zu files exist already; nothing was written; choose another "
		   "folder",
		   there, p->count);
}

static bool write_made(struct slice bytes, struct outfile *out, struct err *e)
{
	struct mem_source source;
	struct file_sink sink;

	mem_source_init(&source, bytes);
	file_sink_init(&sink, outfile_fd(out), 0, bytes.len);
	return stream_copy(&source.source, &sink.sink, e) && outfile_commit(out, 0666, e);
}

/* What a piece is, for those who asked. */
static void describe(const struct reader *reader, const struct piece *piece, struct member *m)
{
	*m = reader_inventory(reader)->members[piece->member];
	if (!piece->made.len)
		return;
	m->size = piece->made.len;
	digest_of(buf_slice(&piece->made), &m->digest);
}

/* Whole and verified, or not there at all. */
static bool write_piece(
    const struct reader *reader, size_t member, struct outfile *out, struct err *e)
{
	const uint64_t size = reader_inventory(reader)->members[member].size;
	OWNED(member_source_drop) struct member_source source = {0};
	struct file_sink sink;

	file_sink_init(&sink, outfile_fd(out), 0, size);
	return reader_member(reader, member, &source, e)
	       && stream_copy(&source.verify.source, &sink.sink, e)
	       && outfile_commit(out, 0666, e);
}

static bool extract_one(
    const struct reader *reader, const struct pieces *p, size_t i, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(outfile_drop) struct outfile *out = NULL;

	path_of(p, i, &path);
	if (!outfile_open(buf_text(&path), NULL, FILE_REFUSE, false, &out, e))
		return false;
	const struct piece *piece = &p->items[i];
	return (piece->made.len ? write_made(buf_slice(&piece->made), out, e)
				: write_piece(reader, piece->member, out, e))
	       || err_in(e, "%s", buf_text(&path));
}

static bool extract_all(const struct reader *reader, const struct pieces *p, struct err *e)
{
	if (mkdir(p->folder, 0777) != 0 && errno != EEXIST)
		return err_errno(e, "cannot make the folder %s", p->folder);
	for (size_t i = 0; i < p->count; i++)
		if (!extract_one(reader, p, i, e))
			return false;
	return true;
}

static void print_json(const struct reader *reader, const struct pieces *p)
{
	OWNED(buf_drop) struct buf text = BUF(JSON_MAX);
	struct json_writer w = {.out = &text};
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	json_pair(&w, "id", digest_text(reader_id(reader), digest));
	json_key(&w, "files");
	json_begin(&w, '[');
	for (size_t i = 0; i < p->count; i++) {
		struct member m;
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

		describe(reader, &p->items[i], &m);
		path_of(p, i, &path);
		json_begin(&w, '{');
		json_pair(&w, "path", buf_text(&path));
		json_pair(&w, "digest", digest_text(&m.digest, digest));
		json_key(&w, "size");
		json_put_u64(&w, m.size);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	(void)puts(buf_text(&text));
}

static bool report(const struct options *o, const struct reader *reader, const struct pieces *p)
{
	if (o->common.json) {
		print_json(reader, p);
		return true;
	}
	for (size_t i = 0; i < p->count; i++) {
		struct member m;
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		char size[24];

		describe(reader, &p->items[i], &m);
		path_of(p, i, &path);
		say(stdout, "wrote %s (%s)\n", buf_text(&path), size_text(m.size, size));
	}
	return true;
}

static bool check_options(const struct options *o, struct err *e)
{
	if (o->chart_index && !o->charts)
		return err_set(e, ERR_USAGE, "--chart-index: expected --charts as well");
	if (!o->charts && !o->files)
		return err_set(
		    e, ERR_USAGE, "expected --charts, --files or both; images go to push");
	return !o->output || *o->output
	       || err_set(e, ERR_USAGE, "--output: expected a folder, found nothing");
}

/* Members of a pipe pass once, and two names may stand for one member. */
static bool check_medium(const struct reader *reader, const char *bundle, struct err *e)
{
	if (!reader_is_forward(reader))
		return reader_is_whole(reader, e) || err_in(e, "%s", bundle);
	return err_set(e, ERR_USAGE, "expected a file or parts to extract from, found a pipe");
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *bundle = o->common.arguments.items[0];
	OWNED(reader_drop) struct reader *reader = NULL;
	OWNED(pieces_drop) struct pieces pieces = {0};

	/* clang-format off */
	return check_options(o, e)
	    && trusted_open(&o->trust, &o->common, bundle, &reader, e)
	    && check_medium(reader, bundle, e)
	    && list(o, reader, &pieces, e)
	    && check_free(&pieces, e)
	    && extract_all(reader, &pieces, e)
	    && report(o, reader, &pieces);
	/* clang-format on */
}

const struct verb verb_extract = {
    .name = "extract",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "take charts and files out of a bundle",
    .about = "Checks that a trusted key signed the bundle, and writes its charts "
	     "(--charts), its files (--files) or both into a folder. Every byte is "
	     "verified as it is read, and a file has its name only when it is whole. "
	     "A file that exists is never replaced. Images are not taken out; push "
	     "brings them where they are used.",
    .example = "  sealift extract immuta-2024.1.5.tar --charts --files --trust vendor.pub "
	       "-o immuta/",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
