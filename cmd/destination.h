/*
 * What each thing in a bundle is called at the customer's registry.
 */
#pragma once

#include "bundle/inventory.h"
#include "manifests/reference.h"

/* An image keeps its path and tag below the target's prefix. */
bool destination_of_image(const struct bundle_image *image, const struct target *target,
    struct reference *out, struct err *e) MUST_CHECK;

/* A chart that came from a registry keeps its path; one from a classic repository becomes
 * PREFIX/NAME:VERSION (BUNDLE.md 1.3). */
bool destination_of_chart(const struct bundle_chart *chart, const struct target *target,
    struct reference *out, struct err *e) MUST_CHECK;
