/* A bundle written as parts: each byte goes straight to its place in its part. */
#include "bundle/output.h"

#include "base/own.h"
#include "bundle/folders.h"
#include "bundle/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

/* What is written, as one run of bytes. */
struct parts_medium {
	struct medium medium;
	struct parts_output *output;
};

struct parts_output {
	struct output output;
	struct parts_medium medium;
	uint64_t size;
	enum file_existing existing;
	struct folders folders;
	struct outfile **parts; /* PARTS_MAX; NULL: not open */
	size_t *homes;		/* in which folder each is */
	size_t count;
};

static struct parts_output *of_medium(const struct medium *m)
{
	return ((const struct parts_medium *)m)->output;
}

static bool open_part(
    struct parts_output *o, size_t i, size_t folder, bool resume, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	folders_part(&o->folders, i, folder, &path);
	o->homes[i] = folder;
	if (!buf_ok(&path, e)
	    || !outfile_open(
		buf_text(&path), PART_UNDER_WAY, o->existing, resume, &o->parts[i], e))
		return false;
	outfile_keep(o->parts[i]);
	return true;
}

/* A run of bytes within one part. */
struct piece {
	int fd;
	uint64_t at;
	size_t len;
};

static bool find_piece(const struct parts_output *o, size_t len, uint64_t offset,
    struct piece *piece, struct err *e)
{
	const uint64_t part = offset / o->size;
	const uint64_t left = o->size - offset % o->size;

	if (part >= PARTS_MAX || !o->parts[part])
		return err_set(e, ERR_DAMAGED, "expected a part with byte %llu, found none",
		    (unsigned long long)offset);
	*piece = (struct piece){.fd = outfile_fd(o->parts[part]),
	    .at = offset % o->size,
	    .len = len < left ? len : (size_t)left};
	return true;
}

static bool in_part(const struct parts_output *o, uint64_t offset, struct err *e)
{
	return err_in(e, "part %llu", (unsigned long long)(offset / o->size) + 1);
}

static bool read_bytes(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	const struct parts_output *o = of_medium(self);
	struct piece piece;

	for (char *to = bytes; len; to += piece.len, len -= piece.len, offset += piece.len)
		if (!find_piece(o, len, offset, &piece, e)
		    || !file_read_at(piece.fd, to, piece.len, piece.at, e))
			return in_part(o, offset, e);
	return true;
}

static bool write_bytes(
    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	const struct parts_output *o = of_medium(self);
	struct piece piece;

	for (const char *from = bytes; len;
	     from += piece.len, len -= piece.len, offset += piece.len)
		if (!find_piece(o, len, offset, &piece, e)
		    || !file_write_at(piece.fd, from, piece.len, piece.at, e))
			return in_part(o, offset, e);
	return true;
}

static bool check_end(struct medium *self, uint64_t total, struct err *e)
{
	const struct parts_output *o = of_medium(self);
	struct stat st;
	uint64_t sum = 0;

	for (size_t i = 0; i < o->count; i++) {
		if (fstat(outfile_fd(o->parts[i]), &st) != 0)
			return err_errno(e, "cannot look at part %zu", i + 1);
		sum += (uint64_t)st.st_size;
	}
	return sum == total
	       || err_set(e, ERR_DAMAGED, "expected parts of %llu bytes, found %llu",
		   (unsigned long long)total, (unsigned long long)sum);
}

static bool uncache(struct medium *self, struct err *e)
{
	const struct parts_output *o = of_medium(self);

	for (size_t i = 0; i < o->count; i++)
		if (!file_forget_cache(outfile_fd(o->parts[i]), e))
			return err_in(e, "part %zu", i + 1);
	return true;
}

static bool empty(struct output *self, struct err *e)
{
	struct parts_output *o = (struct parts_output *)self;

	(void)e;
	for (size_t i = 0; i < PARTS_MAX; i++)
		outfile_drop(&o->parts[i]);
	folders_clear(&o->folders, 0);
	o->output.resumed = false;
	return true;
}

/* Where an interrupted run has part i; folder_count when nowhere. */
static bool find_begun(struct parts_output *o, size_t i, size_t *folder, struct err *e)
{
	*folder = o->parts[i] ? o->homes[i] : folders_find(&o->folders, i, PART_UNDER_WAY);
	if (*folder < o->folders.count || !o->output.resumed)
		return true;
	*folder = folders_find(&o->folders, i, "");
	return *folder == o->folders.count || folders_take_back(&o->folders, i, *folder, e);
}

static bool continue_part(
    struct parts_output *o, size_t i, size_t folder, uint64_t size, struct err *e)
{
	struct stat st;

	if (!o->parts[i] && !open_part(o, i, folder, true, e))
		return false;
	const int fd = outfile_fd(o->parts[i]);
	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at part %zu", i + 1);
	const uint64_t there = (uint64_t)st.st_blocks * 512;
	if (there < size && !folders_take(&o->folders, folder, size - there))
		return folders_full(i, size - there, e);
	return (uint64_t)st.st_size <= size || ftruncate(fd, (off_t)size) == 0
	       || err_errno(e, "cannot cut part %zu to its length", i + 1);
}

