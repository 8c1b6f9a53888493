/*
 * Where a bundle is damaged, for a person: which part, which chunks, and what to do.
 */
#pragma once

#include "bundle/reader.h"
#include "cmd/media_in.h"

#include <stdio.h>

/* Reads the bundle at path once more and says which pieces are bad, if a list of them stands
 * beside it.  Says nothing where nothing can be said. */
void damaged_report(const struct media_in_options *media, const char *path,
    const struct reader *reader, FILE *out);
