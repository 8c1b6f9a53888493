#include "registry/bearer.h"

#include "base/clock.h"
#include "base/own.h"
#include "registry/scopes.h"

#include <stdlib.h>
#include <string.h>

void bearer_free(struct token *t)
{
	secret_drop(&t->text);
	free(t->scopes);
	free(t->realm);
	free(t->service);
	free(t);
}

static int64_t now(void)
{
	return (int64_t)(clock_ms() / 1000);
}

int64_t bearer_age(const struct token *t)
{
	return now() - t->since;
}

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

bool bearer_forget(struct auth *a, const char *text)
{
	struct token **at = &a->tokens;
	bool any = false;

	while (*at) {
		struct token *t = *at;
		if (strcmp(t->text, text) == 0) {
			*at = t->next;
			bearer_free(t);
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
	    .facts = a->config.facts,
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

bool bearer_ticket(struct auth *a, struct http *h, const struct errand *errand,
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
