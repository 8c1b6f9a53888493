/* head: the signed head alone, in place of a whole bundle. */
#include "bundle/head.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/inventory.h"
#include "bundle/ustar.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/verb.h"
#include "manifests/json.h"

struct options {
	struct common common;
	struct media_in_options media;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "FILE", "write the head here (required)"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {media_in_options, AT(media), "Media"},
    {common_options, AT(common), "General"},
    {0},
};

enum { JSON_MAX = 64 * 1024 };

/* What is known of the head that was read. */
struct found {
	struct head head;
	struct inventory *inv;
	struct digest id;
	uint64_t size; /* of the head */
};

static void found_drop(struct found *f)
{
	head_drop(&f->head);
	inventory_free(f->inv);
}

static bool look(const struct options *o, const char *bundle, struct found *f, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;

	if (!media_in_open(&o->media, bundle, MEDIUM_READ, &medium, e)
	    || !head_read(medium, &f->head, e)
	    || !inventory_read(buf_slice(&f->head.inventory), &f->inv, e))
		return err_in(e, "%s", bundle);
	digest_of(buf_slice(&f->head.inventory), &f->id);
	f->size = TAR_BLOCK + ustar_padded(f->head.inventory.len) + SIGNATURE_AREA;
	return true;
}

/* Reading compared every byte but these with what they must be. */
static bool write_bytes(const struct found *f, int fd, struct err *e)
{
	const struct buf *inventory = &f->head.inventory;
	static const unsigned char zeros[TAR_BLOCK];
	const size_t padding = (size_t)(ustar_padded(inventory->len) - inventory->len);
	const uint64_t area = f->size - SIGNATURE_AREA;
	unsigned char header[TAR_BLOCK];

	ustar_header(INVENTORY_NAME, inventory->len, header);
	return file_write_at(fd, header, sizeof(header), 0, e)
	       && file_write_at(fd, inventory->ptr, inventory->len, TAR_BLOCK, e)
	       && file_write_at(fd, zeros, padding, area - padding, e)
	       && file_write_at(fd, f->head.area.bytes, SIGNATURE_AREA, area, e);
}

static bool write_head(const struct found *f, const char *path, struct err *e)
{
	OWNED(outfile_drop) struct outfile *out = NULL;

	if (!outfile_open(path, NULL, FILE_REFUSE, false, &out, e))
		return false;
	return (write_bytes(f, outfile_fd(out), e) || err_in(e, "%s", path))
	       && outfile_commit(out, 0666, e);
}

static bool report(const struct options *o, const struct found *f)
{
	OWNED(buf_drop) struct buf text = BUF(JSON_MAX);
	struct json_writer w = {.out = &text};
	char id[DIGEST_TEXT];

	if (!o->common.json) {
		say(stdout,
		    "wrote %s: the head of %s %s, %llu bytes of %llu; nothing was verified, "
		    "inspect and verify --head-only do that with --trust\n",
		    o->output, f->inv->name, f->inv->version, (unsigned long long)f->size,
		    (unsigned long long)f->inv->total);
		return true;
	}
	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	json_pair(&w, "id", digest_text(&f->id, id));
	json_key(&w, "verified");
	json_put_raw(&w, slice_of("false"));
	json_pair(&w, "head", o->output);
	json_key(&w, "size");
	json_put_u64(&w, f->size);
	json_end(&w, '}');
	(void)puts(buf_text(&text));
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *bundle = o->common.arguments.items[0];
	OWNED(found_drop) struct found found = {0};

	if (!o->output || !*o->output)
		return err_set(e, ERR_USAGE, "expected --output FILE for the head, found none");
	if (!look(o, bundle, &found, e))
		return false;
	result_id(&o->common, stdout, bundle, &found.id);
	return write_head(&found, o->output, e) && report(o, &found);
}

const struct verb verb_head = {
    .name = "head",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "write the signed head of a bundle alone",
    .about = "Writes the first members of a bundle, byte for byte: the inventory and the "
	     "signatures, about 100 KB in place of many gigabytes. inspect and verify "
	     "--head-only take it in place of the bundle. Nobody needs to be trusted for "
	     "this, and nothing is verified.",
    .example = "  sealift head immuta-2024.1.5.tar -o immuta-2024.1.5.head",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
