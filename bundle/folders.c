#include "bundle/folders.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PATH_ROOM = 4096,
	LIST_ROOM = 1024 * 1024, /* for what stands beside the parts */
};

void folders_add(struct folders *f, const char *path, size_t len)
{
	f->items = own_grow(f->items, f->count + 1, sizeof(*f->items));
	f->items[f->count++] =
	    (struct folder){.path = len ? own_bytes(path, len) : own_text("/")};
}

void folders_drop(struct folders *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->items[i].path);
	free(f->items);
	free(f->name);
	*f = (struct folders){0};
}

static bool measure(struct folder *folder, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
	struct stat st;

	folder->room = 0;
	if (stat(folder->path, &st) != 0)
		return err_errno(e, "%s: cannot look at it", folder->path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: expected a folder", folder->path);
	folder->device = st.st_dev;
	buf_addf(&path, "%s/x", folder->path);
	return file_free_space(buf_text(&path), &folder->room, e);
}

bool folders_measure(struct folders *f, struct err *e)
{
	struct err ignored = {0};
	bool ok = true;

	for (size_t i = 0; i < f->count; i++)
		ok &= measure(&f->items[i], ok ? e : &ignored);
	return ok;
}

/* Two folders may be on one device: its room is the first one's. */
static uint64_t *room_of(struct folders *f, size_t folder)
{
	size_t first = 0;

	while (f->items[first].device != f->items[folder].device)
		first++;
	return &f->items[first].room;
}

bool folders_take(struct folders *f, size_t folder, uint64_t need)
{
	uint64_t *room = room_of(f, folder);

	if (*room < need + LIST_ROOM)
		return false;
	*room -= need;
	return true;
}

bool folders_choose(struct folders *f, size_t i, uint64_t need, size_t *folder)
{
	for (size_t turn = 0; turn < f->count; turn++) {
		*folder = (i + turn) % f->count;
		if (folders_take(f, *folder, need))
			return true;
	}
	return false;
}

bool folders_full(size_t i, uint64_t need, struct err *e)
{
	return err_set(e, ERR_SYSTEM,
	    "the disk is full: expected a folder with room for %llu more bytes of part %zu, "
	    "found none; make room or name another folder",
	    (unsigned long long)need, i + 1);
}

void folders_part(const struct folders *f, size_t i, size_t folder, struct buf *out)
{
	buf_addf(out, "%s/", f->items[folder].path);
	parts_name(slice_of(f->name), i + 1, out);
}

static bool is_there(const struct folders *f, size_t i, size_t folder, const char *suffix)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	folders_part(f, i, folder, &path);
	buf_adds(&path, suffix);
	return access(buf_text(&path), F_OK) == 0;
}

size_t folders_find(const struct folders *f, size_t i, const char *suffix)
{
	size_t folder = 0;

	while (folder < f->count && !is_there(f, i, folder, suffix))
		folder++;
	return folder;
}

bool folders_end(const struct folders *f, size_t count, struct err *e)
{
	return count >= PARTS_MAX || folders_find(f, count, "") == f->count
	       || err_set(e, ERR_SYSTEM,
		   "expected %zu parts of %s, found part %zu of another bundle; move it away",
		   count, f->name, count + 1);
}

void folders_clear(const struct folders *f, size_t first)
{
	for (size_t i = first; i < PARTS_MAX; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		const size_t folder = folders_find(f, i, PART_UNDER_WAY);

		if (folder == f->count)
			return;
		folders_part(f, i, folder, &path);
		buf_adds(&path, PART_UNDER_WAY);
		(void)unlink(buf_text(&path));
	}
}

bool folders_take_back(const struct folders *f, size_t i, size_t folder, struct err *e)
{
	OWNED(buf_drop) struct buf final = BUF(PATH_ROOM);
	OWNED(buf_drop) struct buf temporary = BUF(PATH_ROOM);

	folders_part(f, i, folder, &final);
	folders_part(f, i, folder, &temporary);
	buf_adds(&temporary, PART_UNDER_WAY);
	return rename(buf_text(&final), buf_text(&temporary)) == 0
	       || err_errno(e, "%s: cannot continue it", buf_text(&final));
}
