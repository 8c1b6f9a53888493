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

/* The words of settings, in the order of their table. */
enum setting_expect { EXPECT_AUTO, EXPECT_OFF };
enum setting_upload {
	SETTING_UPLOAD_AUTO,
	SETTING_UPLOAD_PUT,
	SETTING_UPLOAD_CHUNKS,
	SETTING_UPLOAD_PATCH,
};
enum setting_http { SETTING_HTTP_AUTO, SETTING_HTTP_1_1, SETTING_HTTP_2 };
enum setting_mount { SETTING_MOUNT_ON, SETTING_MOUNT_OFF };
enum setting_referrers {
	SETTING_REFERRERS_AUTO,
	SETTING_REFERRERS_API,
	SETTING_REFERRERS_TAG,
	SETTING_REFERRERS_OFF,
};
enum setting_foreign { SETTING_FOREIGN_UPLOAD, SETTING_FOREIGN_LEAVE };

struct setting_number {
	bool said;
	uint64_t value;
};

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
	int http;	  /* enum setting_http */
	int upload;	  /* enum setting_upload */
	int mount;	  /* enum setting_mount */
	int referrers;	  /* enum setting_referrers */
	int sparse;	  /* bundles hold none that are: always 0 */
	int foreign;	  /* enum setting_foreign: layers that may not be copied everywhere */
	struct setting_number chunk_size;   /* bytes of the first PATCH */
	struct setting_number parallel;	    /* requests at the same time */
	struct setting_number retry_max;    /* attempts after the first */
	struct setting_number retry_total;  /* seconds */
	struct setting_number max_manifest; /* bytes */
	const char *on_missing_repo;	    /* a command */
};

struct settings;

/* Reads a file's text; what names it in errors.  ERR_USAGE for what is not understood. */
bool settings_read(
    struct slice yaml, const char *what, struct settings **out, struct err *e) MUST_CHECK;
void settings_free(struct settings *s);
void settings_drop(struct settings **s);

/* What is said of host, "name[:port]" as people write it; never NULL.  s may be NULL. */
const struct host_settings *settings_of(const struct settings *s, const char *host);
