#include "manifests/verify.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
	MANY = 200 * 1000,
	LAST = 64 * 1024, /* what a verifying source withholds at most */
};

static const size_t sizes[] = {0, 1, 2, 4095, LAST - 1, LAST, LAST + 1, 2 * LAST, MANY};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

/* Bytes that no two blocks of have in common, and what they should be. */
static struct descriptor fill(char *bytes, size_t len)
{
	struct descriptor want = {.size = len};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	digest_of(slice_at(bytes, len), &want.digest);
	return want;
}

static bool has(const struct err *e, const char *part)
{
	return strstr(e->text, part) != NULL;
}

/* ---- sources --------------------------------------------------------------------------------
 */

/* Everything that a source gives, asked for in pieces of room bytes. */
static bool drain(struct source *from, size_t room, struct buf *got, struct err *e)
{
	OWNED(drop_text) char *piece = own_array(room, 1);
	size_t len = 1;

	while (len) {
		if (!from->read(from, piece, room, &len, e))
			return false;
		cr_assert_leq(len, room);
		buf_add(got, piece, len);
	}
	return true;
}

Test(verify_source, gives_every_byte_of_what_is_right)
{
	static const size_t rooms[] = {1, 7, 1000, LAST - 1, LAST, LAST + 1, 2 * MANY};
	static char bytes[MANY];

	for (size_t i = 0; i < SIZES * 7; i++) {
		const size_t size = sizes[i / 7];
		const size_t room = rooms[i % 7];
		const struct descriptor want = fill(bytes, size);
		OWNED(buf_drop) struct buf got = BUF(MANY);
		OWNED(verify_source_drop) struct verify_source v;
		struct mem_source from;
		struct err e = {0};
		size_t more = 1;

		mem_source_init(&from, slice_at(bytes, size));
		verify_source_init(&v, &want, &from.source);
		for (int again = 0; again < 2; again++) {
			buf_clear(&got);
			cr_assert(drain(&v.source, room, &got, &e), "%zu: %s", size, e.text);
			cr_expect(slice_equal(buf_slice(&got), slice_at(bytes, size)),
			    "%zu bytes in pieces of %zu", size, room);
			cr_assert(v.source.read(&v.source, bytes, room, &more, &e));
			cr_expect_eq(more, 0, "the end is the end");
			cr_assert(v.source.rewind(&v.source, &e));
		}
	}
}

/* Bytes that are not the descriptor's are refused, and what was given is no whole block of the
 * end: the last one never comes, however often it is asked for. */
static void expect_refusal(const struct descriptor *want, struct slice bytes, const char *said)
{
	OWNED(buf_drop) struct buf got = BUF(2 * MANY);
	OWNED(verify_source_drop) struct verify_source v;
	const size_t most = want->size > LAST ? want->size - LAST : 0;
	struct mem_source from;
	struct err e = {0};

	mem_source_init(&from, bytes);
	verify_source_init(&v, want, &from.source);
	for (int attempt = 0; attempt < 2; attempt++) {
		buf_clear(&got);
		cr_expect_not(drain(&v.source, 5000, &got, &e), "%zu bytes", bytes.len);
		cr_expect_eq(e.kind, ERR_DAMAGED);
		cr_expect(has(&e, said), "\"%s\" in: %s", said, e.text);
		cr_expect_leq(got.len, most);
		for (int again = 0; again < 3; again++) {
			cr_expect_not(drain(&v.source, 5000, &got, &e));
			cr_expect_eq(e.kind, ERR_DAMAGED);
		}
		cr_expect_leq(got.len, most);
		cr_assert(v.source.rewind(&v.source, &e));
	}
}

Test(verify_source, withholds_the_last_block_of_wrong_bytes)
{
	static char bytes[MANY];

	for (size_t i = 1; i < SIZES; i++) {
		const struct descriptor want = fill(bytes, sizes[i]);
		const size_t places[] = {0, sizes[i] / 2, sizes[i] - 1};
		char expected[DIGEST_TEXT];
		char found[DIGEST_TEXT];
		struct digest damaged;

		for (size_t j = 0; j < 3; j++) {
			bytes[places[j]] ^= 4;
			digest_of(slice_at(bytes, sizes[i]), &damaged);
			(void)digest_text(&want.digest, expected);
			(void)digest_text(&damaged, found);
			expect_refusal(&want, slice_at(bytes, sizes[i]), expected);
			expect_refusal(&want, slice_at(bytes, sizes[i]), found);
			bytes[places[j]] ^= 4;
		}
	}
}

Test(verify_source, DL_11_refuses_too_few_and_too_many)
{
	static char bytes[MANY + 10];

	for (size_t i = 0; i < SIZES; i++) {
		const struct descriptor want = fill(bytes, sizes[i]);
		static const size_t lacking[] = {1, 2, LAST, MANY};
		char said[64];

		for (size_t j = 0; j < 4 && lacking[j] <= sizes[i]; j++) {
			const size_t len = sizes[i] - lacking[j];

			(void)snprintf(
			    said, sizeof(said), "expected %zu bytes, got %zu", sizes[i], len);
			expect_refusal(&want, slice_at(bytes, len), said);
		}
		(void)snprintf(said, sizeof(said), "expected %zu bytes, got more", sizes[i]);
		expect_refusal(&want, slice_at(bytes, sizes[i] + 1), said);
		expect_refusal(&want, slice_at(bytes, sizes[i] + 10), said);
	}
}

/* A source that gives one byte a time, and fails once at a place. */
struct dribble {
	struct source source;
	struct slice bytes;
	size_t at;
	size_t fail_at;
};

static bool dribble_read(
    struct source *self, void *bytes, size_t room, size_t *got, struct err *e)
{
	struct dribble *d = (struct dribble *)self;

