/*
 * Whether a bundle is whole in itself: what its images and charts name is in it.  A signature
 * says who wrote an inventory, not that its writer forgot nothing.  BUNDLE.md 1.3.
 */
#pragma once

#include "bundle/reader.h"

/* Every descriptor in every manifest and index below the images and charts names a member of
 * just that size.  ERR_DAMAGED with the document and what it lacks. */
bool contents_check(const struct reader *r, struct err *e) MUST_CHECK;
