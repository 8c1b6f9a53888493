#include "bundle/output.h"

#include "base/own.h"
#include "bundle/parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void output_free(struct output *o)
{
	if (!o)
		return;
	medium_free(o->medium);
	o->free(o);
}

void output_drop(struct output **o)
{
	output_free(*o);
	*o = NULL;
}

bool output_has_room(const char *path, uint64_t bytes, struct err *e)
{
	uint64_t room;

	if (!file_free_space(path, &room, e))
		return false;
	return room >= bytes
	       || err_set(e, ERR_SYSTEM,
		   "the disk is full: expected room for %llu more bytes, found %llu; make room "
		   "or choose another folder",
		   (unsigned long long)bytes, (unsigned long long)room);
}

enum { PATH_ROOM = 4096 };

struct file_output {
	struct output output;
	struct outfile *file;
	char *path;
};

static bool file_empty(struct output *self, struct err *e)
{
	const int fd = outfile_fd(((struct file_output *)self)->file);

	return ftruncate(fd, 0) == 0 || err_errno(e, "cannot empty it");
}

static bool file_reserve(struct output *self, uint64_t total, struct err *e)
{
	const struct file_output *o = (const struct file_output *)self;
	const int fd = outfile_fd(o->file);
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at it");
	const uint64_t there = (uint64_t)st.st_blocks * 512;
	if (there < total && !output_has_room(o->path, total - there, e))
		return false;
	return ((uint64_t)st.st_size <= total || ftruncate(fd, (off_t)total) == 0)
	       || err_errno(e, "cannot cut it to its length");
}

static bool file_beside(
    struct output *self, const char *suffix, struct slice bytes, struct err *e)
{
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

	parts_beside(slice_of(((struct file_output *)self)->path), suffix, &path);
	return buf_ok(&path, e)
	       && file_write_new(buf_text(&path), bytes, FILE_REPLACE, 0666, e);
}

static bool file_commit(struct output *self, struct err *e)
{
	return outfile_commit(((struct file_output *)self)->file, 0666, e);
}

static void file_keep(struct output *self)
{
	outfile_keep(((struct file_output *)self)->file);
}

static void file_free(struct output *self)
{
	struct file_output *o = (struct file_output *)self;

	outfile_free(o->file);
	free(o->path);
	free(o);
}

bool output_to_file(const char *path, enum file_existing existing, bool resume,
    struct output **out, struct err *e)
{
	struct outfile *file = NULL;

	if (!outfile_open(path, ".partial", existing, resume, &file, e))
		return false;
	struct file_output *o = own_new(sizeof(*o));
	*o = (struct file_output){
	    .output = {.medium = medium_of_fd(outfile_fd(file)),
		.resumed = outfile_resumed(file),
		.empty = file_empty,
		.reserve = file_reserve,
		.beside = file_beside,
		.commit = file_commit,
		.keep = file_keep,
		.free = file_free},
	    .file = file,
	    .path = own_text(path),
	};
	const char *slash = strrchr(o->path, '/');
	o->output.name = slash ? slash + 1 : o->path;
	*out = &o->output;
	return true;
}

static bool pipe_ready(struct output *self, struct err *e)
{
	(void)self;
	(void)e;
	return true;
}

static bool pipe_reserve(struct output *self, uint64_t total, struct err *e)
{
	(void)self;
	(void)total;
	(void)e;
	return true;
}

static void pipe_keep(struct output *self)
{
	(void)self;
}

static void pipe_free(struct output *self)
{
	free(self);
}

struct output *output_to_pipe(int fd)
{
	struct output *o = own_new(sizeof(*o));

	*o = (struct output){
	    .medium = medium_of_pipe(fd),
	    .empty = pipe_ready,
	    .reserve = pipe_reserve,
	    .commit = pipe_ready,
	    .keep = pipe_keep,
	    .free = pipe_free,
	};
	return o;
}
