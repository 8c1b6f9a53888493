#include "manifests/digestmap.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MANY = 20 * 1000 };

/* The digest of the number's bytes: as evenly spread as those of blobs. */
static struct digest spread(size_t number)
{
	struct digest d;

	digest_of(slice_at((const char *)&number, sizeof(number)), &d);
	return d;
}

/* A digest that begins as all others of its kind do, so that all belong in one slot. */
static struct digest crowded(size_t number)
{
	struct digest d = {{0}};

	memset(d.bytes, 0xff, sizeof(d.bytes) / 2);
	memcpy(d.bytes + sizeof(d.bytes) - sizeof(number), &number, sizeof(number));
	return d;
}

/* After each addition the new one is there and its successor is not; at the end all are. */
static void fill(struct digest_map *m, struct digest (*make)(size_t), size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct digest d = make(i);
		const struct digest next = make(i + 1);
		size_t value = SIZE_MAX;

		cr_assert_not(digest_map_find(m, &d, &value), "%zu is there already", i);
		cr_assert_eq(value, SIZE_MAX, "a value of what is not there");
		cr_assert(digest_map_add(m, &d, i * 3), "%zu", i);
		cr_assert(digest_map_find(m, &d, &value), "%zu is lost", i);
		cr_assert_eq(value, i * 3);
		cr_assert_not(digest_map_find(m, &next, &value), "%zu", i + 1);
	}
	for (size_t i = 0; i < count; i++) {
		const struct digest d = make(i);
		size_t value = SIZE_MAX;

		cr_assert(digest_map_find(m, &d, &value), "%zu of %zu is lost", i, count);
		cr_assert_eq(value, i * 3, "%zu has the value %zu", i, value);
	}
}

Test(digest_map, grows_and_loses_nothing)
{
	OWNED(digest_map_drop) struct digest_map *m = digest_map_new();

	fill(m, spread, MANY);
}

Test(digest_map, all_in_one_slot)
{
	OWNED(digest_map_drop) struct digest_map *m = digest_map_new();

	fill(m, crowded, 1000);
}

Test(digest_map, a_duplicate_changes_nothing)
{
	OWNED(digest_map_drop) struct digest_map *m = digest_map_new();

	fill(m, spread, 100);
	for (size_t i = 0; i < 100; i++) {
		const struct digest d = spread(i);
		size_t value = SIZE_MAX;

		cr_expect_not(digest_map_add(m, &d, 7777), "%zu", i);
		cr_expect(digest_map_find(m, &d, &value));
		cr_expect_eq(value, i * 3, "%zu has the value %zu", i, value);
	}
}

/* Each single bit of a digest tells it from another. */
Test(digest_map, every_bit_counts)
{
	OWNED(digest_map_drop) struct digest_map *m = digest_map_new();
	struct digest d = {{0}};

	cr_assert(digest_map_add(m, &d, 1));
	for (size_t bit = 0; bit < 8 * sizeof(d.bytes); bit++) {
		size_t value;

		d.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		cr_expect_not(digest_map_find(m, &d, &value), "bit %zu", bit);
		cr_expect(digest_map_add(m, &d, bit), "bit %zu", bit);
		d.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
	}
}

Test(digest_map, dropping_nothing)
{
	struct digest_map *none = NULL;

	digest_map_drop(&none);
	digest_map_free(NULL);
	cr_expect_null(none);
}
