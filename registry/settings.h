/*
 * What a person says of a registry for good: the files of --config (PROTOCOL 21).
 *
 *	registries:
 *	  registry.corp:5000:
 *	    ca-file: /etc/ssl/corp.pem
 *	    token-method: get
 */
#pragma once

#include "base/buf.h"
#include "registry/token_method.h"

enum { SETTINGS_MAX = 1024 * 1024 };

enum setting_expect { EXPECT_AUTO, EXPECT_OFF };

/* Of one registry; the texts belong to the settings, NULL where nothing is said. */
struct host_settings {
	const char *ca_file;
	const char *client_cert;
	const char *client_key;
	const char *proxy; /* "" or "none": no proxy */
	bool insecure;
	bool plain_http;
	bool allow_http_realm;
	bool allow_private_redirect;
	int token_method; /* enum token_method */
	int expect;	  /* enum setting_expect */
	int http;	  /* HTTP/1.1 in either case */
	int upload;	  /* 0 and 1: PUT first; 2: chunks; 3: one PATCH */
	int mount;	  /* 1: off */
};

struct settings;

/* Reads a file's text; what names it in errors.  ERR_USAGE for what is not understood. */
bool settings_read(
    struct slice yaml, const char *what, struct settings **out, struct err *e) MUST_CHECK;
void settings_free(struct settings *s);
void settings_drop(struct settings **s);

/* What is said of host, "name[:port]" as people write it; never NULL.  s may be NULL. */
const struct host_settings *settings_of(const struct settings *s, const char *host);
