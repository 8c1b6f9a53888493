/* Media whose bytes pass once, in order: a pipe to read from, and one to write to. */
#include "bundle/medium.h"

#include "base/own.h"
#include "base/stop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pipe {
	struct medium medium;
	int fd;
	uint64_t at;   /* bytes that have passed */
	uint64_t from; /* the first byte that is kept */
	size_t len;    /* how many bytes from there on are kept */
	char *held;    /* owned */
};

/* The next len bytes; ERR_DAMAGED when they end before. */
static bool pass(struct pipe *p, char *bytes, size_t len, struct err *e)
{
	size_t done = 0;

	while (done < len) {
		if (!stop_check(e))
			return false;
		const ssize_t got = read(p->fd, bytes + done, len - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return stop_check(e) && err_errno(e, "reading the pipe");
		if (got == 0)
			return err_set(e, ERR_DAMAGED,
			    "expected %zu more bytes at byte %llu, found the end of the pipe",
			    len - done, (unsigned long long)p->at);
		done += (size_t)got;
		p->at += (uint64_t)got;
	}
	return true;
}

/* Reads on until the byte before end is held. */
static bool hold_until(struct pipe *p, uint64_t end, struct err *e)
{
	return p->at >= end || pass(p, p->held + (p->at - p->from), (size_t)(end - p->at), e);
}

static bool read_bytes(
    struct medium *self, void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct pipe *p = (struct pipe *)self;
	const uint64_t kept = p->from + p->len;
	char *to = bytes;

	if (offset < kept && offset >= p->from) {
		const size_t held = len < kept - offset ? len : (size_t)(kept - offset);
		if (!hold_until(p, offset + held, e))
			return false;
		(void)memcpy(to, p->held + (offset - p->from), held);
		to += held;
		len -= held;
		offset += held;
	}
	if (len && offset != p->at)
		return err_set(e, ERR_LIMIT,
		    "expected to need again only the %zu bytes behind the head, found that "
		    "byte %llu is needed too, which has passed; use a file",
		    p->len, (unsigned long long)offset);
	return pass(p, to, len, e);
}

static bool read_end(struct medium *self, uint64_t total, struct err *e)
{
	struct pipe *p = (struct pipe *)self;
	struct err ended = {0};
	char byte;

	if (pass(p, &byte, 1, &ended))
		return err_set(e, ERR_DAMAGED,
		    "expected the end of the pipe at byte %llu, found more bytes",
		    (unsigned long long)total);
	if (ended.kind == ERR_DAMAGED)
		return true;
	*e = ended;
	return false;
}

static void hold(struct medium *self, uint64_t offset, size_t len)
{
	struct pipe *p = (struct pipe *)self;

	free(p->held);
	p->held = own_array(len, 1);
	p->from = offset;
	p->len = len;
}

static bool write_bytes(
    struct medium *self, const void *bytes, size_t len, uint64_t offset, struct err *e)
{
	struct pipe *p = (struct pipe *)self;
	const char *from = bytes;

	if (offset != p->at)
		return err_set(e, ERR_SYSTEM,
		    "expected to write byte %llu of the pipe next, found byte %llu",
		    (unsigned long long)p->at, (unsigned long long)offset);
	while (len) {
		/* A signal that comes while a part is written ends the call with that part. */
		if (!stop_check(e))
			return false;
		const ssize_t put = write(p->fd, from, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return stop_check(e) && err_errno(e, "writing to the pipe");
		from += put;
		len -= (size_t)put;
		p->at += (uint64_t)put;
	}
	return true;
}

static void free_pipe(struct medium *self)
{
	struct pipe *p = (struct pipe *)self;

	free(p->held);
	free(p);
}

struct medium *medium_of_pipe(int fd)
{
	struct pipe *p = own_new(sizeof(*p));

	*p = (struct pipe){
	    .medium = {.read = read_bytes,
		.write = write_bytes,
		.check_end = read_end,
		.hold = hold,
		.free = free_pipe},
	    .fd = fd,
	};
	return &p->medium;
}
