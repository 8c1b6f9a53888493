/*
 * The folders in which docker and podman keep a registry's certificates (PROTOCOL TLS-02).
 */
#pragma once

#include "base/buf.h"

/* What the first folder that exists for a host holds; certsd_drop when done. */
struct certsd {
	struct buf authorities; /* paths of its *.crt, one a line */
	char *cert;		/* of the first pair, or NULL */
	char *key;
};

/* Looks for host, "name[:port]" exactly as people write it.  ERR_FORMAT when a certificate has
 * no key beside it, or a key no certificate. */
bool certsd_find(const char *host, struct certsd *out, struct err *e) MUST_CHECK;
void certsd_drop(struct certsd *c);
