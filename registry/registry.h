/*
 * The registries that a run talks to: for each the endpoint, credentials, tokens, limits and
 * what was learnt of it, shared by all workers.
 */
#pragma once

#include "manifests/image.h"
#include "manifests/reference.h"
#include "manifests/watch.h"
#include "registry/auth.h"
#include "registry/learned.h"
#include "registry/mirrors.h"

struct registry_config {
	struct http_config http;
	/* Borrowed as long as the registries live: the login for the one host that needs one
	 * (NULL: from the files), and --authfile (NULL: the usual places; CRD-01, CRD-02). */
	const char *username;
	const char *password;
	const char *auth_file;
	bool plain_http;
	unsigned retries;	      /* attempts after the first */
	bool retries_said;	      /* by a person: then no setting changes them */
	uint64_t retry_total_ms;      /* of all attempts at one thing; 0: the default */
	uint64_t retry_after_most_ms; /* of a wait that a registry asks for; 0: the default */
	unsigned retry_base_ms;	      /* first wait of the back-off; 0: the default */
	const struct mirror *mirrors; /* copied */
	size_t mirror_count;
	struct watch *watch; /* may be NULL */
};

/* All registries of a run; safe to use from many threads. */
struct registries;
bool registries_new(
    const struct registry_config *config, struct registries **out, struct err *e) MUST_CHECK;
void registries_free(struct registries *r);
void registries_drop(struct registries **r);

/* One host, its credentials and its token cache; owned by its registries. */
struct registry;

/* A repository as one worker sees it: a value, cheap to make. */
struct repository {
	struct registry *registry;
	struct http *http; /* the worker's */
	bool everywhere;   /* its login goes to other origins as well: --pass-credentials */
	char path[2 * (REFERENCE_PATH_MAX + 1)]; /* with a mirror's prefix */
	const char *mount_from; /* a repository of the same host that is read, too (TOK-12) */
};

/* The repository of a reference, by mirror where one is set; asks nothing of the network. */
bool registries_repository(struct registries *r, struct http *http, const char *host,
    const char *path, struct repository *out, struct err *e) MUST_CHECK;

/* The origin of a URL as a place to ask, path "" and no mirror applied. */
bool registries_origin(struct registries *r, struct http *http, const char *url,
    struct repository *out, struct err *e) MUST_CHECK;

/* Where things are fetched instead; lives as long as the registries. */
const struct mirrors *registries_mirrors(const struct registries *r);

/* --- For pull, push and chartrepo --- */

/* Every type a manifest may have: a registry that is not told all of them converts (MAN-01). */
#define REGISTRY_MANIFEST_TYPES                                                                \
	MEDIA_OCI_MANIFEST ", " MEDIA_OCI_INDEX ", " MEDIA_DOCKER_MANIFEST                     \
			   ", " MEDIA_DOCKER_LIST ", */*;q=0.1"

/* "host[:port]" as people write it, and "https://host[:port]". */
const char *registry_host(const struct registry *r);
const char *registry_base(const struct registry *r);
const struct retry_policy *registry_policy(const struct registry *r);

/* Something that is tried with its policy, and with everybody's pause. */
struct retry registry_retry(struct registry *r);
struct learned *registry_learned(struct registry *r);

/* What a person said of it; never NULL. */
const struct host_settings *registry_settings(const struct registry *r);

/* The address of a repository's thing: kind "manifests", "blobs", …, and which. */
bool registry_url(const struct repository *at, const char *kind, const char *which,
    struct buf *out, struct err *e) MUST_CHECK;

/* "GET host: blob sha256:… of team/app" into out, which is returned. */
enum { REGISTRY_DOING_MAX = 1024 };
const char *registry_doing(const struct repository *at, enum http_method method,
    const char *kind, const char *which, char out[REGISTRY_DOING_MAX]);
