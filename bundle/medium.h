/*
 * The bytes of a bundle wherever they stand: one file, parts on several media, a pipe.  Offsets
 * are those of the whole bundle.  BUNDLE.md 1.5, 1.7.
 */
#pragma once

#include "base/stream.h"

struct medium {
	/* All len bytes at offset.  ERR_DAMAGED when the bundle ends before, ERR_MISSING when
	 * they are on a medium that is not there.  Safe from many threads, unless hold is set.
	 */
	bool (*read)(
	    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e);
	/* All len bytes to offset; NULL: it is only read. */
	bool (*write)(
	    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e);
	/* ERR_DAMAGED unless it ends at total. */
	bool (*check_end)(struct medium *self, uint64_t total, struct err *e);
	/* Set when bytes come once and in order, as out of a pipe: keeps len bytes from offset
	 * on in memory as they pass, to be read again. */
	void (*hold)(struct medium *self, uint64_t offset, size_t len);
	/* Puts what was written onto the disk and out of this machine's memory, so that the
	 * next reading is the medium's own; NULL: it has nothing to forget. */
	bool (*uncache)(struct medium *self, struct err *e);
	/* The name of the file that has the byte at offset; NULL when there is one file only.
	 */
	const char *(*place)(const struct medium *self, uint64_t offset);
	void (*free)(struct medium *self);
};

/* All len bytes at offset; the sentence names the part. */
bool medium_read(
    struct medium *m, void *bytes, size_t len, uint64_t offset, struct err *e) MUST_CHECK;
bool medium_write(
    struct medium *m, const void *bytes, size_t len, uint64_t offset, struct err *e) MUST_CHECK;

/* Whether its bytes come once and in order. */
bool medium_is_forward(const struct medium *m);

void medium_free(struct medium *m);
void medium_drop(struct medium **m);

enum medium_access {
	MEDIUM_READ,
	MEDIUM_MEND, /* what is there may be written in place */
};

/* A file or a block device.  ERR_MISSING when it is not there. */
bool medium_open_file(
    const char *path, enum medium_access access, struct medium **out, struct err *e) MUST_CHECK;

/* A file that is open for reading and writing; the fd is borrowed. */
struct medium *medium_of_fd(int fd);

/* A pipe, to be read from or written to; the fd is borrowed. */
struct medium *medium_of_pipe(int fd);

/* A source over size bytes of a medium from offset on; the medium is borrowed. */
struct medium_source {
	struct source source;
	struct medium *medium;
	uint64_t offset;
	uint64_t size;
	uint64_t at;
};
void medium_source_init(
    struct medium_source *s, struct medium *m, uint64_t offset, uint64_t size);

/* A sink into size bytes of a medium from offset on; one byte more is ERR_LIMIT. */
struct medium_sink {
	struct sink sink;
	struct medium *medium;
	uint64_t offset;
	uint64_t size;
	uint64_t at;
};
void medium_sink_init(struct medium_sink *s, struct medium *m, uint64_t offset, uint64_t size);
