/*
 * The bytes of a plan into a bundle: each blob once, by N workers, straight into its place.
 */
#pragma once

#include "bundle/writer.h"
#include "cmd/progress.h"
#include "cmd/resolve.h"

/* Writes every member; what an interrupted run left whole is hashed and kept. */
bool fetch_members(const struct plan *plan, struct writer *writer, struct network *network,
    struct progress *progress, struct err *e) MUST_CHECK;
