/*
 * The one cancellation flag, and the program's only global: a signal handler raises it, loops
 * that move bytes look at it.
 */
#pragma once

#include "base/err.h"

/* Asks everything to stop soon; safe in a signal handler. */
void stop_request(void);

/* Whether that was asked. */
bool stop_requested(void);

/* False, with ERR_STOPPED, once it was asked. */
bool stop_check(struct err *e) MUST_CHECK;
