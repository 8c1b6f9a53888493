/* A bundle written as parts: each byte goes straight to its place in its part. */
#include "bundle/output.h"

#include "base/own.h"
#include "bundle/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };
#define LIST_ROOM ((uint64_t)1024 * 1024) /* for what stands beside the parts */

static const char partial[] = ".partial";

struct folder {
	char *path;
	dev_t device;
	uint64_t room; /* of the device; only of the first folder that is on it */
	bool used;
};

struct parts_output {
	struct output output;
	struct medium medium;
	char *name; /* "b.tar" */
	uint64_t size;
	enum file_existing existing;
	struct folder *folders;
	size_t folder_count;
	struct outfile **parts; /* PARTS_MAX; NULL: not open */
	size_t *homes;		/* in which folder each is */
	size_t count;
};

static struct parts_output *of_medium(const struct medium *m)
{
	return (struct parts_output *)((char *)(uintptr_t)m
				       - offsetof(struct parts_output, medium));
}

static void part_path(const struct parts_output *o, size_t i, size_t folder, struct buf *out)
{
	buf_addf(out, "%s/", o->folders[folder].path);
	parts_name(slice_of(o->name), i + 1, out);
}

static bool is_there(const struct parts_output *o, size_t i, size_t folder, const char *suffix)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	part_path(o, i, folder, &path);
	buf_adds(&path, suffix);
	return access(buf_text(&path), F_OK) == 0;
}

/* The folder that has part i under that suffix; folder_count when none has. */
static size_t find_part(const struct parts_output *o, size_t i, const char *suffix)
{
	size_t f = 0;

	while (f < o->folder_count && !is_there(o, i, f, suffix))
		f++;
	return f;
}

