/*
 * What a transfer that ended without a whole answer means: whether it may pass, and what
 * usually helps (PROTOCOL 12, the first rows of its table).
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

/* What usually helps, for failures that say too little; "" where nothing does. */
const char *failure_advice(CURLcode code);

/* Whether a failure is of the moment (PROTOCOL 12), not of certificates or addresses. */
bool failure_passes(CURLcode code);
