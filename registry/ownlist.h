/*
 * The list that a registry keeps itself of what refers to a document.  PROTOCOL RFR-01..03.
 */
#pragma once

#include "manifests/image.h"
#include "registry/registry.h"

/* Its pages; none when the registry keeps no such list. */
struct own_list {
	struct image **pages;
	size_t count;
};
void own_list_drop(struct own_list *l);

/* Asks for it, unless the registry is known to have none.  What goes wrong is told to the
 * watch, and is as if it had none; but a list that does not come whole is ERR_NETWORK. */
bool own_list_get(const struct repository *at, const struct digest *subject,
    struct own_list *out, struct err *e) MUST_CHECK;