/* Part i goes on where it is, else into the next folder in turn that has room. */
static bool place_part(struct parts_output *o, size_t i, uint64_t size, struct err *e)
{
	size_t folder;

	if (!find_begun(o, i, &folder, e))
		return false;
	if (folder < o->folders.count) {
		o->folders.items[folder].used = true;
		return continue_part(o, i, folder, size, e);
	}
	if (!folders_choose(&o->folders, i, size, &folder))
		return folders_full(i, size, e);
	o->folders.items[folder].used = true;
	return open_part(o, i, folder, false, e);
}

static bool reserve(struct output *self, uint64_t total, struct err *e)
{
	struct parts_output *o = (struct parts_output *)self;
	const size_t count = parts_pieces(total, o->size);

	if (count > PARTS_MAX)
		return err_set(e, ERR_USAGE,
		    "expected at most %d parts, found that %llu bytes make %zu; choose larger "
		    "ones",
		    PARTS_MAX, (unsigned long long)total, count);
	if (!folders_measure(&o->folders, e))
		return false;
	o->count = count;
	for (size_t i = 0; i < count; i++) {
		const uint64_t left = total - o->size * i;
		if (!place_part(o, i, left < o->size ? left : o->size, e))
			return false;
	}
	if (!folders_end(&o->folders, count, e))
		return false;
	folders_clear(&o->folders, count);
	return true;
}

static bool beside(struct output *self, const char *suffix, struct slice bytes, struct err *e)
{
	const struct parts_output *o = (const struct parts_output *)self;

	for (size_t f = 0; f < o->folders.count; f++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

		if (!o->folders.items[f].used)
			continue;
		buf_addf(&path, "%s/", o->folders.items[f].path);
		parts_beside(slice_of(o->folders.name), suffix, &path);
		if (!buf_ok(&path, e)
		    || !file_write_new(buf_text(&path), bytes, FILE_REPLACE, 0666, e))
			return false;
	}
	return true;
}

/* From the last to the first: while the first has no name, the set is under way. */
static bool commit(struct output *self, struct err *e)
{
	const struct parts_output *o = (const struct parts_output *)self;

	for (size_t i = o->count; i-- > 0;)
		if (!outfile_commit(o->parts[i], 0666, e))
			return false;
	return true;
}

static void keep(struct output *self)
{
	(void)self; /* each part was opened to be kept */
}

static void free_medium(struct medium *self)
{
	(void)self; /* it is within the output */
}

static void free_output(struct output *self)
{
	struct parts_output *o = (struct parts_output *)self;

	for (size_t i = 0; i < PARTS_MAX; i++)
		outfile_free(o->parts[i]);
	folders_drop(&o->folders);
	free(o->parts);
	free(o->homes);
	free(o);
}

static void name_folders(struct parts_output *o, const struct parts_wanted *want)
{
	const char *slash = strrchr(want->path, '/');

	o->folders.name = own_text(slash ? slash + 1 : want->path);
	for (size_t f = 0; f < want->folder_count; f++)
		folders_add(&o->folders, want->folders[f], strlen(want->folders[f]));
	if (!want->folder_count)
		folders_add(&o->folders, slash ? want->path : ".",
		    slash ? (size_t)(slash - want->path) : 1);
}

/* What a killed run left is found by its first part. */
static bool look_for_begun(struct parts_output *o, bool resume, struct err *e)
{
	const size_t final = folders_find(&o->folders, 0, "");
	const size_t folder = folders_find(&o->folders, 0, PART_UNDER_WAY);

	if (final < o->folders.count && o->existing == FILE_REFUSE) {
		(void)err_set(e, ERR_SYSTEM, "%s/%s.001: exists already; choose another name",
		    o->folders.items[final].path, o->folders.name);
		e->code = EEXIST;
		return false;
	}
	o->output.resumed = resume && folder < o->folders.count;
	return !o->output.resumed || open_part(o, 0, folder, true, e);
}

bool output_to_parts(const struct parts_wanted *want, enum file_existing existing, bool resume,
    struct output **out, struct err *e)
{
	struct parts_output *o = own_new(sizeof(*o));
	OWNED(output_drop) struct output *output = &o->output;

	o->output = (struct output){.medium = &o->medium.medium,
	    .part_size = want->size,
	    .empty = empty,
	    .reserve = reserve,
	    .beside = beside,
	    .commit = commit,
	    .keep = keep,
	    .free = free_output};
	o->medium = (struct parts_medium){
	    .medium = {.read = read_bytes,
		.write = write_bytes,
		.check_end = check_end,
		.uncache = uncache,
		.free = free_medium},
	    .output = o,
	};
	o->size = want->size;
	o->existing = existing;
	o->parts = own_array(PARTS_MAX, sizeof(struct outfile *));
	o->homes = own_array(PARTS_MAX, sizeof(*o->homes));
	name_folders(o, want);
	o->output.name = o->folders.name;
	if (!look_for_begun(o, resume, e))
		return false;
	*out = STEAL(output);
	return true;
}
