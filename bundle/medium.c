#include "bundle/medium.h"

#include "base/file.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

bool medium_read(struct medium *m, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	return m->read(m, bytes, len, offset, e);
}

bool medium_write(
    struct medium *m, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	return m->write(m, bytes, len, offset, e);
}

bool medium_is_forward(const struct medium *m)
{
	return m->hold != NULL;
}

void medium_free(struct medium *m)
{
	if (m)
		m->free(m);
}

void medium_drop(struct medium **m)
{
	medium_free(*m);
	*m = NULL;
}

/* One file or block device. */
struct file_medium {
	struct medium medium;
	int fd;
	bool own; /* fd is closed with it */
};

static bool file_read_bytes(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	return file_read_at(((struct file_medium *)self)->fd, bytes, len, offset, e);
}

static bool file_write_bytes(
    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	return file_write_at(((struct file_medium *)self)->fd, bytes, len, offset, e);
}

/* A device is longer than what stands on it. */
static bool file_check_end(struct medium *self, uint64_t total, struct err *e)
{
	struct stat st;

	if (fstat(((struct file_medium *)self)->fd, &st) != 0)
		return err_errno(e, "cannot look at it");
	return !S_ISREG(st.st_mode) || (uint64_t)st.st_size == total
	       || err_set(e, ERR_DAMAGED,
		   "expected the end of the file at byte %llu, found %llu bytes",
		   (unsigned long long)total, (unsigned long long)st.st_size);
}

/* What is dirty would stay in memory, so it goes onto the disk first. */
static bool file_uncache(struct medium *self, struct err *e)
{
	return file_forget_cache(((struct file_medium *)self)->fd, e);
}

static void file_free(struct medium *self)
{
	struct file_medium *f = (struct file_medium *)self;

	if (f->own)
		drop_fd(&f->fd);
	free(f);
}

struct medium *medium_of_fd(int fd)
{
	struct file_medium *f = own_new(sizeof(*f));

	*f = (struct file_medium){
	    .medium = {.read = file_read_bytes,
		.write = file_write_bytes,
		.check_end = file_check_end,
		.uncache = file_uncache,
		.free = file_free},
	    .fd = fd,
	};
	return &f->medium;
}

bool medium_open_file(
    const char *path, enum medium_access access, struct medium **out, struct err *e)
{
	const int flags = access == MEDIUM_MEND ? O_RDWR : O_RDONLY;
	const int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	OWNED(medium_drop) struct medium *m = NULL;
	struct stat st;

	if (fd < 0) {
		const bool missing = errno == ENOENT;
		(void)err_errno(e, "cannot open it");
		if (missing)
			e->kind = ERR_MISSING;
		return false;
	}
	m = medium_of_fd(fd);
	((struct file_medium *)m)->own = true;
	if (access == MEDIUM_READ)
		m->write = NULL;
	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at it");
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
		    e, ERR_USAGE, "expected a file or a block device, found something else");
	if (access == MEDIUM_MEND && !file_lock(fd, e)) /* two runs would leave a mixture */
		return false;
	*out = STEAL(m);
	return true;
}

static bool source_read(
    struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct medium_source *s = (struct medium_source *)self;
	const uint64_t left = s->size - s->at;
	const size_t want = room < left ? room : (size_t)left;

	*got = 0;
	if (want && !medium_read(s->medium, bytes, want, s->offset + s->at, e))
		return false;
	*got = want;
	s->at += want;
	return true;
}

static bool source_rewind(struct source *self, struct err *e)
{
	struct medium_source *s = (struct medium_source *)self;

	if (s->at && medium_is_forward(s->medium))
		return err_set(e, ERR_PARTIAL,
		    "expected to send it once more, found that its bytes have passed the pipe");
	s->at = 0;
	return true;
}

void medium_source_init(
    struct medium_source *s, struct medium *m, uint64_t offset, uint64_t size)
{
	*s = (struct medium_source){.source = {source_read, source_rewind},
	    .medium = m,
	    .offset = offset,
	    .size = size};
}

static bool sink_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct medium_sink *s = (struct medium_sink *)self;

	if (len > s->size - s->at)
		return err_set(
		    e, ERR_LIMIT, "expected %llu bytes, got more", (unsigned long long)s->size);
	if (!medium_write(s->medium, bytes, len, s->offset + s->at, e))
		return false;
	s->at += len;
	return true;
}

static bool sink_rewind(struct sink *self, struct err *e)
{
	struct medium_sink *s = (struct medium_sink *)self;

	if (s->at && medium_is_forward(s->medium))
		return err_set(e, ERR_SYSTEM,
		    "expected an output that can begin again, found a pipe; use a file");
	s->at = 0;
	return true;
}

void medium_sink_init(struct medium_sink *s, struct medium *m, uint64_t offset, uint64_t size)
{
	*s = (struct medium_sink){
	    .sink = {sink_write, sink_rewind}, .medium = m, .offset = offset, .size = size};
}
