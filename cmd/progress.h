/*
 * The observer that a person sees: a bar on a terminal, lines elsewhere, events with --json.
 * All of it goes to standard error, so that standard output holds results alone.
 */
#pragma once

#include "cmd/options.h"
#include "manifests/watch.h"

struct progress;

/* A progress with total bytes to move (0: not known) and a word for what is done: "export". */
struct progress *progress_new(const struct common *common, const char *doing);

/* What the rooms below tell; owned by the progress. */
struct watch *progress_watch(struct progress *p);

/* How many bytes the work has in all, once that is known. */
void progress_total(struct progress *p, uint64_t bytes);

/* Another kind of work begins on the same bytes: "read back". */
void progress_begin(struct progress *p, const char *doing, uint64_t bytes);

/* Says how much was moved since, and how fast. */
void progress_rate(struct progress *p);

/* A line for a person about a step that begins, unless --quiet or --json. */
void progress_step(struct progress *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Takes the bar away and gives everything back. */
void progress_free(struct progress *p);
void progress_drop(struct progress **p);
