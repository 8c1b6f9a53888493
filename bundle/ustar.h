/*
 * The one tar header that exists in a bundle.  It is made, never parsed: a reader makes the
 * header that must stand there and compares.  BUNDLE.md 1.1.
 */
#pragma once

#include "base/buf.h"
#include "bundle/format.h"

enum { USTAR_NAME_MAX = 100 };

/* The canonical header of a member; name is at most USTAR_NAME_MAX bytes of the closed grammar.
 * Sizes of 8 GiB and more stand in base-256. */
void ustar_header(const char *name, uint64_t size, unsigned char header[TAR_BLOCK]);

/* Whether the TAR_BLOCK bytes at header are the ones that name and size make. */
bool ustar_is_header(const unsigned char *header, const char *name, uint64_t size);

/* Whether all len bytes are zero, as padding is. */
bool ustar_is_padding(const unsigned char *bytes, size_t len);

/* The size that a header claims, strict octal of 11 digits; only for members that the inventory
 * cannot know: itself and the signature area.  False when it is anything else. */
bool ustar_claimed_size(const unsigned char header[TAR_BLOCK], uint64_t *size) MUST_CHECK;

/* The name that a header claims, NUL-terminated; false when it fills its field without an end.
 */
bool ustar_claimed_name(
    const unsigned char header[TAR_BLOCK], char name[USTAR_NAME_MAX + 1]) MUST_CHECK;

/* size rounded up to a multiple of TAR_BLOCK. */
uint64_t ustar_padded(uint64_t size);
