#include "bundle/ustar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The size field as any tar reads it: octal, or base-256 above. */
static uint64_t size_of(const unsigned char *header)
{
	uint64_t size = 0;

	if (header[124] != 0x80)
		return strtoull((const char *)header + 124, NULL, 8);
	for (size_t i = 125; i < 136; i++)
		size = size << 8 | header[i];
	return size;
}

Test(ustar, R14_sizes_around_every_edge)
{
	static const uint64_t edges[] = {512, 1ULL << 31, 1ULL << 32, 1ULL << 33, 9ULL << 30};
	static const uint64_t around[] = {-512ULL, -1ULL, 0, 1, 512};
	unsigned char header[TAR_BLOCK];

	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		for (size_t a = 0; a < sizeof(around) / sizeof(*around); a++) {
			const uint64_t size = edges[i] + around[a];
			uint64_t claimed = 0;

			ustar_header("blobs/x", size, header);
			cr_expect_eq(size_of(header), size, "%llu", (unsigned long long)size);
			cr_expect_eq(ustar_claimed_size(header, &claimed), size < 1ULL << 33);
			cr_expect(size >= 1ULL << 33 || claimed == size);
		}
}

Test(ustar, checksum_is_the_sum_with_blanks)
{
	unsigned char header[TAR_BLOCK];
	unsigned long sum = 0;

	ustar_header("index.json", 12345, header);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : header[i];
	cr_expect_eq(strtoul((char *)header + 148, NULL, 8), sum);
	cr_expect(memcmp(header + 154, "\0 ", 2) == 0);
}

Test(ustar, octal_is_strict)
{
	static const char *const rows[] = {"0000000001 ", " 0000000001", "00000000008",
	    "+0000000001", "0000000001\0", "0x000000001", "00000000-01"};
	unsigned char header[TAR_BLOCK];
	uint64_t size;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ustar_header("x", 1, header);
		(void)memcpy(header + 124, rows[i], 11);
		cr_expect_not(ustar_claimed_size(header, &size), "row %zu", i);
	}
	ustar_header("x", 1, header);
	header[135] = ' ';
	cr_expect_not(ustar_claimed_size(header, &size), "a blank where NUL belongs");
}

Test(ustar, name_needs_its_end)
{
	unsigned char header[TAR_BLOCK];
	char name[USTAR_NAME_MAX + 1];
	char longest[USTAR_NAME_MAX + 1];

	(void)memset(longest, 'a', USTAR_NAME_MAX);
	longest[USTAR_NAME_MAX] = '\0';
	ustar_header(longest, 1, header);
	cr_expect_not(ustar_claimed_name(header, name));
	ustar_header("bundle/pad", 1, header);
	cr_expect(ustar_claimed_name(header, name));
	cr_expect_str_eq(name, "bundle/pad");
}

Test(ustar, padding)
{
	cr_expect_eq(ustar_padded(0), 0);
	cr_expect_eq(ustar_padded(1), 512);
	cr_expect_eq(ustar_padded(512), 512);
	cr_expect_eq(ustar_padded(513), 1024);
}
