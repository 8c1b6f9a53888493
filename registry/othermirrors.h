/*
 * Mirrors that other programs are configured for (PROTOCOL MIR-01): they are not used here, and
 * whoever has them is told so.
 */
#pragma once

#include "manifests/watch.h"

/* Tells of registries.conf with registries in it, and of containerd's hosts.toml; which of them
 * is there first is enough. */
void mirrors_not_read(struct watch *watch);
