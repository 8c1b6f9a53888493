/*
 * One member as it stands in a file: header, data, padding.  The header that must be there is
 * made anew and compared, the data is verified as it is read, the padding is zero.
 * BUNDLE.md 1.1, 1.5.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/medium.h"
#include "manifests/verify.h"

struct region {
	struct medium *medium; /* borrowed */
	const struct member *member;
	uint64_t at; /* where its header begins */
};

/* A source of the data that checks size and digest as it is read. */
struct member_source {
	struct verify_source verify; /* read &verify.source */
	struct medium_source bytes;
};

/* Compares the header and gives a source of the data; member_source_drop when done. */
bool region_open(const struct region *r, struct member_source *s, struct err *e) MUST_CHECK;
void member_source_drop(struct member_source *s);

/* Header and padding; of a member whose data was verified on its way in. */
bool region_check_frame(const struct region *r, struct err *e) MUST_CHECK;

/* The padding behind the data. */
bool region_check_padding(const struct region *r, struct err *e) MUST_CHECK;

/* Header, data and padding; the data goes on into sink. */
bool region_check(const struct region *r, struct sink *sink, struct err *e) MUST_CHECK;

/* Whether len bytes (at most TRAILER) at an offset are zero. */
bool region_zeros(struct medium *m, uint64_t at, size_t len, struct err *e) MUST_CHECK;
