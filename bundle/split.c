#include "bundle/split.h"

#include "base/own.h"
#include "bundle/head.h"
#include "bundle/survey.h"
#include "bundle/ustar.h"
#include "manifests/verify.h"

enum { PATH_ROOM = 4096 };

void splitting_drop(struct splitting *s)
{
	parts_drop(&s->list);
	buf_drop(&s->head);
}

static bool keep_head(struct splitting *s, uint64_t inventory_size, struct err *e)
{
	const size_t len = TAR_BLOCK + (size_t)ustar_padded(inventory_size) + SIGNATURE_AREA;
	struct medium_source from;
	struct buf_sink to;

	buf_init(&s->head, len);
	medium_source_init(&from, s->from, 0, len);
	buf_sink_init(&to, &s->head);
	return stream_copy(&from.source, &to.sink, e);
}

bool splitting_read(struct medium *from, uint64_t part_size, struct watch *watch,
    struct splitting *out, struct err *e)
{
	OWNED(splitting_drop) struct splitting s = {.from = from};
	OWNED(head_drop) struct head head = {0};
	OWNED(inventory_drop) struct inventory *inv = NULL;

	if (!head_read(from, &head, e) || !inventory_read(buf_slice(&head.inventory), &inv, e))
		return false;
	if (parts_pieces(inv->total, part_size) > PARTS_MAX)
		return err_set(e, ERR_USAGE,
		    "expected at most %d parts, found that %llu bytes make more; choose larger "
		    "ones",
		    PARTS_MAX, (unsigned long long)inv->total);
	const struct survey survey = {.medium = from,
	    .inv = inv,
	    .bytes = buf_slice(&head.inventory),
	    .part_size = part_size,
	    .watch = watch};
	if (!survey_read(&survey, &s.list, e) || !keep_head(&s, head.inventory.len, e))
		return false;
	*out = STEAL(s);
	return true;
}

uint64_t splitting_size(const struct splitting *s, size_t i)
{
	const uint64_t left = s->list.total - s->list.size * i;

	return left < s->list.size ? left : s->list.size;
}

static struct descriptor part_bytes(const struct splitting *s, size_t i)
{
	return (struct descriptor){.digest = s->list.hashes[i], .size = splitting_size(s, i)};
}

static void part_path(const struct part_home *home, size_t i, struct buf *out)
{
	buf_addf(out, "%s/", home->folder);
	parts_name(slice_of(home->name), i + 1, out);
}

/* Whether the medium has the bytes of part i, from its beginning to its end. */
static bool check_part(const struct splitting *s, struct medium *m, size_t i, struct err *e)
{
	const struct descriptor want = part_bytes(s, i);
	OWNED(verify_source_drop) struct verify_source verify = {0};
	struct medium_source from;
	struct sink nowhere = null_sink();

	medium_source_init(&from, m, 0, want.size);
	verify_source_init(&verify, &want, &from.source);
	return m->check_end(m, want.size, e) && stream_copy(&verify.source, &nowhere, e);
}

bool splitting_has(const struct splitting *s, const struct part_home *home, size_t i)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(medium_drop) struct medium *m = NULL;
	struct err ignored = {0};

	part_path(home, i, &path);
	return medium_open_file(buf_text(&path), MEDIUM_READ, &m, &ignored)
	       && check_part(s, m, i, &ignored);
}

static bool write_beside(
    const struct part_home *home, const char *suffix, struct slice bytes, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf there = BUF(0);
	struct err ignored = {0};

	buf_addf(&path, "%s/", home->folder);
	parts_beside(slice_of(home->name), suffix, &path);
	if (file_read_plain(buf_text(&path), bytes.len, &there, &ignored)
	    && slice_equal(buf_slice(&there), bytes))
		return true;
	return file_write_new(buf_text(&path), bytes, FILE_REPLACE, 0666, e);
}

static bool copy_part(const struct splitting *s, struct medium *to, size_t i, struct err *e)
{
	const struct descriptor want = part_bytes(s, i);
	OWNED(verify_source_drop) struct verify_source verify = {0};
	struct medium_source from;
	struct medium_sink sink;

	medium_source_init(&from, s->from, s->list.size * i, want.size);
	verify_source_init(&verify, &want, &from.source);
	medium_sink_init(&sink, to, 0, want.size);
	return stream_copy(&verify.source, &sink.sink, e) && to->uncache(to, e)
	       && (check_part(s, to, i, e) || err_in(e, "reading back what was written"));
}

bool splitting_write(const struct splitting *s, const struct part_home *home, size_t i,
    struct watch *watch, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf list = BUF(PARTS_LIST_MAX);
	OWNED(outfile_drop) struct outfile *file = NULL;
	OWNED(medium_drop) struct medium *to = NULL;
	const struct descriptor part = part_bytes(s, i);

	part_path(home, i, &path);
	if (!buf_ok(&path, e)
	    || !outfile_open(buf_text(&path), ".partial", home->existing, false, &file, e))
		return false;
	to = medium_of_fd(outfile_fd(file));
	if (!copy_part(s, to, i, e))
		return err_in(e, "%s", buf_text(&path));
	watch_tell(watch, &(struct news){.kind = NEWS_BYTES, .bytes = part.size});
	return parts_write(&s->list, home->name, &list, e)
	       && write_beside(home, "parts.json", buf_slice(&list), e)
	       && write_beside(home, "head", buf_slice(&s->head), e)
	       && outfile_commit(file, 0666, e);
}
