/*
 * Helm's list of chart repositories, repositories.yaml, of which the logins count here
 * (PROTOCOL CRD-12, HLM-03).
 */
#pragma once

#include "registry/login.h"

enum { HELMREPOS_MAX = 1024 * 1024 };

/* The login of the first repository at host, "name[:port]", that has user name and password;
 * what names the file in errors. */
bool helmrepos_read(struct slice yaml, const char *what, const char *host, struct login *out,
    bool *found, struct err *e) MUST_CHECK;
