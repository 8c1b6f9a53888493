/*
 * The observer: what the rooms below cmd/ tell about work under way.  There are no log calls;
 * cmd/progress.c turns news into a bar, lines or JSON.  Text in news may come from the network
 * and is escaped by whoever prints it.
 */
#pragma once

#include "manifests/digest.h"

enum news_kind {
	NEWS_BEGAN,   /* work on a blob or manifest begins; what, name */
	NEWS_BYTES,   /* bytes more of it moved (negative progress after a rewind is told by
			 NEWS_RESTART) */
	NEWS_RESTART, /* bytes of it count for nothing; it begins again */
	NEWS_DONE,    /* it is there; text says how: "fetched", "resumed", "exists", "uploaded",
			 "mounted" */
	NEWS_RETRY,   /* an attempt failed and will be repeated; text is the sentence */
	NEWS_LEARNED, /* what a host is like, and which setting says so; text */
	NEWS_WARNING, /* something a person should know once; text */
};

struct news {
	enum news_kind kind;
	const struct descriptor *what; /* may be NULL */
	const char *name;	       /* an image reference or a file, may be NULL */
	const char *text;
	uint64_t bytes;
};

struct watch {
	/* Called from any worker, one call at a time is the callee's care. */
	void (*tell)(struct watch *self, const struct news *news);
};

/* Tells when watch is not NULL. */
void watch_tell(struct watch *watch, const struct news *news);
void watch_warn(struct watch *watch, const char *fmt, ...) PRINTF_LIKE(2, 3);
