/*
 * Helm's list of chart repositories, repositories.yaml, of which the logins count here
 * (PROTOCOL CRD-12, HLM-03), and what it says of TLS (HLM-04).
 */
#pragma once

#include "registry/login.h"

enum { HELMREPOS_MAX = 1024 * 1024 };

/* The login of the first repository at host, "name[:port]", that has user name and password;
 * what names the file in errors. */
bool helmrepos_read(struct slice yaml, const char *what, const char *host, struct login *out,
    bool *found, struct err *e) MUST_CHECK;

/* What an entry says of TLS; NULL where it says nothing. */
struct helm_tls {
	char *ca_file;
	char *cert_file;
	char *key_file;
	bool insecure;
};
void helm_tls_drop(struct helm_tls *t);

/* That of the first entry with the repository's address; all zero without one.  ERR_FORMAT for
 * a certificate without key. */
bool helmrepos_read_tls(struct slice yaml, const char *what, const char *repository,
    struct helm_tls *out, struct err *e) MUST_CHECK;
