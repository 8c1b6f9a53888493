/*
 * The first and the last word of a verb about a bundle: its id, then what was done, as
 * sentences or as one JSON object with "event":"result".
 */
#pragma once

#include "bundle/signer.h"
#include "cmd/media_out.h"
#include "cmd/options.h"
#include "cmd/resolve.h"

#include <stdio.h>

/* "PATH: sha256:…"; nothing where quiet or JSON was asked for, whose result has it. */
void result_id(
    const struct common *common, FILE *out, const char *path, const struct digest *id);

/* One pair of a JSON result: a text, or a number where text is NULL. */
struct fact {
	const char *key;
	const char *text;
	uint64_t number;
};

/* The result as JSON on standard output. */
void result_json(const struct fact *facts, size_t count);

/* What export wrote, for a person where messages go.  Always true. */
bool result_of_export(const struct common *common, const struct media_out_options *media,
    const char *path, const struct plan *plan, const struct signer *signer) MUST_CHECK;
