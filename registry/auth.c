#include "registry/account.h"

#include "base/clock.h"
#include "base/own.h"
#include "registry/refusal.h"
#include "registry/scopes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { REPLACED_SECONDS = 2 };

void ticket_drop(struct ticket *t)
{
	secret_buf_drop(&t->value);
	*t = (struct ticket){0};
}

static void token_free(struct token *t)
{
	secret_drop(&t->text);
	free(t->scopes);
	free(t->realm);
	free(t->service);
	free(t);
}

static void drop_tokens(struct auth *a)
{
	while (a->tokens) {
		struct token *next = a->tokens->next;
		token_free(a->tokens);
		a->tokens = next;
	}
}

static void account_free(struct account *one)
{
	login_drop(&one->login);
	free(one->looked);
	free(one);
}

static void drop_seats(struct auth *a)
{
	while (a->seats) {
		struct seat *next = a->seats->next;
		buf_drop(&a->seats->demanded);
		buf_drop(&a->seats->asked);
		free(a->seats->repository);
		free(a->seats);
		a->seats = next;
	}
	while (a->accounts) {
		struct account *next = a->accounts->next;
		account_free(a->accounts);
		a->accounts = next;
	}
}

struct auth *auth_new(const struct auth_config *config)
{
	struct auth *a = own_new(sizeof(*a));

	a->config = *config;
	a->config.host = a->host = own_text(config->host);
	a->config.base = a->base = own_text(config->base);
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	drop_tokens(a);
	drop_seats(a);
	challenge_drop(&a->wanted);
	pthread_mutex_destroy(&a->lock);
	free(a->host);
	free(a->base);
	free(a);
}

static int64_t now(void)
{
	return (int64_t)(clock_ms() / 1000);
}

/* --- Tokens --- */

static void put_scope(const char *repository, enum access access, struct buf *out)
{
	OWNED(buf_drop) struct buf scope = BUF(4096);

	if (!repository || !*repository)
		return;
	buf_adds(&scope, out->len ? " repository:" : "repository:");
	buf_adds(&scope, repository);
	buf_adds(&scope, access == ACCESS_PUSH ? ":pull,push" : ":pull");
	buf_adds(out, buf_text(&scope));
}

/* What a token for the errand must allow: what was demanded first (TOK-10).  A host that we
 * were sent to may have other names for things than the one we asked. */
