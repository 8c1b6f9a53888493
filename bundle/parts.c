#include "bundle/parts.h"

#include "base/own.h"
#include "manifests/json.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_TYPE "https://sealift/parts/v1"

static const uint64_t total_max = ((uint64_t)1 << 53) - 1;

void parts_drop(struct parts *p)
{
	free(p->hashes);
	free(p->chunks);
	*p = (struct parts){0};
}

size_t parts_pieces(uint64_t total, uint64_t size)
{
	return (size_t)(total / size + (total % size != 0));
}

static void put_part(struct json_writer *w, const struct parts *p, const char *name, size_t i)
{
	OWNED(buf_drop) struct buf text = BUF(8192);
	const uint64_t left = p->total - p->size * i;
	char hex[DIGEST_TEXT];

	parts_name(slice_of(name), i + 1, &text);
	json_begin(w, '{');
	json_pair(w, "name", buf_text(&text));
	json_key(w, "size");
	json_put_u64(w, left < p->size ? left : p->size);
	json_pair(w, "sha256", digest_hex(&p->hashes[i], hex));
	json_end(w, '}');
}

bool parts_write(const struct parts *p, const char *name, struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "_type", PARTS_TYPE);
	json_pair(&w, "inventory", digest_text(&p->id, digest));
	json_key(&w, "total");
	json_put_u64(&w, p->total);
	json_key(&w, "partSize");
	json_put_u64(&w, p->size);
	json_key(&w, "parts");
	json_begin(&w, '[');
	for (size_t i = 0; i < p->count; i++)
		put_part(&w, p, name, i);
	json_end(&w, ']');
	json_key(&w, "chunkSize");
	json_put_u64(&w, PART_CHUNK);
	json_key(&w, "chunks");
	json_begin(&w, '[');
	for (size_t i = 0; i < p->chunk_count; i++)
		json_put_text(&w, slice_of(digest_hex(&p->chunks[i], digest)));
	json_end(&w, ']');
	json_end(&w, '}');
	buf_adds(out, "\n");
	return buf_ok(out, e);
}

static bool bad_list(struct err *e)
{
	return err_set(e, ERR_FORMAT,
	    "expected the list of a bundle's parts, found another document or a damaged one");
}

static bool read_number(struct slice value, uint64_t max, uint64_t *out, struct err *e)
{
	return (slice_u64(value, max, out) && *out) || bad_list(e);
}

/* "sha256:…" or hex alone, in quotes and without escapes. */
static bool read_hash(struct slice value, struct digest *out, struct err *e)
{
	struct err ignored = {0};

	if (value.len < 2 || value.ptr[0] != '"')
		return bad_list(e);
	const struct slice text = slice_at(value.ptr + 1, value.len - 2);
	return digest_parse_hex(text, out, &ignored) || digest_parse(text, out, &ignored)
	       || bad_list(e);
}

static bool read_part(struct slice part, struct digest *out, struct err *e)
{
	struct slice rest = part;
	struct slice key;
	struct slice value;
	bool bad = false;

	while (json_skim_member(&rest, &key, &value, &bad))
		if (slice_is(key, "sha256"))
			return read_hash(value, out, e);
	return bad_list(e);
}

/* An array whose elements become digests, count of them in the end. */
static bool read_hashes(struct slice array,
    bool (*read)(struct slice value, struct digest *out, struct err *e), struct digest **hashes,
    size_t *count, struct err *e)
{
	struct slice rest = array;
	struct slice value;
	bool bad = false;

	while (json_skim_element(&rest, &value, &bad)) {
		if (*count % 256 == 0)
			*hashes = own_grow(*hashes, *count + 256, sizeof(**hashes));
		if (!read(value, &(*hashes)[*count], e))
			return false;
		++*count;
	}
	return !bad || bad_list(e);
}

static bool read_member(struct parts *p, struct slice key, struct slice value, struct err *e)
{
	uint64_t chunk;

	if (slice_is(key, "_type"))
		return slice_is(value, "\"" PARTS_TYPE "\"") || bad_list(e);
	if (slice_is(key, "inventory"))
		return read_hash(value, &p->id, e);
	if (slice_is(key, "total"))
		return read_number(value, total_max, &p->total, e);
	if (slice_is(key, "partSize"))
		return read_number(value, total_max, &p->size, e);
	if (slice_is(key, "chunkSize"))
		return read_number(value, total_max, &chunk, e)
		       && (chunk == PART_CHUNK || bad_list(e));
	if (slice_is(key, "parts"))
		return p->count == 0 && read_hashes(value, read_part, &p->hashes, &p->count, e);
	if (slice_is(key, "chunks"))
		return p->chunk_count == 0
		       && read_hashes(value, read_hash, &p->chunks, &p->chunk_count, e);
	return true;
}

bool parts_read(struct slice text, struct parts *out, struct err *e)
{
	OWNED(parts_drop) struct parts p = {0};
	struct slice rest = slice_trim(text);
	struct slice key;
	struct slice value;
	bool bad = !rest.len || rest.ptr[0] != '{';

	while (!bad && json_skim_member(&rest, &key, &value, &bad))
		if (!read_member(&p, key, value, e))
			return e->kind ? false : bad_list(e);
	if (bad || !p.total || !p.size || p.count > PARTS_MAX
	    || p.chunk_count != parts_pieces(p.total, PART_CHUNK)
	    || (p.count && p.count != parts_pieces(p.total, p.size))
	    || (!p.count && p.size != p.total))
		return bad_list(e);
	*out = STEAL(p);
	return true;
}

bool parts_is_name(const char *path, struct slice *stem)
{
	const size_t len = strlen(path);
	const char *end = path + len - PART_SUFFIX;

	if (len <= PART_SUFFIX || end[0] != '.' || strspn(end + 1, "0123456789") != 3
	    || end[-1] == '/')
		return false;
	*stem = slice_at(path, len - PART_SUFFIX);
	return true;
}

void parts_name(struct slice stem, size_t number, struct buf *out)
{
	buf_addf(out, "%.*s.%03zu", SLICE_ARG(stem), number);
}

void parts_beside(struct slice stem, const char *suffix, struct buf *out)
{
	static const char tar[] = ".tar";
	const size_t end = sizeof(tar) - 1;

	if (stem.len > end && memcmp(stem.ptr + stem.len - end, tar, end) == 0)
		stem.len -= end;
	buf_addf(out, "%.*s.%s", SLICE_ARG(stem), suffix);
}