	*got = room && d->at < d->bytes.len;
	if (d->at == d->fail_at) {
		d->fail_at = SIZE_MAX;
		return err_set(e, ERR_SYSTEM, "the medium is gone");
	}
	if (*got)
		memcpy(bytes, d->bytes.ptr + d->at++, 1);
	return true;
}

Test(verify_source, goes_on_after_a_failure_of_what_is_below)
{
	static char bytes[LAST + 100];
	static const size_t places[] = {0, 50, 100, 101, LAST, LAST + 100};
	const struct descriptor want = fill(bytes, sizeof(bytes));

	for (size_t i = 0; i < 6; i++) {
		struct dribble from = {
		    .source = {dribble_read, NULL},
		    .bytes = slice_at(bytes, sizeof(bytes)),
		    .fail_at = places[i],
		};
		OWNED(buf_drop) struct buf got = BUF(MANY);
		OWNED(verify_source_drop) struct verify_source v;
		struct err e = {0};

		verify_source_init(&v, &want, &from.source);
		cr_expect_not(drain(&v.source, 4096, &got, &e), "place %zu", places[i]);
		cr_expect_str_eq(e.text, "the medium is gone");
		cr_expect(drain(&v.source, 4096, &got, &e), "%zu: %s", places[i], e.text);
		cr_expect(slice_equal(buf_slice(&got), from.bytes), "place %zu", places[i]);
		cr_expect_not(v.source.rewind(&v.source, &e), "a pipe cannot begin again");
	}
}

/* ---- sinks ----------------------------------------------------------------------------------
 */

static bool pour(struct sink *to, struct slice bytes, size_t piece, struct err *e)
{
	for (size_t at = 0; at < bytes.len; at += piece)
		if (!to->write(
			to, bytes.ptr + at, bytes.len - at < piece ? bytes.len - at : piece, e))
			return false;
	return true;
}

Test(verify_sink, passes_on_what_is_right)
{
	static const size_t pieces[] = {1000, LAST, 2 * MANY};
	static char bytes[MANY];

	for (size_t i = 0; i < SIZES * 3; i++) {
		const size_t size = sizes[i / 3];
		const struct descriptor want = fill(bytes, size);
		const struct slice all = slice_at(bytes, size);
		OWNED(buf_drop) struct buf got = BUF(MANY);
		OWNED(verify_sink_drop) struct verify_sink v;
		struct buf_sink to;
		struct err e = {0};

		buf_sink_init(&to, &got);
		verify_sink_init(&v, &want, &to.sink);
		cr_assert(pour(&v.sink, slice_at(bytes, size / 2), pieces[i % 3], &e));
		cr_assert(v.sink.rewind(&v.sink, &e));
		cr_assert(pour(&v.sink, all, pieces[i % 3], &e), "%s", e.text);
		cr_expect(verify_sink_end(&v, &e), "%zu: %s", size, e.text);
		cr_expect(slice_equal(buf_slice(&got), all));
	}
}

Test(verify_sink, DL_11_passes_nothing_on_beyond_the_size)
{
	static char bytes[MANY + 1];

	for (size_t i = 0; i < SIZES; i++) {
		const struct descriptor want = fill(bytes, sizes[i]);
		OWNED(buf_drop) struct buf got = BUF(2 * MANY);
		OWNED(verify_sink_drop) struct verify_sink v;
		struct buf_sink to;
		struct err e = {0};

		buf_sink_init(&to, &got);
		verify_sink_init(&v, &want, &to.sink);
		cr_expect_not(pour(&v.sink, slice_at(bytes, sizes[i] + 1), 1000, &e));
		cr_expect_eq(e.kind, ERR_DAMAGED);
		cr_expect(has(&e, "got more"), "%s", e.text);
		cr_expect_leq(got.len, sizes[i]);
	}
}

Test(verify_sink, DL_11_says_too_few_before_wrong)
{
	static char bytes[MANY];

	for (size_t i = 1; i < SIZES; i++) {
		const struct descriptor want = fill(bytes, sizes[i]);
		OWNED(verify_sink_drop) struct verify_sink v;
		struct sink nowhere = null_sink();
		struct err e = {0};

		verify_sink_init(&v, &want, &nowhere);
		cr_expect_not(verify_sink_end(&v, &e));
		cr_expect(has(&e, "got 0"), "%s", e.text);
		cr_assert(pour(&v.sink, slice_at(bytes, sizes[i] - 1), 1000, &e));
		cr_expect_not(verify_sink_end(&v, &e));
		cr_expect_eq(e.kind, ERR_DAMAGED);
		cr_expect(has(&e, "bytes, got"), "%s", e.text);
	}
}

Test(verify_sink, names_both_digests_of_wrong_bytes)
{
	static char bytes[MANY];

	for (size_t i = 1; i < SIZES; i++) {
		const struct descriptor want = fill(bytes, sizes[i]);
		OWNED(verify_sink_drop) struct verify_sink v;
		struct sink nowhere = null_sink();
		struct digest damaged;
		struct err e = {0};
		char text[DIGEST_TEXT];

		bytes[sizes[i] / 2] ^= 1;
		digest_of(slice_at(bytes, sizes[i]), &damaged);
		verify_sink_init(&v, &want, &nowhere);
		cr_assert(pour(&v.sink, slice_at(bytes, sizes[i]), 1000, &e));
		cr_expect_not(verify_sink_end(&v, &e));
		cr_expect_eq(e.kind, ERR_DAMAGED);
		cr_expect(has(&e, digest_text(&want.digest, text)), "%s", e.text);
		cr_expect(has(&e, digest_text(&damaged, text)), "%s", e.text);
	}
}
