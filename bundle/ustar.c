#include "bundle/ustar.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Where the fields of a ustar header stand (POSIX.1-1988). */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	SIZE_DIGITS = 11,
	CHECKSUM_FIELD = 8,
};

static const uint64_t octal_limit = 8589934592; /* 8 to the power of SIZE_DIGITS */

static void put(unsigned char *header, size_t at, const char *text)
{
	(void)memcpy(header + at, text, strlen(text));
}

/* digits octal digits; the NUL after them is there already. */
static void put_octal(unsigned char *header, size_t at, int digits, uint64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%0*llo", digits, (unsigned long long)number);
	put(header, at, text);
}

static void put_size(unsigned char *header, uint64_t size)
{
	if (size < octal_limit) {
		put_octal(header, AT_SIZE, SIZE_DIGITS, size);
		return;
	}
	header[AT_SIZE] = 0x80;
	for (size_t i = 0; i < sizeof(size); i++)
		header[AT_SIZE + SIZE_DIGITS - i] = (unsigned char)(size >> (8 * i));
}

/* The sum of all bytes, the checksum field counting as blanks. */
static void put_checksum(unsigned char *header)
{
	uint64_t sum = 0;

	(void)memset(header + AT_CHECKSUM, ' ', CHECKSUM_FIELD);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += header[i];
	put_octal(header, AT_CHECKSUM, 6, sum);
	header[AT_CHECKSUM + 6] = '\0';
}

void ustar_header(const char *name, uint64_t size, unsigned char header[TAR_BLOCK])
{
	assert(strlen(name) <= USTAR_NAME_MAX);
	(void)memset(header, 0, TAR_BLOCK);
	put(header, AT_NAME, name);
	put(header, AT_MODE, "0000644");
	put(header, AT_UID, "0000000");
	put(header, AT_GID, "0000000");
	put_size(header, size);
	put(header, AT_MTIME, "00000000000");
	header[AT_TYPE] = '0';
	put(header, AT_MAGIC, "ustar");
	put(header, AT_MAGIC + 6, "00");
	put(header, AT_MAJOR, "0000000");
	put(header, AT_MINOR, "0000000");
	put_checksum(header);
}

bool ustar_is_header(const unsigned char *header, const char *name, uint64_t size)
{
	unsigned char want[TAR_BLOCK];

	ustar_header(name, size, want);
	return memcmp(header, want, TAR_BLOCK) == 0;
}

bool ustar_is_padding(const unsigned char *bytes, size_t len)
{
	return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

bool ustar_claimed_size(const unsigned char header[TAR_BLOCK], uint64_t *size)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < SIZE_DIGITS; i++) {
		const unsigned char c = header[AT_SIZE + i];
		if (c < '0' || c > '7')
			return false;
		sum = sum * 8 + (uint64_t)(c - '0');
	}
	*size = sum;
	return header[AT_SIZE + SIZE_DIGITS] == '\0';
}

bool ustar_claimed_name(const unsigned char header[TAR_BLOCK], char name[USTAR_NAME_MAX + 1])
{
	(void)memcpy(name, header + AT_NAME, USTAR_NAME_MAX);
	name[USTAR_NAME_MAX] = '\0';
	return memchr(header + AT_NAME, '\0', USTAR_NAME_MAX) != NULL;
}

uint64_t ustar_padded(uint64_t size)
{
	return (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}
