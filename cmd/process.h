/*
 * The process's own safety, once, before anything else.
 */
#pragma once

/* No core file and no tracing, since keys and passwords must not be read there; interruption
 * asks to stop; a closed pipe and a file-size limit are errors of a write, not signals. Results
 * are written line by line, so that they stand in order beside progress. */
void process_guard(void);
