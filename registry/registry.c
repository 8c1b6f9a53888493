#include "registry/registry.h"

#include "base/own.h"
#include "registry/registry_parts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { UPLOAD_RATE = 1024 * 1024 }; /* bytes a second, before one was measured */

struct registries {
	struct registry_config config;
	struct retry_policy policy;
	struct credentials *credentials;
	struct mirrors mirrors;
	pthread_mutex_t lock;
	struct registry *first; /* under lock; entries stay */
};

bool registries_new(
    const struct registry_config *config, struct registries **out, struct err *e)
{
	OWNED(registries_drop) struct registries *r = own_new(sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	r->config = *config;
	r->config.mirrors = NULL;
	r->policy = (struct retry_policy){.retries = config->retries,
	    .base_ms = config->retry_base_ms,
	    .total_ms = config->retry_total_ms,
	    .after_most_ms = config->retry_after_most_ms,
	    .watch = config->watch};
	r->credentials = credentials_new(
	    config->username, config->password, config->auth_file, config->watch);
	if (!mirrors_read(config->mirrors, config->mirror_count, &r->mirrors, e))
		return false;
	*out = STEAL(r);
	return true;
}

static void registry_free(struct registry *one)
{
	auth_free(one->auth);
	warnings_drop(&one->warnings);
	turns_drop(&one->turns);
	free(one->host);
	free(one->base);
	free(one);
}

void registries_free(struct registries *r)
{
	if (!r)
		return;
	while (r->first) {
		struct registry *next = r->first->next;
		registry_free(r->first);
		r->first = next;
	}
	mirrors_drop(&r->mirrors);
	credentials_free(r->credentials);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void registries_drop(struct registries **r)
{
	registries_free(*r);
	*r = NULL;
}
/* What an option says holds for all hosts; a setting for its own, where no option does. */
static struct retry_policy policy_for(const struct registries *r, const struct host_settings *s)
{
	struct retry_policy p = r->policy;

	if (s->retry_max.said && !r->config.retries_said)
		p.retries = (unsigned)s->retry_max.value;
	if (!p.total_ms)
		p.total_ms = s->retry_total.value * 1000;
	return p;
}

static struct registry *make(
    struct registries *r, const char *host, const char *base, enum host_origin origin)
{
	struct registry *one = own_new(sizeof(*one));
	const struct host_settings *s = settings_of(r->config.http.settings, host);

	*one = (struct registry){
	    .next = r->first,
	    .all = r,
	    .settings = s,
	    .host = own_text(host),
	    .base = own_text(base),
	    .origin = origin,
	    .policy = policy_for(r, s),
	    .upload_rate = UPLOAD_RATE,
	    .learned = {.watch = r->config.watch},
	};
	one->learned.host = one->host;
	learned_assume(&one->learned, s);
	const struct auth_config auth = {
	    .host = host,
	    .base = base,
	    .origin = origin,
	    .credentials = r->credentials,
	    .policy = &one->policy,
	    .facts = &one->learned.facts,
	    .token_method = (enum token_method)s->token_method,
	    .realm_trust = s->allow_http_realm ? REALM_ANY : REALM_GUARDED,
	};

	one->auth = auth_new(&auth);
	warnings_init(&one->warnings);
	turns_init(&one->turns, s->parallel.value);
	r->first = one;
	return one;
}

static struct registry *find_or_make(
    struct registries *r, const char *host, const char *base, enum host_origin origin)
{
	pthread_mutex_lock(&r->lock);
	struct registry *one = r->first;
	while (one
	       && (strcmp(one->base, base) != 0 || strcmp(one->host, host) != 0
		   || one->origin != origin))
		one = one->next;
	if (!one)
		one = make(r, host, base, origin);
	pthread_mutex_unlock(&r->lock);
	return one;
}

static bool at_url(struct registries *r, struct http *http, const char *url,
    enum host_origin origin, struct repository *out, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	OWNED(buf_drop) struct buf host = BUF(1024);
	OWNED(buf_drop) struct buf base = BUF(1024);

	if (!http_url_parts(url, &u, e))
		return false;
	url_parts_origin(&u, &host, &base);
	if (!buf_ok(&base, e))
		return false;
	*out = (struct repository){
	    .registry = find_or_make(r, buf_text(&host), buf_text(&base), origin),
	    .http = http};
	return true;
}

static bool put_path(
    struct repository *out, const char *prefix, const char *path, struct err *e)
{
	if (strlen(prefix) + strlen(path) >= sizeof(out->path))
		return err_set(
		    e, ERR_LIMIT, "repository %s%.100s: the name is too long", prefix, path);
	(void)memcpy(out->path, prefix, strlen(prefix) + 1);
	(void)memcpy(out->path + strlen(prefix), path, strlen(path) + 1);
	return true;
}

static bool plain_http(const struct registries *r, const char *host)
{
	return r->config.plain_http || settings_of(r->config.http.settings, host)->plain_http;
}

bool registries_repository(struct registries *r, struct http *http, const char *host,
    const char *path, struct repository *out, struct err *e)
{
	const struct mirrored *place = mirrors_find(&r->mirrors, host);
	OWNED(buf_drop) struct buf base = BUF(1024);

	if (place)
		return at_url(r, http, place->base, HOST_NAMED, out, e)
		       && put_path(out, place->prefix, path, e);
	buf_adds(&base, plain_http(r, host) ? "http://" : "https://");
	buf_adds(&base, reference_api_host(host));
	*out = (struct repository){
	    .registry = find_or_make(r, host, buf_text(&base), HOST_NAMED), .http = http};
	return buf_ok(&base, e) && put_path(out, "", path, e);
}

bool registries_redirected(struct registries *r, struct http *http, const char *url,
    struct repository *out, struct err *e)
{
	return at_url(r, http, url, HOST_REDIRECTED, out, e);
}

bool registries_origin(struct registries *r, struct http *http, const char *url,
    struct repository *out, struct err *e)
{
	return at_url(r, http, url, HOST_NAMED, out, e);
}
const struct mirrors *registries_mirrors(const struct registries *r)
{
	return &r->mirrors;
}

const char *registry_host(const struct registry *r)
{
	return r->host;
}

const char *registry_base(const struct registry *r)
{
	return r->base;
}

const struct host_settings *registry_settings(const struct registry *r)
{
	return r->settings;
}

struct learned *registry_learned(struct registry *r)
{
	return &r->learned;
}

const struct retry_policy *registry_policy(const struct registry *r)
{
	return &r->policy;
}

struct retry registry_retry(struct registry *r)
{
	return (struct retry){.policy = &r->policy, .pause = &r->pause};
}

bool registry_url(const struct repository *at, const char *kind, const char *which,
    struct buf *out, struct err *e)
{
	const char *const parts[] = {
	    at->registry->base, "/v2/", at->path, "/", kind, "/", which};

	*out = BUF(4096);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_adds(out, parts[i]);
	return buf_ok(out, e);
}

const char *registry_doing(const struct repository *at, enum http_method method,
    const char *kind, const char *which, char out[REGISTRY_DOING_MAX])
{
	static const char *const verbs[] = {[HTTP_GET] = "GET",
	    [HTTP_HEAD] = "HEAD",
	    [HTTP_POST] = "POST",
	    [HTTP_PUT] = "PUT",
	    [HTTP_PATCH] = "PATCH"};

	(void)snprintf(out, REGISTRY_DOING_MAX, "%s %.80s: %s %.160s of %.160s", verbs[method],
	    at->registry->host, kind, which, at->path);
	return out;
}
