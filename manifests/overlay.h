/*
 * The overlay: a small values file beside the customer's, for coordinates that stand in the
 * chart's defaults only.  VALUES.md 3.2.
 */
#pragma once

#include "manifests/rewrite.h"

/* Writes the changes that are the overlay's, as YAML; nothing where there are none. */
void overlay_write(const struct change *changes, size_t count, struct buf *out);
