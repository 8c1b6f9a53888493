#include "base/conduit.h"
#include "base/own.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

enum { MANY = 300 * 1000, ROOM = 1000 };

static void fill(char *bytes)
{
	for (size_t i = 0; i < MANY; i++)
		bytes[i] = (char)(i * 7 + i / 251);
}

static void *write_all(void *argument)
{
	struct conduit *c = argument;
	static char bytes[MANY];
	struct err e = {0};
	size_t at = 0;

	fill(bytes);
	for (size_t step = 1; at < MANY; step = step * 3 % 4001 + 1) {
		const size_t len = step < MANY - at ? step : MANY - at;
		if (!conduit_sink(c)->write(conduit_sink(c), bytes + at, len, &e))
			break;
		at += len;
	}
	conduit_end_writing(c);
	return NULL;
}

Test(conduit, what_one_writes_the_other_reads)
{
	OWNED(conduit_drop) struct conduit *c = conduit_new(ROOM);
	static char want[MANY];
	OWNED(buf_drop) struct buf got = BUF(MANY);
	struct buf_sink to;
	struct err e = {0};
	pthread_t writer;

	fill(want);
	buf_sink_init(&to, &got);
	cr_assert_eq(pthread_create(&writer, NULL, write_all, c), 0);
	cr_assert(stream_copy(conduit_source(c), &to.sink, &e), "%s", e.text);
	(void)pthread_join(writer, NULL);
	cr_assert_eq(got.len, MANY);
	cr_expect_eq(memcmp(got.ptr, want, MANY), 0);
}

Test(conduit, a_reader_that_leaves_ends_the_writer)
{
	OWNED(conduit_drop) struct conduit *c = conduit_new(ROOM);
	char some[10];
	size_t got = 0;
	struct err e = {0};
	pthread_t writer;

	cr_assert_eq(pthread_create(&writer, NULL, write_all, c), 0);
	cr_assert(conduit_source(c)->read(conduit_source(c), some, sizeof(some), &got, &e));
	cr_expect_gt(got, 0);
	conduit_end_reading(c);
	(void)pthread_join(writer, NULL);
	cr_expect_not(conduit_sink(c)->write(conduit_sink(c), "x", 1, &e));
	cr_expect_eq(e.kind, ERR_STOPPED);
}
