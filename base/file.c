#include "base/file.h"

#include "base/own.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct outfile {
	int folder;
	int fd;
	char *temporary; /* both names are relative to folder */
	char *final;
	enum file_existing existing;
	bool resumed;
	bool keep; /* the temporary name stays when this is freed */
};

bool file_read_open(int fd, struct buf *out, struct err *e)
{
	char block[16 * 1024];
	ssize_t got;

	while ((got = read(fd, block, sizeof(block))) != 0) {
		if (got < 0 && errno == EINTR) {
			if (!stop_check(e))
				return false;
			continue;
		}
		if (got < 0)
			return err_errno(e, "reading");
		buf_add(out, block, (size_t)got);
		if (!buf_ok(out, e))
			return false;
	}
	return true;
}

static bool not_opened(const char *path, struct err *e)
{
	(void)err_errno(e, "cannot open %s", path);
	if (e->code == ENOENT || e->code == ENOTDIR)
		e->kind = ERR_MISSING;
	return false;
}

static bool read_opened(int fd, const char *path, struct buf *out, struct err *e)
{
	if (file_read_open(fd, out, e))
		return true;
	buf_drop(out);
	return err_in(e, "%s", path);
}

bool file_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	buf_init(out, max);
	if (strcmp(path, "-") == 0)
		return file_read_open(STDIN_FILENO, out, e) || err_in(e, "standard input");

	OWNED(drop_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EINTR && !stop_check(e)) /* it was a pipe that nobody wrote to */
		return false;
	return fd < 0 ? not_opened(path, e) : read_opened(fd, path, out, e);
}

bool file_read_plain(const char *path, size_t max, struct buf *out, struct err *e)
{
	OWNED(drop_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	buf_init(out, max);
	if (fd < 0)
		return not_opened(path, e);
	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_SYSTEM,
		    "%s: expected a plain file, found a folder, pipe or device", path);
	return read_opened(fd, path, out, e);
}

bool file_read_at(int fd, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	char *at = bytes;

	while (len) {
		const ssize_t got = pread(fd, at, len, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "reading at byte %llu", (unsigned long long)offset);
		if (got == 0)
			return err_set(e, ERR_DAMAGED,
			    "expected %zu more bytes at byte %llu, found the end of the file",
			    len, (unsigned long long)offset);
		at += got;
		len -= (size_t)got;
		offset += (uint64_t)got;
	}
	return true;
}

/* Names the two limits that people meet on removable media; errno is set. */
static bool write_failed(uint64_t offset, struct err *e)
{
	const unsigned long long at = offset;
	const int code = errno;

	if (code == ENOSPC || code == EDQUOT)
		(void)err_set(e, ERR_SYSTEM,
		    "the disk is full at byte %llu; make room or choose another folder, then "
		    "run the same command again",
		    at);
	else if (code == EFBIG)
		(void)err_set(e, ERR_SYSTEM,
		    "no file may be larger than %llu bytes here (FAT32 ends at 4294967295, or "
		    "a file-size limit is set);"
		    " choose another file system",
		    at);
	else
		return err_errno(e, "writing at byte %llu", at);
	e->code = code;
	return false;
}

