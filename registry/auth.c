#include "registry/auth.h"

#include "base/own.h"
#include "registry/refusal.h"
#include "registry/scopes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPLACED_SECONDS = 2 };

/* What a token was given for (TOK-13), besides its host. */
struct token {
	struct token *next;
	const struct account *account;
	char *realm;
	char *service;
	char *scopes;
	char *text;
	uint64_t number;
	int64_t since; /* monotonic seconds */
	int64_t until;
	bool anonymous;
};

/* A login at this host, or that there is none. */
struct account {
	struct account *next;
	struct login login;
	bool asked;   /* login is what there is */
	bool found;   /* there is one */
	bool stale;   /* it was refused, and nobody had asked for it (TOK-22) */
	bool proved;  /* Basic was let in once */
	bool refused; /* and never will be (BAS-03) */
	char *looked; /* where a login was looked for */
};

/* One repository: whose login is used there, and what it was seen to want. */
struct seat {
	struct seat *next;
	char *repository;
	struct account *account;
	struct buf demanded; /* scopes of its challenges */
	struct buf asked;    /* scopes that tokens were fetched for */
	uint64_t dropped;    /* the last token that was refused and dropped */
	bool rescoped;	     /* a right lacked, and a new token was asked for (CHL-06) */
	uint64_t useless;    /* the last token that was new and did not do */
};

struct auth {
	struct auth_config config;
	char *host;
	char *base;
	pthread_mutex_t lock; /* for all below, and held while a token is fetched */
	struct challenge wanted;
	struct account *accounts;
	struct seat *seats;
	struct token *tokens;
	uint64_t count;	   /* of all tokens so far */
	quirk_facts facts; /* what was learnt of the host */
};

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
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec;
}

/* --- Logins --- */

static struct seat *seat_of(struct auth *a, const char *repository)
{
	struct seat *s = a->seats;

	while (s && strcmp(s->repository, repository) != 0)
		s = s->next;
	if (s)
		return s;
	s = own_new(sizeof(*s));
	*s = (struct seat){.next = a->seats,
	    .repository = own_text(repository),
	    .demanded = BUF(SCOPES_MAX),
	    .asked = BUF(SCOPES_MAX)};
	s->account = own_new(sizeof(*s->account));
	s->account->next = a->accounts;
	a->accounts = s->account;
	a->seats = s;
	return s;
}

static bool same_login(const struct account *x, const struct account *y)
{
	if (x == y || !x->asked || x->found != y->found)
		return false;
	return !x->found || strcmp(x->login.source, y->login.source) == 0;
}

/* The account stays in the list, unused, when an older one is the same. */
static void share_account(struct auth *a, struct seat *s)
{
	for (struct account *other = a->accounts; other; other = other->next) {
		if (same_login(other, s->account)) {
			login_drop(&s->account->login);
			s->account->asked = false;
			s->account = other;
			return;
		}
	}
}

/* Finds the login for a repository, once. */
static bool find_login(struct auth *a, struct seat *s, enum access access, struct err *e)
{
	OWNED(buf_drop) struct buf looked = BUF(64 * 1024);
	struct account *one = s->account;
	const struct credential_ask ask = {
	    .host = a->host,
	    .path = s->repository,
	    .origin = a->config.origin,
	    .strict = access == ACCESS_PUSH,
	};

	if (one->asked)
		return true;
	if (!credentials_find(
		a->config.credentials, &ask, &one->login, &one->found, &looked, e))
		return false;
	one->looked = own_text(buf_text(&looked));
	one->asked = true;
	share_account(a, s);
	return true;
}

static bool has_login(const struct account *one)
{
	return one->found && !one->stale;
}

static bool no_login(const struct auth *a, const struct account *one, struct err *e)
{
	return err_set(e, ERR_DENIED,
	    "%.120s wants a login, no credentials found; looked in: %.200s; give --username, "
	    "or "
	    "a file with --authfile",
	    a->host, one->looked && *one->looked ? one->looked : "nothing");
}

static bool login_refused(
    const struct auth *a, const struct account *one, const char *said, struct err *e)
{
	return err_set(e, ERR_DENIED,
	    "%.100s: the login of %.60s (%.110s) is refused: %.130s; check user name and "
	    "password",
	    a->host, one->login.username ? one->login.username : "(token)",
	    one->login.source ? one->login.source : "", said);
}

/* Shows the login once, with a question that costs nothing, so that a wrong password is sent a
 * single time however many workers there are (BAS-03). */
static bool prove_basic(
    struct auth *a, struct account *one, struct http *h, const char *value, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};
	OWNED(buf_drop) struct buf url = BUF(4096);
	OWNED(buf_drop) struct buf said = BUF(1024);

	buf_adds(&url, a->base);
	buf_adds(&url, "/v2/");
	const struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&url),
	    .home = a->base,
	    .authorization = value,
	    .body_max = REFUSAL_BODY_MAX,
	};
	if (!token_send(a->config.policy, h, &r, &answer, e))
		return false;
	if (answer.status == 401) {
		one->refused = true;
		refusal_text(&answer, &said);
		return login_refused(a, one, buf_text(&said), e);
	}
	one->proved = true;
	return true;
}

static bool basic_ticket(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e)
{
	if (!find_login(a, out->seat, errand->access, e))
		return false;
	struct account *one = out->seat->account;
	if (!one->found || !one->login.password)
		return no_login(a, one, e);
	if (one->refused)
		return login_refused(a, one, "it was refused before", e);
	token_put_basic(&one->login, &out->value);
	return buf_ok(&out->value, e)
	       && (one->proved || prove_basic(a, one, h, buf_text(&out->value), e));
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
		if (t->account == one && t->anonymous == !has_login(one)
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
	    .anonymous = !has_login(one),
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
	    .login = has_login(one) ? &one->login : NULL,
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
	const bool tried = has_login(s->account);
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
		return login_refused(a, s->account, failure.text, e);
	}
	const bool asked = s->account->asked;
	if (!find_login(a, s, errand->access, e))
		return false;
	if (asked || !has_login(s->account))
		return no_login(a, s->account, e);
	return fetch_token(a, s->account, h, scopes, &failure)
	       || (failure.kind == ERR_DENIED ? login_refused(a, s->account, failure.text, e)
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
	if (!credentials_given(a->config.credentials) && !find_login(a, s, errand->access, e))
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
	out->seat = seat_of(a, errand->repository);
	out->mount = errand->mount_from != NULL;
	if (a->wanted.scheme == CHALLENGE_BASIC)
		ok = basic_ticket(a, h, errand, out, e);
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

	if (!has_login(one))
		return no_login(a, one, e);
	refusal_text(answer, &said);
	return login_refused(a, one, buf_text(&said), e);
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
	if (!find_login(a, s, ACCESS_PULL, e))
		return false;
	if (stale)
		return learnt || denied(a, s->account, answer, e);
	return has_login(s->account) || learnt || no_login(a, s->account, e);
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
