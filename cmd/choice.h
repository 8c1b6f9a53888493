/*
 * What of an image is carried: all of it, or the one platform that was asked for; and whether
 * its registry has what is not to be had from it.  PROTOCOL 8 (PLT-*), DL-16.
 */
#pragma once

#include "cmd/listing.h"

/* Goes from an index down to the one manifest of the platform.  Entries that do not say theirs
 * are asked for it when no other will do (PLT-05). */
bool choice_of_platform(const struct platform *want, const struct repository *at,
    struct shelf *shelf, struct image **top, struct err *e) MUST_CHECK;

/* Keeps the config of a single manifest, which says the platform (PLT-06): ERR_MISSING when it
 * is another than the one asked for. */
bool choice_confirm(struct resolved_image *image, const struct repository *at,
    const struct request *request, struct err *e) MUST_CHECK;

/* Layers that name addresses of their own are asked for at the registry only: ERR_MISSING with
 * the addresses, for a person, when it lacks one (DL-16). */
bool choice_has_foreign(
    const struct tree *tree, const struct repository *at, struct err *e) MUST_CHECK;
