/* What a 401 teaches: what the host wants, and whether another token may do better (PROTOCOL
 * CHL-03..12, TOK-15..19). */
#include "registry/account.h"

#include "base/own.h"
#include "registry/bearer.h"
#include "registry/refusal.h"
#include "registry/scopes.h"

#include <stdlib.h>
#include <string.h>

enum { REPLACED_SECONDS = 2 };

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
	if (!answer->challenges.len)
		return err_set(e, ERR_DENIED,
		    "%.160s: 401 without a challenge: expected WWW-Authenticate to say which "
		    "login it wants, found none; a proxy before it may take that header away",
		    a->host);
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
		(void)bearer_forget(a, buf_text(&used->value) + strlen("Bearer "));
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
			       && bearer_age(t) <= REPLACED_SECONDS;
	}
	return false;
}

/* error="insufficient_scope": the token lacks a right, which one new token may have, and
 * another when more was demanded since. */
static bool lacks_for_good(
    struct auth *a, struct http *h, const struct http_answer *answer, const struct ticket *used)
{
	struct seat *s = used->seat;
	const bool before = s->rescoped;
	struct err ignored = {0};

	s->rescoped = true;
	(void)learn(a, used, h, answer, &ignored);
	return before && scopes_cover(buf_slice(&s->asked), buf_slice(&s->demanded));
}

/* Whether another token would do no better than an old one that was refused. */
static bool is_hopeless(
    struct auth *a, struct http *h, const struct http_answer *answer, const struct ticket *used)
{
	if (used->mount)
		return false;
	if (used->number <= used->seat->useless)
		return true;
	if (names_dead(answer))
		return false;
	if (strstr(buf_text(&answer->challenges), "\"insufficient_scope\""))
		return lacks_for_good(a, h, answer, used);
	return just_replaced(a, used);
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
	if (is_hopeless(a, h, answer, used))
		return denied(a, used->seat->account, answer, e);
	if (bearer_forget(a, value + 7))
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
	const bool dropped = bearer_forget(a, value + 7);
	pthread_mutex_unlock(&a->lock);
	return dropped;
}
