#include "bundle/parts_in.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/places.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_ROOM = 288 };

struct part {
	int fd; /* -1: not open */
	uint64_t size;
	char name[PLACE_ROOM]; /* "part 3 (b.tar.003)" */
};

struct parts_medium {
	struct medium medium;
	struct places places;
	uint64_t size; /* of each part but the last */
	const struct medium_wish *wish;
	int flags; /* to open a part with */
	pthread_mutex_t lock;
	struct part *parts; /* PARTS_MAX; under the lock */
};

static size_t part_at(const struct parts_medium *m, uint64_t offset)
{
	const uint64_t part = offset / m->size;

	return part < PARTS_MAX ? (size_t)part : PARTS_MAX - 1;
}

static const char *place(const struct medium *self, uint64_t offset)
{
	const struct parts_medium *m = (const struct parts_medium *)self;

	return m->parts[part_at(m, offset)].name;
}

/* Opens part i where it is found first; false when it is nowhere (or *e says more). */
static bool open_part(struct parts_medium *m, size_t i, struct err *e)
{
	struct part *part = &m->parts[i];

	if (!places_open(&m->places, i, m->flags, &part->fd, &part->size, e))
		return false;
	if (m->flags == O_RDONLY || file_lock(part->fd, e))
		return true;
	drop_fd(&part->fd);
	return err_in(e, "%s", part->name);
}

static bool missing(const struct parts_medium *m, const char *names, struct err *e)
{
	return err_set(e, ERR_MISSING,
	    "expected %s in %s%s, found no such file; bring its medium, or name its folder "
	    "with --media",
	    names, m->places.items[0], m->places.count > 1 ? " or the other places" : "");
}

/* A medium can be taken out only when nothing on it is open. */
static void close_all(struct parts_medium *m)
{
	for (size_t i = 0; i < PARTS_MAX; i++)
		drop_fd(&m->parts[i].fd);
}

/* Opens part i, asking for its medium until it is there; the lock is held. */
static bool need_part(struct parts_medium *m, size_t i, struct err *e)
{
	if (m->parts[i].fd >= 0 || open_part(m, i, e))
		return true;
	while (!e->kind) {
		if (!m->wish)
			return missing(m, m->parts[i].name, e);
		close_all(m);
		if (m->wish->ask(m->wish, m->parts[i].name, e) && open_part(m, i, e))
			return true;
	}
	return false;
}

/* Up to len bytes at offset, as far as the part goes.  Reading holds the lock only while a wish
 * could close what is read. */
static bool read_piece(
    struct parts_medium *m, char *bytes, size_t *len, uint64_t offset, struct err *e)
{
	const size_t i = part_at(m, offset);
	const uint64_t at = offset - m->size * i;
	const uint64_t left = m->size - at;

	if (*len > left)
		*len = (size_t)left;
	pthread_mutex_lock(&m->lock);
	bool ok = need_part(m, i, e);
	if (ok && m->wish)
		ok = file_read_at(m->parts[i].fd, bytes, *len, at, e);
	pthread_mutex_unlock(&m->lock);
	return ok && (m->wish || file_read_at(m->parts[i].fd, bytes, *len, at, e));
}

static bool read_bytes(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct parts_medium *m = (struct parts_medium *)self;
	char *to = bytes;

	while (len) {
		size_t piece = len;
		if (!read_piece(m, to, &piece, offset, e))
			return e->kind != ERR_MISSING && err_in(e, "%s", place(self, offset));
		to += piece;
		len -= piece;
		offset += piece;
	}
	return true;
}

static bool check_part(struct parts_medium *m, size_t i, uint64_t want, struct err *e)
{
	if (m->parts[i].size == want)
		return true;
	return err_set(e, ERR_DAMAGED, "%s: expected %llu bytes, found %llu", m->parts[i].name,
	    (unsigned long long)want, (unsigned long long)m->parts[i].size);
}

/* Every part that is there has its size, and none is there beyond the last; all that are
 * missing are named, unless they can be asked for later. */
static bool check_parts(struct parts_medium *m, uint64_t total, struct err *e)
{
	const size_t count = parts_pieces(total, m->size);
	OWNED(buf_drop) struct buf lost = BUF(256);

	if (count > PARTS_MAX)
		return err_set(
		    e, ERR_DAMAGED, "expected at most %d parts, found %zu", PARTS_MAX, count);
	for (size_t i = 0; i < count; i++) {
		const uint64_t left = total - m->size * i;
		if (m->parts[i].fd < 0 && !open_part(m, i, e)) {
			if (e->kind)
				return false;
			buf_addf(&lost, "%s%s", lost.len ? ", " : "", m->parts[i].name);
		} else if (!check_part(m, i, left < m->size ? left : m->size, e)) {
			return false;
		}
	}
	if (count < PARTS_MAX && open_part(m, count, e))
		return err_set(e, ERR_DAMAGED,
		    "expected %zu parts, found %s too: it belongs to another bundle; move it "
		    "away",
		    count, m->parts[count].name);
	if (e->kind)
		return false;
	return !lost.len || m->wish || missing(m, buf_text(&lost), e);
}

