/*
 * The last word of a verb, as a sentence or as one JSON object with "event":"result".
 */
#pragma once

#include "bundle/signer.h"
#include "cmd/options.h"
#include "cmd/resolve.h"

#include <stdio.h>

/* What export wrote, to out.  Always true. */
bool result_of_export(const struct common *common, const char *path, const struct plan *plan,
    const struct signer *signer, FILE *out) MUST_CHECK;
