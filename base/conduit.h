/*
 * Bytes from one thread to another: what one writes into its sink, the other reads from its
 * source, and no more than a bounded piece of it stands between them.
 */
#pragma once

#include "base/stream.h"

struct conduit;
struct conduit *conduit_new(size_t room);
void conduit_drop(struct conduit **c); /* once both are through */

/* Waits while there is no room; fails (ERR_STOPPED) once the reader is through. */
struct sink *conduit_sink(struct conduit *c);

/* Waits while there is nothing; ends once the writer is through. */
struct source *conduit_source(struct conduit *c);

void conduit_end_writing(struct conduit *c);
void conduit_end_reading(struct conduit *c);
