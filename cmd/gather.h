/*
 * What refers to the images of an export, and to that again: signatures, attestations, SBOMs.
 * The tags of a repository are listed once, however many images and children are looked for in
 * it (PROTOCOL RFR-07, RFR-08, RFR-10).
 */
#pragma once

#include "cmd/listing.h"

/* What was learnt of the repositories of a run; safe to use from many threads. */
struct gather;
struct gather *gather_new(void);
void gather_drop(struct gather **g);

/* Fills image->referrers, each with all that stands below it, fetched by shelf from at.  begun,
 * when not NULL, is the image as an interrupted export had it: just its referrers are taken. */
bool gather_referrers(struct gather *g, const struct repository *at, struct shelf *shelf,
    const struct bundle_image *begun, struct resolved_image *image, struct err *e) MUST_CHECK;

/* The same with just those that the image of a lock pins: what came later was read by nobody.
 */
bool gather_pinned(const struct repository *at, struct shelf *shelf,
    const struct release_image *want, struct resolved_image *image, struct err *e) MUST_CHECK;
