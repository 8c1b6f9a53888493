/*
 * The process's own safety, once, before anything else.
 */
#pragma once

/* No core file and no tracing, since keys and passwords must not be read there; interruption
 * asks to stop; a closed pipe and a file-size limit are errors of a write, not signals. */
void process_guard(void);
