#include "base/stop.h"
#include "base/own.h"
#include "base/stream.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MANY = 200 * 1000 };

static void fill(char *bytes)
{
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i * 7 + i / 251);
}

Test(stream, copy_moves_every_byte)
{
	static char bytes[MANY];
	OWNED(buf_drop) struct buf got = BUF(MANY);
	struct mem_source from;
	struct buf_sink to;
	struct err e = {0};

	fill(bytes);
	mem_source_init(&from, slice_at(bytes, MANY));
	buf_sink_init(&to, &got);
	for (int again = 0; again < 2; again++) {
		cr_assert(stream_copy(&from.source, &to.sink, &e), "%s", e.text);
		cr_assert_eq(got.len, MANY);
		cr_assert_eq(memcmp(got.ptr, bytes, MANY), 0);
		cr_assert(from.source.rewind(&from.source, &e));
		cr_assert(to.sink.rewind(&to.sink, &e));
	}
}

Test(stream, a_sink_that_is_full_ends_the_copy)
{
	static char bytes[MANY];
	OWNED(buf_drop) struct buf got = BUF(MANY - 1);
	struct mem_source from;
	struct buf_sink to;
	struct err e = {0};

	mem_source_init(&from, slice_at(bytes, MANY));
	buf_sink_init(&to, &got);
	cr_assert_not(stream_copy(&from.source, &to.sink, &e));
	cr_assert_eq(e.kind, ERR_LIMIT);
}

Test(stream, a_request_to_stop_ends_the_copy)
{
	struct sink nowhere = null_sink();
	struct mem_source from;
	struct err e = {0};

	mem_source_init(&from, slice_of("text"));
	cr_assert(stream_copy(&from.source, &nowhere, &e));
	stop_request();
	cr_assert_not(stream_copy(&from.source, &nowhere, &e));
	cr_assert_eq(e.kind, ERR_STOPPED);
}
