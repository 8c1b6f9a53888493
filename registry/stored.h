/*
 * What an answer to a PUT says about what was stored (PROTOCOL UPL-15, PSH-05).
 */
#pragma once

#include "manifests/digest.h"
#include "registry/http.h"

/* The statuses that registries confirm with. */
bool stored_accepted(long status);

/* The digest that a registry says it has; false when it says none that can be compared. */
bool stored_said(const struct http_answer *a, struct digest *d);

/* False when the registry says that it stored something else. */
bool stored_as(const struct http_answer *a, const struct digest *want, const char *doing,
    struct err *e) MUST_CHECK;
