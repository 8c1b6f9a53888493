/*
 * Values of answers' headers that are read as more than text, one a line: Retry-After, Date,
 * Range, then those of Link.  Waits stay within their bounds, ranges are in order, and a link
 * lies within what was read.
 */
#include "base/own.h"
#include "registry/link.h"
#include "registry/retry.h"
#include "registry/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void try_wait(const char *after, const char *date)
{
	uint64_t ms = 0;

	if (retry_after(after, date, RETRY_AFTER_MOST_MS, &ms)
	    && (ms < 1000 || ms > RETRY_AFTER_MOST_MS))
		abort();
}

static void try_range(const char *text)
{
	uint64_t least = 0;
	uint64_t most = 0;

	if (session_range(text, &least, &most) && (least > most || most - least > 1))
		abort();
}

static void try_link(struct slice lines)
{
	const struct slice next = link_next(lines);

	if (next.len && (next.ptr < lines.ptr || next.ptr + next.len > lines.ptr + lines.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice rest = slice_at(bytes, len);
	struct slice lines[3] = {{0}};
	char *texts[3];

	for (size_t i = 0; i < 3; i++) {
		(void)slice_cut(&rest, '\n', &lines[i]);
		texts[i] = own_bytes(lines[i].ptr, lines[i].len);
	}
	try_wait(texts[0], texts[1]);
	try_range(texts[2]);
	try_link(rest);
	for (size_t i = 0; i < 3; i++)
		free(texts[i]);
	return 0;
}
