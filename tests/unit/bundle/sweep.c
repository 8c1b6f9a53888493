/* Every small damage that a medium or an attacker can do to a bundle is refused, counted. */
#include "bundle/ustar.h"
#include "tests/unit/bundle/sample.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A copy of the sample in memory, damaged and mended in place. */
struct copy {
	struct sample sample;
	int fd;
	char path[64];
	size_t step; /* SWEEP_STEP: try one damage in so many */
	size_t tried;
	size_t refused;
};

static void restore(struct copy *c)
{
	struct err e = {0};

	cr_assert(ftruncate(c->fd, (off_t)c->sample.size) == 0);
	cr_assert(file_write_at(c->fd, c->sample.bytes, c->sample.size, 0, &e), "%s", e.text);
}

static void begin(struct copy *c, enum key_type type)
{
	const char *step = getenv("SWEEP_STEP");
	struct err e;

	*c = (struct copy){.step = step ? (size_t)strtoul(step, NULL, 10) : 1};
	cr_assert(c->step > 0);
	sample_init(&c->sample, type);
	c->fd = memfd_create("sweep", MFD_CLOEXEC);
	(void)snprintf(c->path, sizeof(c->path), "/proc/self/fd/%d", c->fd);
	restore(c);
	cr_assert_eq(sample_verify(&c->sample, c->path, &e), ERR_NONE,
	    "the undamaged bundle: %s", e.text);
}

static void end(struct copy *c, const char *what)
{
	struct err e;

	restore(c);
	cr_expect_eq(
	    sample_verify(&c->sample, c->path, &e), ERR_NONE, "mended again: %s", e.text);
	sample_figure(what, c->refused, c->tried);
	cr_expect_eq(
	    c->refused, c->tried, "%s: %zu of %zu refused", what, c->refused, c->tried);
	cr_expect_gt(c->tried, 0);
	(void)close(c->fd);
	sample_drop(&c->sample);
}

/* The kind of refusal that damage at this byte must meet (BUNDLE.md 1.5). */
static enum err_kind expected(const struct copy *c, size_t at)
{
	const size_t area = TAR_BLOCK + (size_t)ustar_padded(c->sample.inventory_size);

	if (at < area)
		return ERR_UNTRUSTED;
	for (size_t header = area; header < area + SIGNATURE_AREA;) {
		const size_t data = header + TAR_BLOCK;
		char name[USTAR_NAME_MAX + 1];
		uint64_t size = 0;

		cr_assert(ustar_claimed_name(c->sample.bytes + header, name));
		cr_assert(ustar_claimed_size(c->sample.bytes + header, &size));
		if (strcmp(name, "bundle/pad") != 0 && at >= data && at < data + size)
			return ERR_UNTRUSTED;
		header = data + (size_t)ustar_padded(size);
	}
	return ERR_DAMAGED;
}

static void count(struct copy *c, enum err_kind kind)
{
	c->tried++;
	c->refused += kind == ERR_UNTRUSTED || kind == ERR_DAMAGED;
}

/* Flips one bit in every step times SWEEP_STEP bits. */
static void flip_bits(enum key_type type, size_t step, const char *what)
{
	struct copy c;
	struct err e;

	begin(&c, type);
	for (size_t bit = 0; bit < c.sample.size * 8; bit += step * c.step) {
		const size_t at = bit / 8;
		const unsigned char changed =
		    c.sample.bytes[at] ^ (unsigned char)(1U << bit % 8);

		cr_assert(pwrite(c.fd, &changed, 1, (off_t)at) == 1);
		const enum err_kind kind = sample_verify(&c.sample, c.path, &e);
		cr_assert(pwrite(c.fd, &c.sample.bytes[at], 1, (off_t)at) == 1);
		count(&c, kind);
		if (kind != expected(&c, at))
			cr_expect(false, "bit %zu of byte %zu: kind %d, %s", bit % 8, at,
			    (int)kind, e.text);
	}
	end(&c, what);
}

Test(sweep, bit_flips, .timeout = 300)
{
	flip_bits(KEY_P256, 1, "R1 bit flips");
}

/* What the kind of key changes is the signature's text alone; 17 visits every bit of a byte. */
Test(sweep, bit_flips_ed25519, .timeout = 300)
{
	flip_bits(KEY_ED25519, 17, "R1 bit flips, Ed25519, one in 17");
}

Test(sweep, truncations, .timeout = 300)
{
	struct copy c;
	struct err e;

	begin(&c, KEY_P256);
	for (size_t size = c.sample.size; size-- > 0;) {
		if (size % c.step)
			continue;
		cr_assert(ftruncate(c.fd, (off_t)size) == 0);
		count(&c, sample_verify(&c.sample, c.path, &e));
	}
	end(&c, "R2 truncations");
}

Test(sweep, appended_bytes, .timeout = 300)
{
	static const unsigned char filler[2] = {0, 'x'};
	struct copy c;
	struct err e;

	begin(&c, KEY_P256);
	for (size_t f = 0; f < sizeof(filler); f++) {
		restore(&c);
		for (size_t extra = 0; extra < 10240; extra++) {
			cr_assert(
			    pwrite(c.fd, &filler[f], 1, (off_t)(c.sample.size + extra)) == 1);
			count(&c, sample_verify(&c.sample, c.path, &e));
		}
	}
	end(&c, "R2 appended byte counts");
}

/* What a block edit does to the whole file; false when it changes no byte. */
enum edit {
	EDIT_REMOVE,
	EDIT_DOUBLE,
	EDIT_SWAP,
	EDITS,
};

static size_t edited(const struct sample *s, enum edit edit, size_t at, unsigned char *out)
{
	const size_t after = at + TAR_BLOCK;

	(void)memcpy(out, s->bytes, s->size);
	if (edit == EDIT_REMOVE) {
		(void)memcpy(out + at, s->bytes + after, s->size - after);
		return s->size - TAR_BLOCK;
	}
	if (edit == EDIT_DOUBLE) {
		(void)memcpy(out + after, s->bytes + at, s->size - at);
		return s->size + TAR_BLOCK;
	}
	if (after < s->size) {
		(void)memcpy(out + at, s->bytes + after, TAR_BLOCK);
		(void)memcpy(out + after, s->bytes + at, TAR_BLOCK);
	}
	return s->size;
}

Test(sweep, blocks_removed_doubled_swapped, .timeout = 300)
{
	struct copy c;
	struct err e = {0};

	begin(&c, KEY_P256);
	unsigned char *out = malloc(c.sample.size + TAR_BLOCK);
	for (size_t edit = 0; edit < EDITS; edit++)
		for (size_t at = 0; at < c.sample.size; at += TAR_BLOCK) {
			const size_t size = edited(&c.sample, (enum edit)edit, at, out);
			if (size == c.sample.size && memcmp(out, c.sample.bytes, size) == 0)
				continue;
			cr_assert(ftruncate(c.fd, (off_t)size) == 0);
			cr_assert(file_write_at(c.fd, out, size, 0, &e), "%s", e.text);
			count(&c, sample_verify(&c.sample, c.path, &e));
		}
	free(out);
	end(&c, "R3 blocks removed, doubled, swapped");
}
