/*
 * Time as it passes, whatever the date on the wall is set to.
 */
#pragma once

#include <stdint.h>

/* Milliseconds since some moment before the program began. */
uint64_t clock_ms(void);
