#include "bundle/region.h"

#include "base/own.h"
#include "bundle/ustar.h"

#include <assert.h>
#include <string.h>

static bool check_header(const struct region *r, struct err *e)
{
	unsigned char want[TAR_BLOCK];
	unsigned char found[TAR_BLOCK];
	char path[MEMBER_PATH];

	ustar_header(member_path(r->member, path), r->member->size, want);
	if (!medium_read(r->medium, found, sizeof(found), r->at, e))
		return false;
	return memcmp(found, want, sizeof(want)) == 0
	       || err_set(e, ERR_DAMAGED, "expected its tar header, found other bytes");
}

bool region_zeros(struct medium *m, uint64_t at, size_t len, struct err *e)
{
	static const unsigned char zeros[TRAILER];
	unsigned char found[TRAILER];

	assert(len <= sizeof(found));
	if (!medium_read(m, found, len, at, e))
		return false;
	return memcmp(found, zeros, len) == 0
	       || err_set(e, ERR_DAMAGED, "expected %zu zero bytes at byte %llu, found others",
		   len, (unsigned long long)at);
}

bool region_open(const struct region *r, struct member_source *s, struct err *e)
{
	const struct descriptor want = {.digest = r->member->digest, .size = r->member->size};

	if (!check_header(r, e))
		return false;
	medium_source_init(&s->bytes, r->medium, r->at + TAR_BLOCK, r->member->size);
	verify_source_init(&s->verify, &want, &s->bytes.source);
	return true;
}

void member_source_drop(struct member_source *s)
{
	verify_source_drop(&s->verify);
}

bool region_check_padding(const struct region *r, struct err *e)
{
	const uint64_t size = r->member->size;

	return region_zeros(
	    r->medium, r->at + TAR_BLOCK + size, (size_t)(ustar_padded(size) - size), e);
}

bool region_check_frame(const struct region *r, struct err *e)
{
	return check_header(r, e) && region_check_padding(r, e);
}

bool region_check(const struct region *r, struct sink *sink, struct err *e)
{
	OWNED(member_source_drop) struct member_source source = {0};

	return region_open(r, &source, e) && stream_copy(&source.verify.source, sink, e)
	       && region_check_padding(r, e);
}
