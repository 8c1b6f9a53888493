#include "bundle/patch.h"

#include "base/own.h"
#include "bundle/layout.h"
#include "bundle/survey.h"
#include "manifests/json.h"
#include "manifests/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define PATCH_TYPE "https://sealift/patch/v1"

enum { PATCH_HEAD_MAX = 16 * 1024 * 1024 };

static uint64_t chunk_size(uint64_t total, uint64_t chunk)
{
	const uint64_t left = total - chunk * PART_CHUNK;

	return left < PART_CHUNK ? left : PART_CHUNK;
}

static bool put_chunk(struct json_writer *w, struct medium *whole, const struct damage *want,
    size_t i, struct err *e)
{
	const uint64_t size = chunk_size(want->total, i);
	struct digest digest;
	char hex[DIGEST_TEXT];

	if (!survey_chunk(whole, want->total, i, &digest, e))
		return false;
	json_begin(w, '{');
	json_key(w, "chunk");
	json_put_u64(w, i + 1);
	json_key(w, "size");
	json_put_u64(w, size);
	json_pair(w, "sha256", digest_hex(&digest, hex));
	json_end(w, '}');
	return true;
}

/* One line of JSON that says what follows. */
static bool write_head(
    struct medium *whole, const struct damage *want, struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "_type", PATCH_TYPE);
	json_pair(&w, "inventory", digest_text(&want->id, digest));
	json_key(&w, "total");
	json_put_u64(&w, want->total);
	json_key(&w, "chunks");
	json_begin(&w, '[');
	for (size_t i = 0; i < want->chunks; i++)
		if (want->bad[i] && !put_chunk(&w, whole, want, i, e))
			return false;
	json_end(&w, ']');
	json_end(&w, '}');
	buf_adds(out, "\n");
	return buf_ok(out, e);
}

static bool copy_chunks(
    struct medium *whole, const struct damage *want, int fd, uint64_t at, struct err *e)
{
	for (size_t i = 0; i < want->chunks; i++) {
		const uint64_t size = chunk_size(want->total, i);
		struct medium_source from;
		struct file_sink to;

		if (!want->bad[i])
			continue;
		medium_source_init(&from, whole, PART_CHUNK * i, size);
		file_sink_init(&to, fd, at, size);
		if (!stream_copy(&from.source, &to.sink, e))
			return false;
		at += size;
	}
	return true;
}

bool patch_write(struct medium *whole, const struct damage *want, const char *path,
    enum file_existing existing, struct err *e)
{
	OWNED(outfile_drop) struct outfile *file = NULL;
	OWNED(buf_drop) struct buf head = BUF(PATCH_HEAD_MAX);

	if (!write_head(whole, want, &head, e)
	    || !outfile_open(path, NULL, existing, false, &file, e))
		return false;
	return (file_write_at(outfile_fd(file), head.ptr, head.len, 0, e)
		   && copy_chunks(whole, want, outfile_fd(file), head.len, e)
		   && outfile_commit(file, 0666, e))
	       || err_in(e, "%s", path);
}

bool patch_is_none(struct err *e)
{
	return err_set(e, ERR_FORMAT,
	    "expected a patch as sealift parts patch writes it, found something else");
}

/* The first line of the file, with its end. */
static bool read_line(int fd, struct buf *line, struct err *e)
{
	char block[4096];

	for (uint64_t at = 0;;) {
		const ssize_t got = pread(fd, block, sizeof(block), (off_t)at);
		if (got < 0)
			return err_errno(e, "reading");
		for (ssize_t i = 0; i < got; i++)
			if (block[i] == '\n') {
				buf_add(line, block, (size_t)i + 1);
				return buf_ok(line, e);
			}
		buf_add(line, block, (size_t)got);
		if (got == 0 || !buf_ok(line, e))
			return patch_is_none(e);
		at += (uint64_t)got;
	}
}

static bool read_piece(
    const struct json *from, const struct patch *p, uint64_t at, struct piece *out)
{
	struct err ignored = {0};

	*out = (struct piece){.at = at};
	return json_u64(json_get(from, "chunk"), &out->chunk) && out->chunk-- > 0
	       && out->chunk < parts_pieces(p->total, PART_CHUNK)
	       && (!p->count || p->pieces[p->count - 1].chunk < out->chunk)
	       && json_u64(json_get(from, "size"), &out->bytes.size)
	       && out->bytes.size == chunk_size(p->total, out->chunk)
	       && digest_parse_hex(
		   json_text(json_get(from, "sha256")), &out->bytes.digest, &ignored);
}

static bool read_head(struct patch *p, struct err *e)
{
	OWNED(buf_drop) struct buf line = BUF(PATCH_HEAD_MAX);
	OWNED(json_drop) struct json *doc = NULL;
	struct err ignored = {0};

	if (!read_line(p->fd, &line, e))
		return false;
	if (!json_parse(buf_slice(&line), "the patch", &doc, &ignored))
		return patch_is_none(e);
	const struct json *chunks = json_get(doc, "chunks");
	const size_t count = json_count(chunks);
	if (!slice_is(json_text(json_get(doc, "_type")), PATCH_TYPE)
	    || !digest_parse(json_text(json_get(doc, "inventory")), &p->id, &ignored)
	    || !json_u64(json_get(doc, "total"), &p->total) || !count
	    || p->total > LAYOUT_TOTAL_MAX)
		return patch_is_none(e);
	p->pieces = own_array(count, sizeof(*p->pieces));
	uint64_t at = line.len;
	for (; p->count < count; p->count++) {
		if (!read_piece(json_at(chunks, p->count), p, at, &p->pieces[p->count]))
			return patch_is_none(e);
		at += p->pieces[p->count].bytes.size;
	}
	return true;
}

void patch_source(const struct patch *p, size_t i, struct file_source *from)
{
	file_source_init(from, p->fd, p->pieces[i].at, p->pieces[i].bytes.size);
}

static bool check_piece(const struct patch *p, size_t i, struct err *e)
{
	OWNED(verify_source_drop) struct verify_source verify = {0};
	struct file_source from;
	struct sink nowhere = null_sink();

	patch_source(p, i, &from);
	verify_source_init(&verify, &p->pieces[i].bytes, &from.source);
	return stream_copy(&verify.source, &nowhere, e)
	       || err_in(
		   e, "chunk %llu of the patch", (unsigned long long)p->pieces[i].chunk + 1);
}

bool patch_open(const char *path, struct patch **out, struct err *e)
{
	OWNED(patch_drop) struct patch *p = own_new(sizeof(*p));

	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (p->fd < 0) {
		const bool missing = errno == ENOENT;
		(void)err_errno(e, "%s: cannot open it", path);
		if (missing)
			e->kind = ERR_MISSING;
		return false;
	}
	if (!read_head(p, e))
		return err_in(e, "%s", path);
	for (size_t i = 0; i < p->count; i++)
		if (!check_piece(p, i, e))
			return err_in(e, "%s", path);
	*out = STEAL(p);
	return true;
}

void patch_free(struct patch *p)
{
	if (!p)
		return;
	drop_fd(&p->fd);
	free(p->pieces);
	free(p);
}

void patch_drop(struct patch **p)
{
	patch_free(*p);
	*p = NULL;
}