static bool check_end(struct medium *self, uint64_t total, struct err *e)
{
	struct parts_medium *m = (struct parts_medium *)self;

	pthread_mutex_lock(&m->lock);
	const bool ok = check_parts(m, total, e);
	pthread_mutex_unlock(&m->lock);
	return ok;
}

static bool write_bytes(
    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct parts_medium *m = (struct parts_medium *)self;
	const char *from = bytes;

	while (len) {
		const size_t i = part_at(m, offset);
		const uint64_t at = offset - m->size * i;
		const size_t piece = len < m->size - at ? len : (size_t)(m->size - at);

		pthread_mutex_lock(&m->lock);
		const bool ok =
		    need_part(m, i, e) && file_write_at(m->parts[i].fd, from, piece, at, e);
		pthread_mutex_unlock(&m->lock);
		if (!ok)
			return err_in(e, "%s", m->parts[i].name);
		from += piece;
		len -= piece;
		offset += piece;
	}
	return true;
}

static bool uncache(struct medium *self, struct err *e)
{
	const struct parts_medium *m = (const struct parts_medium *)self;

	for (size_t i = 0; i < PARTS_MAX; i++)
		if (m->parts[i].fd >= 0 && !file_forget_cache(m->parts[i].fd, e))
			return err_in(e, "%s", m->parts[i].name);
	return true;
}

static void free_parts(struct medium *self)
{
	struct parts_medium *m = (struct parts_medium *)self;

	close_all(m);
	places_drop(&m->places);
	free(m->parts);
	(void)pthread_mutex_destroy(&m->lock);
	free(m);
}

/* The size of a part: what the list says, else the first part's length. */
static bool learn_size(struct parts_medium *m, struct err *e)
{
	struct err no_list = {0};

	if (places_find_list(&m->places, &no_list) && m->places.list.count) {
		m->size = m->places.list.size;
		return true;
	}
	m->size = 1;
	if (!need_part(m, 0, e))
		return false;
	m->size = m->parts[0].size;
	return m->size > 0 || err_set(e, ERR_DAMAGED, "%s: it is empty", m->parts[0].name);
}

static struct parts_medium *new_medium(struct slice stem, const struct medium_wish *wish)
{
	struct parts_medium *m = own_new(sizeof(*m));
	const char *slash = memrchr(stem.ptr, '/', stem.len);
	const char *name = slash ? slash + 1 : stem.ptr;

	m->medium = (struct medium){.read = read_bytes,
	    .check_end = check_end,
	    .uncache = uncache,
	    .place = place,
	    .free = free_parts};
	m->places.stem = own_bytes(name, stem.len - (size_t)(name - stem.ptr));
	m->wish = wish;
	m->parts = own_array(PARTS_MAX, sizeof(*m->parts));
	(void)pthread_mutex_init(&m->lock, NULL);
	for (size_t i = 0; i < PARTS_MAX; i++) {
		OWNED(buf_drop) struct buf text = BUF(PLACE_ROOM);

		parts_name(slice_of(m->places.stem), i + 1, &text);
		m->parts[i].fd = -1;
		(void)snprintf(
		    m->parts[i].name, PLACE_ROOM, "part %zu (%.255s)", i + 1, buf_text(&text));
	}
	places_add(&m->places, stem.ptr, slash == stem.ptr ? 1 : (size_t)(name - stem.ptr));
	return m;
}

bool medium_open_parts(const struct parts_place *where, enum medium_access access,
    struct medium **out, struct err *e)
{
	struct slice stem;

	if (!parts_is_name(where->path, &stem))
		return err_set(e, ERR_USAGE, "expected a part's name, NAME.001");
	struct parts_medium *m = new_medium(stem, where->wish);
	OWNED(medium_drop) struct medium *medium = &m->medium;
	m->flags = access == MEDIUM_MEND ? O_RDWR : O_RDONLY;
	if (access == MEDIUM_MEND)
		m->medium.write = write_bytes;
	for (size_t i = 0; i < where->folder_count; i++)
		places_add(&m->places, where->folders[i], strlen(where->folders[i]));
	if (!learn_size(m, e))
		return false;
	*out = STEAL(medium);
	return true;
}