bool file_write_at(int fd, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	const char *at = bytes;

	while (len) {
		const ssize_t put = pwrite(fd, at, len, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return write_failed(offset, e);
		at += put;
		len -= (size_t)put;
		offset += (uint64_t)put;
	}
	return true;
}

bool file_lock(int fd, struct err *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return true; /* a file system may have no locks */
	return err_set(e, ERR_SYSTEM, "another run is writing it; wait for that one to end");
}

bool file_forget_cache(int fd, struct err *e)
{
	if (fsync(fd) != 0 && errno != EROFS && errno != EINVAL)
		return write_failed((uint64_t)lseek(fd, 0, SEEK_END), e);
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	return errno == 0 || errno == EINVAL || err_errno(e, "cannot drop it from memory");
}

static bool source_read(
    struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct file_source *s = (struct file_source *)self;
	const uint64_t left = s->size - s->at;
	const size_t want = room < left ? room : (size_t)left;

	*got = 0;
	if (want && !file_read_at(s->fd, bytes, want, s->offset + s->at, e))
		return false;
	*got = want;
	s->at += want;
	return true;
}

static bool source_rewind(struct source *self, struct err *e)
{
	(void)e;
	((struct file_source *)self)->at = 0;
	return true;
}

void file_source_init(struct file_source *s, int fd, uint64_t offset, uint64_t size)
{
	*s = (struct file_source){
	    .source = {source_read, source_rewind}, .fd = fd, .offset = offset, .size = size};
}

static bool sink_write(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	struct file_sink *s = (struct file_sink *)self;

	if (len > s->size - s->at)
		return err_set(
		    e, ERR_LIMIT, "expected %llu bytes, got more", (unsigned long long)s->size);
	if (!file_write_at(s->fd, bytes, len, s->offset + s->at, e))
		return false;
	s->at += len;
	return true;
}

static bool sink_rewind(struct sink *self, struct err *e)
{
	(void)e;
	((struct file_sink *)self)->at = 0;
	return true;
}

void file_sink_init(struct file_sink *s, int fd, uint64_t offset, uint64_t size)
{
	*s = (struct file_sink){
	    .sink = {sink_write, sink_rewind}, .fd = fd, .offset = offset, .size = size};
}

/* Opens the folder of path into *folder and leaves the last part of path in *name (owned). */
static bool open_folder(const char *path, int *folder, char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	OWNED(drop_text) char *dir = NULL;

	if (!slash)
		dir = own_text(".");
	else
		dir = own_bytes(path, slash == path ? 1 : (size_t)(slash - path));
	const char *last = slash ? slash + 1 : path;
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
		return err_set(e, ERR_USAGE, "expected the name of a file, found \"%s\"", path);
	*folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return err_errno(e, "cannot open the folder %s", dir);
	*name = own_text(last);
	return true;
}

/* What already has the final name is refused now, long before it would be in the way. */
static bool check_final(const struct outfile *o, struct err *e)
{
	struct stat st;

	if (fstatat(o->folder, o->final, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || err_errno(e, "cannot look at it");
	if (o->existing == FILE_REFUSE) {
		(void)err_set(e, ERR_SYSTEM, "exists already; choose another name");
		e->code = EEXIST;
		return false;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_SYSTEM,
		    "expected a plain file or nothing, found a folder, link or device");
	return true;
}

/* A temporary file of a killed run: ours alone, plain, and still under its name. */
static bool check_left_over(const struct outfile *o, struct err *e)
{
	struct stat open_one;
	struct stat named;

	if (fstat(o->fd, &open_one) != 0
	    || fstatat(o->folder, o->temporary, &named, AT_SYMLINK_NOFOLLOW) != 0)
		return err_errno(e, "cannot look at %s", o->temporary);
	if (!S_ISREG(open_one.st_mode) || open_one.st_uid != geteuid() || open_one.st_nlink != 1
	    || open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev)
		return err_set(e, ERR_SYSTEM,
		    "%s is there and is not a plain file of this user alone; move it away",
		    o->temporary);
	return true;
}

static bool open_left_over(struct outfile *o, bool resume, struct err *e)
{
	o->fd = openat(o->folder, o->temporary, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (o->fd < 0)
		return err_errno(e, "cannot open %s", o->temporary);
	if (!file_lock(o->fd, e) || !check_left_over(o, e))
		return false;
	o->resumed = resume;
	if (!resume && ftruncate(o->fd, 0) != 0)
		return err_errno(e, "cannot empty %s", o->temporary);
	return true;
}

static bool open_temporary(struct outfile *o, bool fixed_name, bool resume, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	o->fd = openat(o->folder, o->temporary, flags, 0600);
	if (o->fd >= 0)
		return file_lock(o->fd, e);
	if (errno == EEXIST && fixed_name)
		return open_left_over(o, resume, e);
	return err_errno(e, "cannot create it");
}

static char *temporary_name(const char *final, const char *suffix)
{
	struct buf name = BUF(4096);
	uint64_t random = 0;

	if (suffix) {
		buf_addf(&name, "%s%s", final, suffix);
		return name.ptr;
	}
	(void)!getrandom(&random, sizeof(random), 0);
	buf_addf(&name, ".%s.%016llx", final, (unsigned long long)random);
	return name.ptr;
}

bool outfile_open(const char *path, const char *suffix, enum file_existing existing,
    bool resume, struct outfile **out, struct err *e)
{
	OWNED(outfile_drop) struct outfile *o = own_new(sizeof(*o));

	o->folder = -1;
	o->fd = -1;
	o->existing = existing;
	if (strcmp(path, "-") == 0)
		return err_set(e, ERR_USAGE,
		    "expected the name of a file, found -; this is not written to standard "
		    "output");
	if (!open_folder(path, &o->folder, &o->final, e))
		return false;
	o->temporary = temporary_name(o->final, suffix);
	if (!check_final(o, e) || !open_temporary(o, suffix != NULL, resume, e)) {
		o->keep = true; /* whatever stands there is not this run's */
		return err_in(e, "%s", path);
	}
	*out = STEAL(o);
	return true;
}

int outfile_fd(const struct outfile *o)
{
	return o->fd;
}

bool outfile_resumed(const struct outfile *o)
{
	return o->resumed;
}

void outfile_keep(struct outfile *o)
{
	o->keep = true;
}

/* File systems without modes (FAT) refuse with EPERM; the mode is theirs then. */
static bool set_mode(int fd, mode_t mode, struct err *e)
{
	const mode_t mask = umask(0);

	(void)umask(mask);
	if (fchmod(fd, mode & ~mask) != 0 && errno != EPERM)
		return err_errno(e, "cannot set its mode");
	return true;
}

static bool rename_final(const struct outfile *o, struct err *e)
{
	unsigned flags = o->existing == FILE_REFUSE ? RENAME_NOREPLACE : 0;

	if (renameat2(o->folder, o->temporary, o->folder, o->final, flags) == 0)
		return true;
	if (flags && (errno == EINVAL || errno == ENOSYS)) {
		if (!check_final(o, e))
			return false;
		if (renameat(o->folder, o->temporary, o->folder, o->final) == 0)
			return true;
	}
	return err_errno(e, "cannot give it its final name");
}

bool outfile_commit(struct outfile *o, mode_t mode, struct err *e)
{
	if (!set_mode(o->fd, mode, e))
		return err_in(e, "%s", o->final);
	if (fsync(o->fd) != 0)
		return write_failed((uint64_t)lseek(o->fd, 0, SEEK_END), e)
		       || err_in(e, "%s", o->final);
	if (!rename_final(o, e))
		return err_in(e, "%s", o->final);
	o->keep = true;
	if (fsync(o->folder) != 0 && errno != EINVAL)
		return err_errno(e, "%s: cannot make its name last", o->final);
	const int fd = o->fd;
	o->fd = -1;
	if (close(fd) != 0)
		return err_errno(e, "%s: closing", o->final);
	return true;
}

void outfile_free(struct outfile *o)
{
	if (!o)
		return;
	if (!o->keep && o->fd >= 0)
		(void)unlinkat(o->folder, o->temporary, 0);
	drop_fd(&o->fd);
	drop_fd(&o->folder);
	free(o->temporary);
	free(o->final);
	free(o);
}

void outfile_drop(struct outfile **o)
{
	outfile_free(*o);
	*o = NULL;
}

bool file_write_new(const char *path, struct slice bytes, enum file_existing existing,
    mode_t mode, struct err *e)
{
	OWNED(outfile_drop) struct outfile *o = NULL;

	if (!outfile_open(path, NULL, existing, false, &o, e))
		return false;
	if (!file_write_at(o->fd, bytes.ptr, bytes.len, 0, e))
		return err_in(e, "%s", path);
	return outfile_commit(o, mode, e);
}

static bool make_one(const char *path, mode_t mode, struct err *e)
{
	if (mkdir(path, mode) != 0)
		return errno == EEXIST || err_errno(e, "cannot make the folder %s", path);
	return chmod(path, mode) == 0 || errno == EPERM
	       || err_errno(e, "cannot set the mode of %s", path);
}

bool file_make_folders(const char *path, mode_t mode, struct err *e)
{
	OWNED(drop_text) char *part = own_text(path);
	char *at = part;

	do {
		at += strspn(at, "/");
		at += strcspn(at, "/");
		const char end = *at;
		*at = '\0';
		if (*part && !make_one(part, mode, e))
			return false;
		*at = end;
	} while (*at);
	return true;
}

bool file_free_space(const char *path, uint64_t *bytes, struct err *e)
{
	struct statvfs fs;
	OWNED(drop_fd) int folder = -1;
	OWNED(drop_text) char *name = NULL;

	if (!open_folder(path, &folder, &name, e))
		return false;
	if (fstatvfs(folder, &fs) != 0)
		return err_errno(e, "%s: cannot ask for free space", path);
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return true;
}
