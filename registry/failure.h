/*
 * What a transfer that ended without a whole answer means: whether it may pass, and what
 * usually helps (PROTOCOL 12, the first rows of its table; TLS-03, TLS-04, TLS-07, PRX-02).
 */
#pragma once

#include "base/err.h"

#include <curl/curl.h>

struct failure {
	enum err_kind kind; /* ERR_NETWORK, or ERR_DENIED by a proxy */
	bool may_pass;	    /* of the moment, not of certificates or addresses */
	char advice[200];   /* what usually helps, begins with "; ", or "" */
};

/* reason is libcurl's own sentence. */
void failure_read(CURLcode code, const char *reason, struct failure *out);
