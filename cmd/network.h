/*
 * The options by which hosts are reached, shared by every verb that uses the network.
 */
#pragma once

#include "base/buf.h"
#include "cmd/options.h"
#include "registry/registry.h"

struct network_options {
	const char *username;
	bool password_stdin;
	const char *auth_file;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	bool insecure;
	bool plain_http;
	struct number jobs;
	struct number retries;
	const char *limit_rate;
	const char *config;
	struct number retry_wait;      /* milliseconds */
	struct number retry_total;     /* seconds */
	struct number retry_after_max; /* seconds */
};
extern const struct option network_options[];

enum {
	JOBS_DEFAULT = 4,
	JOBS_MAX = 64,
	RETRIES_DEFAULT = 5,
	RETRY_WAIT_DEFAULT = 500, /* milliseconds */
};

/* How a verb reaches the network: every registry it meets and one connection a worker. */
struct network {
	struct registries *registries;
	struct http **workers;
	size_t jobs;
	struct http_config http;
	struct watch *watch;	   /* who is told; borrowed */
	struct settings *settings; /* NULL where there is no file of them */
	char *password;		   /* wiped when dropped */
};

/* Reads the password when one is to be read, and makes everything ready; asks no host.
 * mirrors are "HOST=URL" texts. */
bool network_open(const struct network_options *o, const struct texts *mirrors,
    struct watch *watch, struct network *out, struct err *e) MUST_CHECK;
void network_drop(struct network *n);
