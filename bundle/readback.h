/*
 * The last look at a bundle that was written: from the medium itself, not out of memory, with
 * the hashes by which a bad piece is found later.  BUNDLE.md 1.6.
 */
#pragma once

#include "bundle/output.h"
#include "bundle/survey.h"

/* Puts the output onto its medium and out of memory, reads and checks all of it, and writes
 * NAME.parts.json and NAME.head beside it.  A pipe cannot be read back: ERR_USAGE. */
bool readback(struct output *o, const struct survey *survey, struct err *e) MUST_CHECK;
