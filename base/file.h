/*
 * Files: bounded reading, regions read and written in place, and output that has its final name
 * only when it is whole and on the disk.
 */
#pragma once

#include "base/stream.h"

#include <sys/types.h>

/* All of the file at path ("-" is standard input) into *out, at most max bytes.
 * ERR_MISSING when there is no such file, ERR_LIMIT when it is larger. */
bool file_read(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* The same of a plain file alone: nothing that stands beside a bundle is waited for. */
bool file_read_plain(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* All that the open fd still gives, at most what *out holds. */
bool file_read_open(int fd, struct buf *out, struct err *e) MUST_CHECK;

/* All len bytes at offset of fd, or ERR_DAMAGED when the file ends before. */
bool file_read_at(int fd, void *bytes, size_t len, uint64_t offset, struct err *e) MUST_CHECK;

/* All len bytes to offset of fd; a full disk and a file-size limit are named as such. */
bool file_write_at(
    int fd, const void *bytes, size_t len, uint64_t offset, struct err *e) MUST_CHECK;

/* Keeps other runs away from the open file until it is closed; ERR_SYSTEM when one has it. */
bool file_lock(int fd, struct err *e) MUST_CHECK;

/* fsync, then drops the pages of the file from memory, so that it is read from its medium. */
bool file_forget_cache(int fd, struct err *e) MUST_CHECK;

/* A source over size bytes of fd from offset on; the fd is borrowed and its position not used.
 */
struct file_source {
	struct source source;
	int fd;
	uint64_t offset;
	uint64_t size;
	uint64_t at;
};
void file_source_init(struct file_source *s, int fd, uint64_t offset, uint64_t size);

/* A sink into size bytes of fd from offset on; one byte more is ERR_LIMIT. */
struct file_sink {
	struct sink sink;
	int fd;
	uint64_t offset;
	uint64_t size;
	uint64_t at;
};
void file_sink_init(struct file_sink *s, int fd, uint64_t offset, uint64_t size);

/* What to do about a file that already has the final name. */
enum file_existing {
	FILE_REFUSE,
	FILE_REPLACE,
};

/* A file under way: written as a temporary name in the folder of its final one. */
struct outfile;

/* Creates NAME+suffix beside path (O_EXCL, O_NOFOLLOW, mode 0600), locked against a second
 * writer.  With existing FILE_REFUSE a path that exists is refused now, and again at commit.
 * A random part is added to the temporary name when suffix is NULL.  With resume, a temporary
 * file that a killed run left is opened as it is (it must be a plain file of this user with one
 * link), else it is emptied first. */
bool outfile_open(const char *path, const char *suffix, enum file_existing existing,
    bool resume, struct outfile **out, struct err *e) MUST_CHECK;

/* Its descriptor, for reading and writing; owned by the outfile. */
int outfile_fd(const struct outfile *o);

/* Whether the temporary file was there and is continued. */
bool outfile_resumed(const struct outfile *o);

/* fsync, chmod to mode less umask, rename to the final name, fsync of the folder. */
bool outfile_commit(struct outfile *o, mode_t mode, struct err *e) MUST_CHECK;

/* Gives everything back and removes a temporary file that was not committed, unless kept. */
void outfile_free(struct outfile *o);

/* Lets the temporary file stay when the outfile is freed, to be continued by a later run. */
void outfile_keep(struct outfile *o);

/* Cleanup form of outfile_free. */
void outfile_drop(struct outfile **o);

/* Writes bytes to path in one go, by outfile_open and outfile_commit. */
bool file_write_new(const char *path, struct slice bytes, enum file_existing existing,
    mode_t mode, struct err *e) MUST_CHECK;

/* Makes the folder at path and those above it that are absent, each with that mode whatever the
 * umask; what is there stays as it is. */
bool file_make_folders(const char *path, mode_t mode, struct err *e) MUST_CHECK;

/* Free bytes for this user on the file system that will hold path. */
bool file_free_space(const char *path, uint64_t *bytes, struct err *e) MUST_CHECK;