static void put_scopes(
    const struct auth *a, const struct seat *s, const struct errand *errand, struct buf *out)
{
	OWNED(buf_drop) struct buf own = BUF(SCOPES_MAX);

	if (a->config.origin == HOST_NAMED || !s->demanded.len) {
		put_scope(errand->repository, errand->access, &own);
		put_scope(errand->mount_from, ACCESS_PULL, &own);
	}
	scopes_merge(out, buf_slice(&own));
	scopes_merge(out, buf_slice(&s->demanded));
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static struct token *find_token(
    struct auth *a, const struct account *one, const struct errand *errand, struct slice scopes)
{
	for (struct token *t = a->tokens; t; t = t->next) {
		if (t->account == one && t->anonymous == !account_has(one)
		    && same_text(t->realm, a->wanted.realm)
		    && same_text(t->service, a->wanted.service)
		    && scopes_cover(slice_of(t->scopes), scopes)
		    && token_lives(t->since, t->until, now(), errand->seconds))
			return t;
	}
	return NULL;
}

/* Drops one token; whether it was there. */
static bool forget(struct auth *a, const char *text)
{
	struct token **at = &a->tokens;
	bool any = false;

	while (*at) {
		struct token *t = *at;
		if (strcmp(t->text, text) == 0) {
			*at = t->next;
			token_free(t);
			any = true;
		} else {
			at = &t->next;
		}
	}
	return any;
}

static void keep_token(
    struct auth *a, const struct account *one, const char *scopes, struct token_grant *grant)
{
	struct token *t = own_new(sizeof(*t));
	char *text = STEAL(grant->text);

	*t = (struct token){
	    .next = a->tokens,
	    .account = one,
	    .realm = own_text(a->wanted.realm),
	    .service = own_text(a->wanted.service ? a->wanted.service : ""),
	    .scopes = own_text(scopes),
	    .text = text,
	    .number = ++a->count,
	    .since = now(),
	    .until = now() + grant->seconds,
	    .anonymous = !account_has(one),
	};
	a->tokens = t;
}

static bool fetch_token(struct auth *a, const struct account *one, struct http *h,
    const char *scopes, struct err *e)
{
	OWNED(token_grant_drop) struct token_grant grant = {0};
	const struct token_ask ask = {
	    .host = a->host,
	    .home = a->base,
	    .wanted = &a->wanted,
	    .scopes = scopes,
	    .login = account_has(one) ? &one->login : NULL,
	    .method = a->config.token_method,
	    .facts = &a->facts,
	    .policy = a->config.policy,
	};

	if (!token_fetch(&ask, h, &grant, e))
		return false;
	keep_token(a, one, scopes, &grant);
	return true;
}

/* A login that nobody asked for may be an old one, and what is public needs none (TOK-22). */
static bool without_login(
    struct auth *a, struct account *one, const struct errand *errand, const struct err *refusal)
{
	if (errand->access == ACCESS_PUSH || one->login.named)
		return false;
	one->stale = true;
	watch_warn(a->config.policy->watch, "%.100s: going on without the login %.160s: %.160s",
	    a->host, one->login.source, refusal->text);
	return true;
}

/* A token, as anybody where there is no login; after a refusal, whichever of both was not
 * tried. */
static bool get_token(struct auth *a, struct seat *s, struct http *h,
    const struct errand *errand, const char *scopes, struct err *e)
{
	const bool tried = account_has(s->account);
	struct err failure = {0};

	if (fetch_token(a, s->account, h, scopes, &failure))
		return true;
	if (failure.kind != ERR_DENIED) {
		*e = failure;
		return false;
	}
	if (tried) {
		if (without_login(a, s->account, errand, &failure)
		    && fetch_token(a, s->account, h, scopes, e))
			return true;
		s->account->stale = false;
		return account_refused(a, s->account, failure.text, e);
	}
	const bool asked = s->account->asked;
	if (!account_find(a, s, errand->access, e))
		return false;
	if (asked || !account_has(s->account))
		return account_missing(a, s->account, e);
	return fetch_token(a, s->account, h, scopes, &failure)
	       || (failure.kind == ERR_DENIED ? account_refused(a, s->account, failure.text, e)
					      : err_set(e, failure.kind, "%s", failure.text));
}

static void put_token(struct ticket *out, const char *text)
{
	buf_adds(&out->value, "Bearer ");
	buf_adds(&out->value, text);
}

static bool bearer_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e)
{
	OWNED(buf_drop) struct buf scopes = BUF(SCOPES_MAX);
	struct seat *s = out->seat;

	/* A login of the command line is only shown where anybody's token does not do. */
	if (!credentials_given(a->config.credentials) && !account_find(a, s, errand->access, e))
		return false;
	if (s->account->found && s->account->login.registry_token) {
		put_token(out, s->account->login.registry_token);
		out->fresh = true;
		return buf_ok(&out->value, e);
	}
	put_scopes(a, s, errand, &scopes);
	struct token *t = find_token(a, s->account, errand, buf_slice(&scopes));
	if (!t) {
		if (!get_token(a, s, h, errand, buf_text(&scopes), e))
			return false;
		t = a->tokens;
		out->fresh = true;
		scopes_merge(&s->asked, buf_slice(&scopes));
	}
	out->anonymous = t->anonymous;
	out->number = t->number;
	put_token(out, t->text);
	return buf_ok(&out->value, e);
}

bool auth_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e)
{
	bool ok = true;

	ticket_drop(out);
	out->value = BUF(2 * SECRET_MAX);
	pthread_mutex_lock(&a->lock);
	out->seat = account_seat(a, errand->repository);
	out->mount = errand->mount_from != NULL;
	if (a->wanted.scheme == CHALLENGE_BASIC)
		ok = account_basic(a, h, errand, out, e);
	else if (a->wanted.scheme == CHALLENGE_BEARER)
		ok = bearer_ticket(a, h, errand, out, e);
	pthread_mutex_unlock(&a->lock);
	return ok;
}

/* --- Learning --- */

/* Where tokens come from must be no worse protected than the registry itself (CHL-08). */
static bool resolve_realm(
    const struct auth *a, const char *url, struct challenge *c, struct err *e)
{
	OWNED(buf_drop) struct buf realm = BUF(0);

	if (c->scheme != CHALLENGE_BEARER)
		return true;
	if (!http_url_join(url, c->realm, &realm, e)) {
		e->kind = ERR_DENIED;
		return err_in(e, "%.120s: its token service", a->host);
	}
	if (!realm_check(a->base, buf_text(&realm), a->host, a->config.realm_trust, e))
		return false;
	free(c->realm);
	c->realm = own_text(buf_text(&realm));
	return true;
}

static bool read_challenge(
    struct auth *a, const struct http_answer *answer, struct challenge *out, struct err *e)
{
	if (!challenge_read(buf_slice(&answer->challenges), out, e))
		return err_in(e, "%.160s: 401", a->host);
	return resolve_realm(a, answer->url, out, e);
}

/* Some hosts say what they want only at their front door (CHL-03). */
static bool ask_door(struct auth *a, struct http *h, struct challenge *out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};
	OWNED(buf_drop) struct buf url = BUF(4096);

	buf_adds(&url, a->base);
	buf_adds(&url, "/v2/");
	const struct http_request r = {.method = HTTP_GET,
	    .url = buf_text(&url),
	    .home = a->base,
	    .body_max = REFUSAL_BODY_MAX};
	return token_send(a->config.policy, h, &r, &answer, e)
	       && read_challenge(a, &answer, out, e);
}

