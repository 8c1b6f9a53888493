#include "bundle/guarded.h"

#include "base/file.h"
#include "base/own.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool guarded_check(int fd, enum guard guard, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(e, "cannot look at it");
	if (st.st_uid != 0 && (guard == GUARD_ROOT || st.st_uid != geteuid()))
		return err_set(e, ERR_UNTRUSTED,
		    "expected it to belong to root%s, found user %u; whoever owns it decides "
		    "what is believed",
		    guard == GUARD_ROOT ? "" : " or to this user", (unsigned)st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, ERR_UNTRUSTED,
		    "expected that only its owner can write it, found mode %04o; chmod go-w "
		    "once its content is checked",
		    (unsigned)(st.st_mode & 07777));
	return true;
}

static bool open_it(const char *path, int *fd, struct err *e)
{
	*fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (*fd >= 0)
		return true;
	if (errno == EINTR && !stop_check(e)) /* it was a pipe that nobody wrote to */
		return false;
	(void)err_errno(e, "cannot open %s", path);
	if (e->code == ENOENT || e->code == ENOTDIR)
		e->kind = ERR_MISSING;
	return false;
}

bool guarded_read(
    const char *path, size_t max, enum guard guard, struct buf *out, struct err *e)
{
	OWNED(drop_fd) int fd = -1;

	buf_init(out, max);
	if (!open_it(path, &fd, e))
		return false;
	return (guarded_check(fd, guard, e) && file_read_open(fd, out, e))
	       || err_in(e, "%s", path);
}