static bool open_part(
    struct parts_output *o, size_t i, size_t folder, bool resume, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	part_path(o, i, folder, &path);
	o->homes[i] = folder;
	if (!buf_ok(&path, e)
	    || !outfile_open(buf_text(&path), partial, o->existing, resume, &o->parts[i], e))
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

/* Removes what is under way from part first on, as an earlier plan may have left it. */
static void remove_from(const struct parts_output *o, size_t first)
{
	for (size_t i = first; i < PARTS_MAX; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		const size_t folder = find_part(o, i, partial);

		if (folder == o->folder_count)
			return;
		part_path(o, i, folder, &path);
		buf_adds(&path, partial);
		(void)unlink(buf_text(&path));
	}
}

static bool empty(struct output *self, struct err *e)
{
	struct parts_output *o = (struct parts_output *)self;

	(void)e;
	for (size_t i = 0; i < PARTS_MAX; i++)
		outfile_drop(&o->parts[i]);
	remove_from(o, 0);
	o->output.resumed = false;
	return true;
}

/* Two folders may be on one device: its room is the first one's. */
static uint64_t *room_of(struct parts_output *o, size_t folder)
{
	size_t first = 0;

	while (o->folders[first].device != o->folders[folder].device)
		first++;
	return &o->folders[first].room;
}

static bool measure_folders(struct parts_output *o, struct err *e)
{
	for (size_t f = 0; f < o->folder_count; f++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		struct stat st;

		if (stat(o->folders[f].path, &st) != 0)
			return err_errno(e, "%s: cannot look at it", o->folders[f].path);
		buf_addf(&path, "%s/x", o->folders[f].path);
		if (!S_ISDIR(st.st_mode))
			return err_set(
			    e, ERR_USAGE, "%s: expected a folder", o->folders[f].path);
		if (!file_free_space(buf_text(&path), &o->folders[f].room, e))
			return false;
		o->folders[f].device = st.st_dev;
	}
	return true;
}

static bool no_room(size_t i, uint64_t need, struct err *e)
{
	return err_set(e, ERR_SYSTEM,
	    "the disk is full: expected a folder with room for %llu more bytes of part %zu, "
	    "found none; make room or name another folder",
	    (unsigned long long)need, i + 1);
}

static bool take_room(struct parts_output *o, size_t folder, uint64_t need)
{
	uint64_t *room = room_of(o, folder);

	if (*room < need + LIST_ROOM)
		return false;
	*room -= need;
	return true;
}

/* A run that was killed while it gave final names has left some: they are under way again. */
static bool take_back(const struct parts_output *o, size_t i, size_t folder, struct err *e)
{
	OWNED(buf_drop) struct buf final = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf temporary = BUF(PATH_ROOM);

	part_path(o, i, folder, &final);
	part_path(o, i, folder, &temporary);
	buf_adds(&temporary, partial);
	return rename(buf_text(&final), buf_text(&temporary)) == 0
	       || err_errno(e, "%s: cannot continue it", buf_text(&final));
}

/* Where an interrupted run has part i; folder_count when nowhere. */
static bool find_begun(struct parts_output *o, size_t i, size_t *folder, struct err *e)
{
	*folder = o->parts[i] ? o->homes[i] : find_part(o, i, partial);
	if (*folder < o->folder_count || !o->output.resumed)
		return true;
	*folder = find_part(o, i, "");
	return *folder == o->folder_count || take_back(o, i, *folder, e);
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
	if (there < size && !take_room(o, folder, size - there))
		return no_room(i, size - there, e);
	return (uint64_t)st.st_size <= size || ftruncate(fd, (off_t)size) == 0
	       || err_errno(e, "cannot cut part %zu to its length", i + 1);
}

/* Part i goes on where it is, else into the next folder in turn that has room. */
static bool place_part(struct parts_output *o, size_t i, uint64_t size, struct err *e)
{
	size_t folder;

	if (!find_begun(o, i, &folder, e))
		return false;
	if (folder < o->folder_count) {
		o->folders[folder].used = true;
		return continue_part(o, i, folder, size, e);
	}
	for (size_t turn = 0; turn < o->folder_count; turn++) {
		folder = (i + turn) % o->folder_count;
		if (take_room(o, folder, size)) {
			o->folders[folder].used = true;
			return open_part(o, i, folder, false, e);
		}
	}
	return no_room(i, size, e);
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
	if (!measure_folders(o, e))
		return false;
	o->count = count;
	for (size_t i = 0; i < count; i++) {
		const uint64_t left = total - o->size * i;
		if (!place_part(o, i, left < o->size ? left : o->size, e))
			return false;
	}
	if (find_part(o, count, "") < o->folder_count)
		return err_set(e, ERR_SYSTEM,
		    "expected %zu parts of %s, found part %zu of another bundle; move it away",
		    count, o->name, count + 1);
	remove_from(o, count);
	return true;
}

static bool beside(struct output *self, const char *suffix, struct slice bytes, struct err *e)
{
	const struct parts_output *o = (const struct parts_output *)self;

	for (size_t f = 0; f < o->folder_count; f++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

		if (!o->folders[f].used)
			continue;
		buf_addf(&path, "%s/", o->folders[f].path);
		parts_beside(slice_of(o->name), suffix, &path);
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
	for (size_t f = 0; f < o->folder_count; f++)
		free(o->folders[f].path);
	free(o->folders);
	free(o->parts);
	free(o->homes);
	free(o->name);
	free(o);
}

static void name_folders(struct parts_output *o, const struct parts_wanted *want)
{
	const char *slash = strrchr(want->path, '/');
	const size_t own = want->folder_count ? 0 : 1;

	o->name = own_text(slash ? slash + 1 : want->path);
	o->folder_count = want->folder_count + own;
	o->folders = own_array(o->folder_count, sizeof(*o->folders));
	for (size_t f = 0; f < want->folder_count; f++)
		o->folders[f].path = own_text(want->folders[f]);
	if (own)
		o->folders[0].path =
		    slash ? own_bytes(want->path, (size_t)(slash - want->path)) : own_text(".");
}

/* What a killed run left is found by its first part. */
static bool look_for_begun(struct parts_output *o, bool resume, struct err *e)
{
	const size_t final = find_part(o, 0, "");
	const size_t folder = find_part(o, 0, partial);

	if (final < o->folder_count && o->existing == FILE_REFUSE)
		return err_set(e, ERR_SYSTEM,
		    "%s/%s.001: exists already; choose another name, or --force to replace it",
		    o->folders[final].path, o->name);
	o->output.resumed = resume && folder < o->folder_count;
	return !o->output.resumed || open_part(o, 0, folder, true, e);
}

bool output_to_parts(const struct parts_wanted *want, enum file_existing existing, bool resume,
    struct output **out, struct err *e)
{
	struct parts_output *o = own_new(sizeof(*o));
	OWNED(output_drop) struct output *output = &o->output;

	o->output = (struct output){.medium = &o->medium,
	    .part_size = want->size,
	    .empty = empty,
	    .reserve = reserve,
	    .beside = beside,
	    .commit = commit,
	    .keep = keep,
	    .free = free_output};
	o->medium = (struct medium){.read = read_bytes,
	    .write = write_bytes,
	    .check_end = check_end,
	    .uncache = uncache,
	    .free = free_medium};
	o->size = want->size;
	o->existing = existing;
	o->parts = own_array(PARTS_MAX, sizeof(struct outfile *));
	o->homes = own_array(PARTS_MAX, sizeof(*o->homes));
	name_folders(o, want);
	o->output.name = o->name;
	if (!look_for_begun(o, resume, e))
		return false;
	*out = STEAL(output);
	return true;
}
