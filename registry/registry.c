#include "registry/registry.h"

#include "base/clock.h"
#include "base/own.h"
#include "registry/refusal.h"
#include "registry/turns.h"
#include "registry/warnings.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	ATTEMPTS_MAX = 4, /* of one request: without leave, an old token, anybody's, our own */
	UPLOAD_RATE = 1024 * 1024,	/* bytes a second, before one was measured */
	UPLOAD_MEASURED = 1024 * 1024,	/* bodies of so many bytes tell a rate */
	EXPECT_LEAST = 1024 * 1024 + 1, /* bytes of a body that is announced first */
	UPLOAD_MARGIN = 10,		/* seconds that a token lives longer (TOK-14) */
};

/* A mirror of the configuration, taken apart. */
struct place {
	char *host;   /* as names say it */
	char *base;   /* http://127.0.0.1:5001 */
	char *prefix; /* "" or "prefix/", for repositories */
};

struct registry {
	struct registry *next;
	struct registries *all;
	char *host;
	char *base;
	enum host_origin origin;
	struct auth *auth;
	const struct host_settings *settings;
	struct retry_policy policy;
	struct turns turns;
	_Atomic uint64_t upload_rate; /* bytes a second, of the last body of some size */
	struct learned learned;
	struct pause pause;
	struct warnings warnings;
};

struct registries {
	struct registry_config config;
	struct retry_policy policy;
	struct credentials *credentials;
	struct place *places;
	size_t place_count;
	pthread_mutex_t lock;
	struct registry *first; /* under lock; entries stay */
};

/* "host[:port]" and "scheme://host[:port]" of a URL. */
static void put_origin(const struct url_parts *u, struct buf *host, struct buf *base)
{
	buf_adds(host, u->host);
	buf_adds(host, u->port ? ":" : "");
	buf_adds(host, u->port ? u->port : "");
	buf_adds(base, u->scheme);
	buf_adds(base, "://");
	buf_adds(base, buf_text(host));
}

static bool read_mirror(const struct mirror *m, struct place *out, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	OWNED(buf_drop) struct buf host = BUF(1024);
	OWNED(buf_drop) struct buf base = BUF(1024);

	if (!http_url_parts(m->url, &u, e)) {
		e->kind = ERR_USAGE;
		return err_in(e, "--mirror %.100s", m->host);
	}
	if (u.userinfo || u.query)
		return err_set(e, ERR_USAGE,
		    "--mirror %.100s: expected an address without a user name and without "
		    "\"?\"; "
		    "logins go into --authfile",
		    m->host);
	put_origin(&u, &host, &base);
	struct slice path = u.path ? slice_of(u.path) : slice_of("");
	while (path.len && path.ptr[0] == '/')
		path = slice_at(path.ptr + 1, path.len - 1);
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	OWNED(buf_drop) struct buf prefix = BUF(REFERENCE_PATH_MAX);
	buf_add(&prefix, path.ptr, path.len);
	buf_adds(&prefix, path.len ? "/" : "");
	if (!buf_ok(&prefix, e) || !buf_ok(&base, e))
		return err_in(e, "--mirror %.100s", m->host);
	*out = (struct place){
	    own_text(m->host), own_text(buf_text(&base)), own_text(buf_text(&prefix))};
	return true;
}

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
	r->places = own_array(config->mirror_count, sizeof(*r->places));
	for (size_t i = 0; i < config->mirror_count; i++) {
		if (!read_mirror(&config->mirrors[i], &r->places[i], e))
			return false;
		r->place_count++;
	}
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
	for (size_t i = 0; i < r->place_count; i++) {
		free(r->places[i].host);
		free(r->places[i].base);
		free(r->places[i].prefix);
	}
	free(r->places);
	credentials_free(r->credentials);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void registries_drop(struct registries **r)
{
	registries_free(*r);
	*r = NULL;
}