static bool learn(struct auth *a, const struct ticket *used, struct http *h,
    const struct http_answer *answer, struct err *e)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err first = {0};

	if (!read_challenge(a, answer, &c, &first)) {
		challenge_drop(&c);
		if (a->wanted.scheme != CHALLENGE_NONE)
			return true;
		if (!ask_door(a, h, &c, e)) {
			*e = first;
			return false;
		}
	}
	if (c.scheme == CHALLENGE_BEARER && c.scope && !used->mount)
		scopes_merge(&used->seat->demanded, slice_of(c.scope));
	/* What a host once wanted it goes on wanting (CHL-10), but for the place of tokens. */
	if (a->wanted.scheme == CHALLENGE_NONE || c.scheme == CHALLENGE_BEARER) {
		challenge_drop(&a->wanted);
		a->wanted = STEAL(c);
	}
	return true;
}

static bool denied(const struct auth *a, const struct account *one,
    const struct http_answer *answer, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);

	if (!account_has(one))
		return account_missing(a, one, e);
	refusal_text(answer, &said);
	return account_refused(a, one, buf_text(&said), e);
}

/* error="invalid_token": the token is no good anywhere. */
static bool names_dead(const struct http_answer *answer)
{
	return strstr(buf_text(&answer->challenges), "\"invalid_token\"") != NULL;
}

/* error="insufficient_scope": the token lacks a right, which one new token may have. */
static bool lacks_right(struct seat *s, const struct http_answer *answer)
{
	const bool before = s->rescoped;

	if (!strstr(buf_text(&answer->challenges), "\"insufficient_scope\""))
		return false;
	s->rescoped = true;
	return before;
}

/* A token was got for this very request and does not do: anybody's may be bettered by a login,
 * and one that lacks a scope which only this answer names by one more question (CHL-06). */
static bool fresh_refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e)
{
	struct seat *s = used->seat;
	struct err ignored = {0};

	if (s->account->login.registry_token)
		return denied(a, s->account, answer, e);
	/* It was dead when it came, as of a service whose clock is wrong (TOK-15). */
	if (!used->renewed && names_dead(answer)) {
		(void)forget(a, buf_text(&used->value) + strlen("Bearer "));
		return true;
	}
	/* What a mount lacks says nothing of the repository itself. */
	if (!used->mount)
		s->useless = used->number;
	const bool learnt = learn(a, used, h, answer, &ignored)
			    && !scopes_cover(buf_slice(&s->asked), buf_slice(&s->demanded));
	if (!used->anonymous)
		return learnt || denied(a, s->account, answer, e);
	const bool stale = s->account->stale;
	if (!account_find(a, s, ACCESS_PULL, e))
		return false;
	if (stale)
		return learnt || denied(a, s->account, answer, e);
	return account_has(s->account) || learnt || account_missing(a, s->account, e);
}

/* A token that took the place of a refused one a moment ago, got by whichever worker: the next
 * would do no better (CHL-06, TOK-19). */
static bool just_replaced(const struct auth *a, const struct ticket *used)
{
	for (const struct token *t = a->tokens; t; t = t->next) {
		if (t->number == used->number)
			return used->seat->dropped && t->number > used->seat->dropped
			       && now() - t->since <= REPLACED_SECONDS;
	}
	return false;
}

static bool refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e)
{
	const char *value = buf_text(&used->value);
	struct err ignored = {0};

	if (!used->value.len && a->wanted.scheme == CHALLENGE_NONE)
		return learn(a, used, h, answer, e);
	if (!used->value.len) {
		(void)learn(a, used, h, answer, &ignored);
		return true;
	}
	if (strncmp(value, "Bearer ", 7) != 0)
		return denied(a, used->seat->account, answer, e);
	/* One that was new stays: it lacks a right, and the next would lack it, too. */
	if (used->fresh)
		return fresh_refused(a, h, answer, used, e);
	/* Another worker got a newer one meanwhile, which does not do either (TOK-19). */
	if (!used->mount
	    && (used->number <= used->seat->useless || just_replaced(a, used)
		|| lacks_right(used->seat, answer)))
		return denied(a, used->seat->account, answer, e);
	if (forget(a, value + 7))
		used->seat->dropped = used->number;
	(void)learn(a, used, h, answer, &ignored);
	return true;
}

bool auth_refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e)
{
	pthread_mutex_lock(&a->lock);
	const bool ok = refused(a, h, answer, used, e);
	pthread_mutex_unlock(&a->lock);
	return ok;
}

bool auth_doubted(struct auth *a, const struct ticket *used)
{
	const char *value = buf_text(&used->value);

	if (used->fresh || strncmp(value, "Bearer ", 7) != 0)
		return false;
	pthread_mutex_lock(&a->lock);
	const bool dropped = forget(a, value + 7);
	pthread_mutex_unlock(&a->lock);
	return dropped;
}
