/*
 * Platforms: "linux/amd64", "linux/arm/v7".  PROTOCOL section 8 (PLT-*).
 */
#pragma once

#include "base/buf.h"

enum { PLATFORM_TEXT = 128 };

struct platform {
	char os[32];
	char version[24]; /* os.version, of Windows; "" when there is none (PLT-04) */
	char arch[32];
	char variant[16]; /* "" when there is none */
};

/* Parses and normalises (PLT-02) what a person wrote: "linux/arm/v7",
 * "windows(10.0.17763)/amd64".  ERR_USAGE. */
bool platform_parse(struct slice text, struct platform *p, struct err *e) MUST_CHECK;

/* Normalises what a document says. */
void platform_set(struct platform *p, struct slice os, struct slice arch, struct slice variant);
void platform_set_version(struct platform *p, struct slice version);

/* "os[(version)]/arch[/variant]" into out, which is returned; "unknown" for an empty one. */
const char *platform_text(const struct platform *p, char out[PLATFORM_TEXT]);

bool platform_equal(const struct platform *a, const struct platform *b);

/* How well have serves want: 0 not at all, higher is better (exact match highest, PLT-03). */
int platform_match(const struct platform *want, const struct platform *have);