static const struct place *find_place(const struct registries *r, const char *host)
{
	for (size_t i = 0; i < r->place_count; i++) {
		if (strcasecmp(r->places[i].host, host) == 0)
			return &r->places[i];
	}
	return NULL;
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
	put_origin(&u, &host, &base);
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
	const struct place *place = find_place(r, host);
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

bool registries_origin(struct registries *r, struct http *http, const char *url,
    struct repository *out, struct err *e)
{
	return at_url(r, http, url, HOST_NAMED, out, e);
}

bool registries_mirrored(
    const struct registries *r, const char *url, struct buf *out, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts u = {0};
	OWNED(buf_drop) struct buf host = BUF(1024);
	OWNED(buf_drop) struct buf base = BUF(1024);

	*out = BUF(64 * 1024);
	if (!http_url_parts(url, &u, e))
		return false;
	put_origin(&u, &host, &base);
	const struct place *place = find_place(r, buf_text(&host));
	if (!place) {
		buf_adds(out, url);
		return buf_ok(out, e);
	}
	buf_adds(out, place->base);
	buf_adds(out, "/");
	buf_adds(out, place->prefix);
	buf_adds(out, u.path && u.path[0] == '/' ? u.path + 1 : "");
	buf_adds(out, u.query ? "?" : "");
	buf_adds(out, u.query ? u.query : "");
	return buf_ok(out, e);
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

static bool rewind_body(const struct http_request *r, struct err *e)
{
	if (!r->body)
		return true;
	if (!r->body->rewind)
		return err_set(e, ERR_NETWORK, "the body of a request cannot be sent twice");
	return r->body->rewind(r->body, e);
}

/* --- One request with leave (registry_try) --- */

/* Seconds that the request is likely to take, which a token must outlive (TOK-14). */
static uint64_t likely_seconds(struct registry *reg, const struct http_request *r)
{
	if (r->method != HTTP_PUT && !r->body)
		return 0;
	return r->body_size / atomic_load(&reg->upload_rate) + UPLOAD_MARGIN;
}

static bool send_measured(struct registry *reg, struct http *http, struct http_request *r,
    struct http_answer *a, struct err *e)
{
	if (!pause_wait(&reg->pause, e))
		return false;
	/* For less than this the answer to Expect is a round trip for nothing (UPL-19). */
	r->no_expect = r->no_expect || r->body_size < EXPECT_LEAST;
	r->no_http2 = quirk_known(&reg->learned.facts, QUIRK_NO_HTTP2);
	turns_take(&reg->turns);
	const uint64_t began = clock_ms();
	const bool sent = http_send(http, r, a, e);
	turns_give(&reg->turns);
	if (a->http2_broken)
		learned_quirk(&reg->learned, QUIRK_NO_HTTP2);
	const uint64_t spent = clock_ms() - began;
	warnings_tell(&reg->warnings, a, reg->host, reg->all->config.watch);

	if (sent && a->status < 300 && r->body && r->body_size >= UPLOAD_MEASURED)
		atomic_store(&reg->upload_rate, r->body_size * 1000 / (spent + 1) + 1);
	return sent;
}

/* Whether a body broke off as it does where a proxy turns a 401 into something else (TOK-16):
 * the token is dropped, and a new one may do better. */
static bool doubtful(struct registry *reg, const struct http_request *r, bool sent,
    const struct http_answer *a, const struct ticket *ticket)
{
	return r->body && ((sent && a->status == 502) || (!sent && a->may_pass))
	       && auth_doubted(reg->auth, ticket);
}

/* What one attempt came to. */
enum turn { TURN_DONE, TURN_AGAIN, TURN_FAILED };

static enum turn judge_turn(const struct repository *at, struct http_request *r, bool sent,
    struct http_answer *a, const struct ticket *ticket, struct err *e)
{
	struct registry *reg = at->registry;

	if (doubtful(reg, r, sent, a, ticket)) {
		err_clear(e);
		return rewind_body(r, e) ? TURN_AGAIN : TURN_FAILED;
	}
	if (!sent)
		return TURN_FAILED;
	if (a->status != 401 || !http_url_same_origin(reg->base, a->url))
		return TURN_DONE;
	if (!auth_refused(reg->auth, at->http, a, ticket, e) || !rewind_body(r, e))
		return TURN_FAILED;
	return TURN_AGAIN;
}

/* The request to its own host, r->url's, with what leave that host wants. */
static bool try_here(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e)
{
	struct registry *reg = at->registry;
	const struct errand errand = {
	    .repository = at->path,
	    .mount_from = at->mount_from,
	    .access = access,
	    .seconds = likely_seconds(reg, r),
	};

	uint64_t refused = 0;

	r->home = reg->base;
	for (int attempt = 0;; attempt++) {
		OWNED(ticket_drop) struct ticket ticket = {0};
		if (!auth_ticket(reg->auth, at->http, &errand, &ticket, e))
			return false;
		/* What another worker got since our last try is new to this request (CHL-06).
		 */
		ticket.fresh = ticket.fresh || (refused && ticket.number > refused);
		ticket.renewed = refused != 0;
		refused = ticket.number;
		r->authorization = ticket.value.len ? buf_text(&ticket.value) : NULL;
		const bool sent = send_measured(reg, at->http, r, a, e);
		r->authorization = NULL;
		const enum turn turn = judge_turn(at, r, sent, a, &ticket, e);
		if (turn != TURN_AGAIN || attempt >= ATTEMPTS_MAX)
			return turn != TURN_FAILED;
	}
}

/* A 401 of a host that a redirect led to is that host's own challenge: it gets what leave
 * there is for it, and nothing of ours (CHL-12). */
static bool try_there(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e)
{
	struct registries *all = at->registry->all;
	const char *url = r->url;
	OWNED(drop_text) char *there = own_text(a->url);
	struct repository to = {0};

	if (!rewind_body(r, e) || !at_url(all, at->http, there, HOST_REDIRECTED, &to, e))
		return false;
	(void)memcpy(to.path, at->path, sizeof(to.path));
	r->url = there;
	const bool ok = try_here(&to, access, r, a, e);
	r->url = url;
	return ok;
}

bool registry_try(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e)
{
	const struct registry *reg = at->registry;

	http_answer_drop(a);
	if (!at->everywhere && !http_url_same_origin(reg->base, r->url))
		return http_send(at->http, r, a, e);
	if (!try_here(at, access, r, a, e))
		return false;
	if (a->status != 401 || http_url_same_origin(reg->base, a->url))
		return true;
	return try_there(at, access, r, a, e);
}

bool registry_send(const struct repository *at, enum access access, struct http_request *r,
    const char *doing, struct http_answer *a, struct err *e)
{
	struct retry retry = registry_retry(at->registry);

	for (;;) {
		const bool sent = registry_try(at, access, r, a, e);
		if (sent && !refusal_passes(a))
			return true;
		if (sent)
			(void)refusal(a, doing, e);
		if ((!sent && !a->may_pass) || !retry_again(&retry, a, e))
			return false;
		if (!rewind_body(r, e))
			return false;
	}
}

/* An answer of the registry itself that says: not now. */
static bool is_busy(const struct registry *reg, const struct http_answer *a)
{
	return retry_status(a->status) && a->status != 500
	       && http_url_same_origin(reg->base, a->url);
}

bool registry_ask(const struct repository *at, enum access access, struct http_request *r,
    struct http_answer *a, struct err *e)
{
	struct registry *reg = at->registry;
	const struct errand errand = {.repository = at->path, .access = access};
	struct retry retry = {.policy = registry_policy(reg)};

	r->home = reg->base;
	for (;;) {
		OWNED(ticket_drop) struct ticket ticket = {0};
		if (!auth_ticket(reg->auth, at->http, &errand, &ticket, e))
			return false;
		r->authorization = ticket.value.len ? buf_text(&ticket.value) : NULL;
		const bool sent = http_send(at->http, r, a, e);
		r->authorization = NULL;
		if (sent && !is_busy(reg, a))
			return true;
		if (sent)
			(void)refusal(a, r->url, e);
		if ((!sent && !a->may_pass) || !retry_again(&retry, a, e))
			return false;
	}
}

bool registry_requests_left(struct registry *r, uint64_t *left)
{
	return warnings_left(&r->warnings, left);
}

bool registry_ping(const struct repository *at, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};
	OWNED(buf_drop) struct buf url = BUF(1024);
	char doing[REGISTRY_DOING_MAX];

	buf_adds(&url, at->registry->base);
	buf_adds(&url, "/v2/");
	struct http_request r = {.method = HTTP_GET,
	    .url = buf_text(&url),
	    .home = at->registry->base,
	    .body_max = REFUSAL_BODY_MAX};
	(void)snprintf(doing, sizeof(doing), "GET %.80s/v2/", at->registry->base);
	struct retry retry = registry_retry(at->registry);
	for (;;) {
		const bool sent = http_send(at->http, &r, &answer, e);
		if (sent && !is_busy(at->registry, &answer))
			break;
		if (sent)
			(void)refusal(&answer, doing, e);
		if ((!sent && !answer.may_pass) || !retry_again(&retry, &answer, e))
			return false;
	}
	if ((answer.status == 200 && !refusal_is_page(&answer)) || answer.status == 401)
		return true;
	return refusal(&answer, doing, e);
}
