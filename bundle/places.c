#include "bundle/places.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/medium.h"
#include "manifests/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

void places_add(struct places *p, const char *path, size_t len)
{
	p->items = own_grow(p->items, p->count + 1, sizeof(char *));
	p->items[p->count++] = len ? own_bytes(path, len) : own_text(".");
}

void places_drop(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->items[i]);
	free(p->items);
	free(p->stem);
	parts_drop(&p->list);
	*p = (struct places){0};
}

bool places_find_list(struct places *p, struct err *e)
{
	OWNED(buf_drop) struct buf name = BUF(PATH_ROOM);

	parts_beside(slice_of(p->stem), "parts.json", &name);
	for (size_t i = 0; i < p->count; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);
		OWNED(buf_drop) struct buf text = BUF(0);

		buf_addf(&path, "%s/%s", p->items[i], buf_text(&name));
		err_clear(e);
		if (file_read_plain(buf_text(&path), PARTS_LIST_MAX, &text, e))
			return parts_read(buf_slice(&text), &p->list, e)
			       || err_in(e, "%s", buf_text(&path));
		if (e->kind != ERR_MISSING)
			return false;
	}
	return err_set(
	    e, ERR_MISSING, "expected %s beside a part, found none", buf_text(&name));
}

static uint64_t part_size(const struct parts *list, size_t i)
{
	const uint64_t left = list->total - list->size * i;

	return left < list->size ? left : list->size;
}

/* The bytes by which part i is known: the first chunk that is wholly in it, else all of it. */
static struct descriptor known_by(const struct parts *list, size_t i, uint64_t *at)
{
	const uint64_t start = list->size * i;
	const uint64_t chunk = (start + PART_CHUNK - 1) / PART_CHUNK;

	*at = chunk * PART_CHUNK - start;
	if (*at + PART_CHUNK <= part_size(list, i))
		return (struct descriptor){.digest = list->chunks[chunk], .size = PART_CHUNK};
	*at = 0;
	return (struct descriptor){.digest = list->hashes[i], .size = part_size(list, i)};
}

static bool is_part(int fd, const struct parts *list, size_t i)
{
	OWNED(verify_source_drop) struct verify_source verify = {0};
	struct file_source bytes;
	struct sink nowhere = null_sink();
	struct err ignored = {0};
	uint64_t at;

	if (i >= list->count)
		return false;
	const struct descriptor want = known_by(list, i, &at);
	file_source_init(&bytes, fd, at, want.size);
	verify_source_init(&verify, &want, &bytes.source);
	return stream_copy(&verify.source, &nowhere, &ignored);
}

/* The part in a file or device of any name. */
static bool open_by_bytes(
    const struct places *p, const char *path, size_t i, int flags, int *fd)
{
	*fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (*fd >= 0 && is_part(*fd, &p->list, i))
		return true;
	drop_fd(fd);
	return false;
}

static bool open_by_name(
    const struct places *p, const char *folder, size_t i, int flags, int *fd, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	buf_addf(&path, "%s/", folder);
	parts_name(slice_of(p->stem), i + 1, &path);
	*fd = open(buf_text(&path), flags | O_CLOEXEC | O_NONBLOCK);
	return *fd >= 0
	       || (errno != ENOENT && errno != ENOTDIR
		   && err_errno(e, "%s: cannot open it", buf_text(&path)));
}

static bool learn_size(const struct places *p, size_t i, int fd, uint64_t *size, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "part %zu: cannot look at it", i + 1);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
		    e, ERR_USAGE, "part %zu: expected a plain file or a device", i + 1);
	*size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : part_size(&p->list, i);
	return true;
}

bool places_open(
    const struct places *p, size_t i, int flags, int *fd, uint64_t *size, struct err *e)
{
	struct stat st;

	for (size_t k = 0; *fd < 0 && k < p->count; k++) {
		const char *place = p->items[k];
		if (stat(place, &st) == 0 && !S_ISDIR(st.st_mode))
			(void)!open_by_bytes(p, place, i, flags, fd);
		else if (!open_by_name(p, place, i, flags, fd, e) && e->kind)
			return false;
	}
	return *fd >= 0 && learn_size(p, i, *fd, size, e);
}
