/*
 * Credential helpers: docker-credential-NAME, a program that keeps logins (PROTOCOL
 * CRD-08..10).
 */
#pragma once

#include "registry/login.h"

enum {
	KEYCHAIN_SECONDS = 60, /* a person may have to unlock something */
	KEYCHAIN_ANSWER_MAX = 512 * 1024,
};

/* Asks the helper called name for host's login.  *found is false when it has none.  ERR_SYSTEM
 * when there is no such helper, or it fails or answers in another way. */
bool keychain_get(struct slice name, const char *host, struct login *out, bool *found,
    struct err *e) MUST_CHECK;
