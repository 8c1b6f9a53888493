/*
 * What becomes of a values file, told on standard output: each change and each finding.
 */
#pragma once

#include "manifests/rewrite.h"

/* file: the customer's, as it was named, or NULL; helm: the command line that uses the result,
 * which the text says only when it is written, or NULL. */
void report_values(const struct rewrite *r, const char *file, const char *helm, bool json);
