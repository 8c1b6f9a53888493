/*
 * Which way a host is reached: by a proxy of the environment, by its own, or straight
 * (PROTOCOL PRX-01, PRX-04).
 */
#pragma once

#include "registry/transfer.h"

/* Tells libcurl, before each hop, what holds for the host of url. */
bool proxy_set(struct http *h, const char *url, struct err *e) MUST_CHECK;
