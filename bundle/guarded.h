/*
 * Files that decide whom we believe.  They are read only when nobody else can have written
 * them: the owner and the mode of the very file that was opened are looked at.  BUNDLE.md 3.
 */
#pragma once

#include "base/buf.h"

/* Who may own such a file. */
enum guard {
	GUARD_ROOT, /* root alone: below /etc/sealift */
	GUARD_USER, /* root or this user: elsewhere */
};

/* Whether what fd has open is owned as guard says and can be written by its owner alone.
 * ERR_UNTRUSTED; the caller names it. */
bool guarded_check(int fd, enum guard guard, struct err *e) MUST_CHECK;

/* All of the file at path ("-" is standard input), at most max bytes, if it is guarded.
 * ERR_MISSING when there is none. */
bool guarded_read(
    const char *path, size_t max, enum guard guard, struct buf *out, struct err *e) MUST_CHECK;
