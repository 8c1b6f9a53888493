/*
 * Charts out of a registry.  PROTOCOL 15 (HOC-*).
 */
#pragma once

#include "registry/chartrepo.h"

/* As chartrepo_pull, where repo or name begin with oci://. */
bool chartoci_pull(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e) MUST_CHECK;
