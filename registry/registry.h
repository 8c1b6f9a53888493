/*
 * The registries that a run talks to: for each the endpoint, credentials, tokens, limits and what
 * was learnt of it, shared by all workers.
 */
#pragma once

#include "manifests/reference.h"
#include "manifests/watch.h"
#include "registry/http.h"

struct mirror {
	const char *host; /* as names say it: registry.immuta.com */
	const char *url;  /* where it is fetched: http://127.0.0.1:5001/prefix */
};

struct registry_config {
	struct http_config http;
	const char *username; /* for the one host that needs a login; NULL: from the files */
	const char *password; /* borrowed; wiped by its owner */
	const char *auth_file; /* --authfile; NULL: the usual places (CRD-01, CRD-02) */
	bool plain_http;
	unsigned retries;          /* attempts after the first */
	unsigned retry_base_ms;    /* first wait of the back-off; 0: the default */
	const struct mirror *mirrors;
	size_t mirror_count;
	struct watch *watch; /* may be NULL */
};

/* All registries of a run; safe to use from many threads. */
struct registries;
bool registries_new(const struct registry_config *config, struct registries **out, struct err *e)
    MUST_CHECK;
void registries_free(struct registries *r);
void registries_drop(struct registries **r);

/* One host, its credentials and its token cache; owned by its registries. */
struct registry;

/* A repository as one worker sees it: a value, cheap to make. */
struct repository {
	struct registry *registry;
	struct http *http; /* the worker's */
	char path[REFERENCE_PATH_MAX + 1 + 256]; /* with a mirror's prefix */
};

/* The repository of a reference, by mirror where one is set; asks nothing of the network. */
bool registries_repository(struct registries *r, struct http *http, const char *host, const char *path,
    struct repository *out, struct err *e) MUST_CHECK;

/* GET /v2/ (CHL-01, CHL-02): ERR_NETWORK when nothing like a registry answers there. */
bool registry_ping(const struct repository *at, struct err *e) MUST_CHECK;
