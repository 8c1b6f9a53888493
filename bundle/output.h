/*
 * Where a bundle is written: a file, parts on several media, a pipe.  Nothing has its final
 * name before output_commit.  BUNDLE.md 1.6, 1.7.
 */
#pragma once

#include "base/file.h"
#include "bundle/medium.h"

struct output {
	struct medium *medium; /* what is written, to be read back too; owned */
	const char *name;      /* "b.tar", the file's or what the parts' begin with */
	uint64_t part_size;    /* of each part but the last; 0: one file */
	bool resumed;	       /* what an interrupted run wrote is there still */
	/* Forgets what is there. */
	bool (*empty)(struct output *self, struct err *e);
	/* Makes sure that total bytes have room, and from now on that they are the length. */
	bool (*reserve)(struct output *self, uint64_t total, struct err *e);
	/* Writes a file called NAME.suffix beside every file of the bundle NAME.tar; NULL:
	 * there is no place for one. */
	bool (*beside)(
	    struct output *self, const char *suffix, struct slice bytes, struct err *e);
	/* Onto the disk, and its final name. */
	bool (*commit)(struct output *self, struct err *e);
	/* What is there stays when this is freed, to be continued. */
	void (*keep)(struct output *self);
	void (*free)(struct output *self);
};

/* PATH.partial until it is committed; locked against a second writer.  With resume what a
 * killed run left is opened as it is.  A path that exists is refused with FILE_REFUSE. */
bool output_to_file(const char *path, enum file_existing existing, bool resume,
    struct output **out, struct err *e) MUST_CHECK;

/* Parts PATH.001 and so on of so many bytes, each called .partial until all are committed; in
 * turn in each folder that has room, or in PATH's own when there is none.  folders are borrowed
 * while this is called. */
struct parts_wanted {
	const char *path;
	uint64_t size;
	const char *const *folders;
	size_t folder_count;
};
bool output_to_parts(const struct parts_wanted *want, enum file_existing existing, bool resume,
    struct output **out, struct err *e) MUST_CHECK;

/* A pipe: bytes pass once and in order; the fd is borrowed. */
struct output *output_to_pipe(int fd);

void output_free(struct output *o);
void output_drop(struct output **o);

/* ERR_SYSTEM unless the disk that will hold path has room for so many more bytes. */
bool output_has_room(const char *path, uint64_t bytes, struct err *e) MUST_CHECK;
