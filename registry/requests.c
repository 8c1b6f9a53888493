#include "registry/requests.h"

#include "base/clock.h"
#include "base/own.h"
#include "registry/refusal.h"
#include "registry/registry_parts.h"

#include <stdatomic.h>
#include <string.h>

enum {
	ATTEMPTS_MAX = 4, /* of one request: without leave, an old token, anybody's, our own */
	UPLOAD_MEASURED = 1024 * 1024,	/* bodies of so many bytes tell a rate */
	EXPECT_LEAST = 1024 * 1024 + 1, /* bytes of a body that is announced first */
	UPLOAD_MARGIN = 10,		/* seconds that a token lives longer (TOK-14) */
};
static bool rewind_body(const struct http_request *r, struct err *e)
{
	if (!r->body)
		return true;
	if (!r->body->rewind)
		return err_set(e, ERR_NETWORK, "the body of a request cannot be sent twice");
	return r->body->rewind(r->body, e);
}

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
	warnings_tell(&reg->warnings, a, reg->host, reg->policy.watch);

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
	const char *url = r->url;
	OWNED(drop_text) char *there = own_text(a->url);
	struct repository to = {0};

	if (!rewind_body(r, e)
	    || !registries_redirected(at->registry->all, at->http, there, &to, e))
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
