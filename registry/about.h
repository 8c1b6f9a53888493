/*
 * What a person wants to know of a registry before anything is asked of it in earnest.
 */
#pragma once

#include "registry/registry.h"

/* Asks for /v2/ without a login (CHL-02) and looks for one: "asks for a login (Basic); the
 * login of me, from FILE" into out.  ERR_NETWORK when nothing like a registry answers. */
bool about_registry(const struct repository *at, struct buf *out, struct err *e) MUST_CHECK;
