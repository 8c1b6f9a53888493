#include "registry/auth.h"

#include "base/own.h"
#include "manifests/json.h"
#include "base/base64.h"
#include "registry/challenge.h"
#include "registry/realm.h"
#include "registry/refusal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TOKEN_BODY_MAX = 1024 * 1024,
	TOKEN_SECONDS = 60, /* where the service says nothing (TOK-05) */
	FORM_MAX = 512 * 1024,
};

struct token {
	struct token *next;
	char *scope;
	char *text;
	int64_t until; /* monotonic seconds */
	bool anonymous;
};

struct auth {
	char *host;
	char *base;
	struct credentials *credentials;
	const struct retry_policy *policy;
	pthread_mutex_t lock; /* for all below, and held while a token is fetched */
	struct challenge wanted;
	struct login login;
	bool asked;   /* login is what there is for this host */
	bool found;   /* there is one */
	bool proved;  /* Basic was let in once */
	bool refused; /* and never will be (BAS-03) */
	char *looked; /* where a login was looked for */
	struct token *tokens;
};

static void wipe(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_drop(b);
}

void ticket_drop(struct ticket *t)
{
	wipe(&t->value);
	*t = (struct ticket){0};
}

static void token_free(struct token *t)
{
	explicit_bzero(t->text, strlen(t->text));
	free(t->text);
	free(t->scope);
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

struct auth *auth_new(const char *host, const char *base, struct credentials *credentials,
    const struct retry_policy *policy)
{
	struct auth *a = own_new(sizeof(*a));

	a->host = own_text(host);
	a->base = own_text(base);
	a->credentials = credentials;
	a->policy = policy;
	pthread_mutex_init(&a->lock, NULL);
	return a;
}

void auth_free(struct auth *a)
{
	if (!a)
		return;
	drop_tokens(a);
	login_drop(&a->login);
	challenge_drop(&a->wanted);
	pthread_mutex_destroy(&a->lock);
	free(a->looked);
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

/* Finds the login for the host, once. */
static bool find_login(struct auth *a, struct err *e)
{
	OWNED(buf_drop) struct buf looked = BUF(64 * 1024);

	if (a->asked)
		return true;
	if (!credentials_find(a->credentials, a->host, &a->login, &a->found, &looked, e))
		return false;
	a->looked = own_text(buf_text(&looked));
	a->asked = true;
	return true;
}

static bool no_login(const struct auth *a, struct err *e)
{
	return err_set(e, ERR_DENIED,
	    "%.120s wants a login, no credentials found; looked in: %.200s; give --username, "
	    "or "
	    "a file with --authfile",
	    a->host, a->looked && *a->looked ? a->looked : "nothing");
}

static bool login_refused(const struct auth *a, const char *said, struct err *e)
{
	return err_set(e, ERR_DENIED,
	    "%.120s: the login of %.80s is refused: %.160s; check user name and password",
	    a->host, a->login.username ? a->login.username : "(token)", said);
}

static void put_basic(const struct login *l, struct buf *out)
{
	OWNED(wipe) struct buf plain = BUF(SECRET_MAX);

	buf_adds(&plain, l->username ? l->username : "");
	buf_adds(&plain, ":");
	buf_adds(&plain, l->password ? l->password : "");
	buf_adds(out, "Basic ");
	base64_encode(buf_slice(&plain), out);
}

/* Sends until an answer comes that no retry would better. */
static bool send_patiently(const struct auth *a, struct http *h, const struct http_request *r,
    struct http_answer *answer, struct err *e)
{
	struct retry retry = {.policy = a->policy};

	for (;;) {
		const bool sent = http_send(h, r, answer, e);
		OWNED(buf_drop) struct buf shown = BUF(4096);
		if (sent && !retry_status(answer->status))
			return true;
		http_url_show(r->url, &shown);
		if (sent)
			(void)refusal(answer, buf_text(&shown), e);
		if ((!sent && !answer->may_pass) || !retry_again(&retry, answer, e))
			return false;
		if (r->body && !r->body->rewind(r->body, e))
			return false;
	}
}

/* Shows the login once, with a question that costs nothing, so that a wrong password is sent a
 * single time however many workers there are (BAS-03). */
static bool prove_basic(struct auth *a, struct http *h, const char *value, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};
	OWNED(buf_drop) struct buf url = BUF(4096);
	OWNED(buf_drop) struct buf said = BUF(1024);

	buf_adds(&url, a->base);
	buf_adds(&url, "/v2/");
	const struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&url),
	    .authorization = value,
	    .body_max = REFUSAL_BODY_MAX,
	};
	if (!send_patiently(a, h, &r, &answer, e))
		return false;
	if (answer.status == 401) {
		a->refused = true;
		refusal_text(&answer, &said);
		return login_refused(a, buf_text(&said), e);
	}
	a->proved = true;
	return true;
}

static bool basic_ticket(struct auth *a, struct http *h, struct ticket *out, struct err *e)
{
	if (!find_login(a, e))
		return false;
	if (!a->found || !a->login.password)
		return no_login(a, e);
	if (a->refused)
		return login_refused(a, "it was refused before", e);
	put_basic(&a->login, &out->value);
	return buf_ok(&out->value, e)
	       && (a->proved || prove_basic(a, h, buf_text(&out->value), e));
}

/* --- Tokens --- */

static void put_scope(const char *repository, enum access access, struct buf *out)
{
	buf_adds(out, "repository:");
	buf_adds(out, repository);
	buf_adds(out, access == ACCESS_PUSH ? ":pull,push" : ":pull");
}

/* The token for a scope that still lives, or NULL. */
static struct token *find_token(struct auth *a, const char *scope)
{
	for (struct token *t = a->tokens; t; t = t->next) {
		if (strcmp(t->scope, scope) == 0 && now() < t->until)
			return t;
	}
	return NULL;
}

/* Drops one token; with text NULL all that anybody gets. */
static void forget(struct auth *a, const char *text)
{
	struct token **at = &a->tokens;

	while (*at) {
		struct token *t = *at;
		if (text ? strcmp(t->text, text) == 0 : t->anonymous) {
			*at = t->next;
			token_free(t);
		} else {
			at = &t->next;
		}
	}
}

/* Adds a query parameter to *url. */
static bool add_query(struct buf *url, const char *name, const char *value, struct err *e)
{
	OWNED(buf_drop) struct buf longer = BUF(0);

	if (!value || !*value)
		return true;
	if (!http_url_add_query(buf_text(url), name, value, &longer, e))
		return false;
	buf_drop(url);
	*url = STEAL(longer);
	return true;
}

static bool get_token(struct auth *a, struct http *h, const char *scope,
    struct http_answer *answer, struct err *e)
{
	OWNED(wipe) struct buf basic = BUF(2 * SECRET_MAX);
	OWNED(buf_drop) struct buf url = BUF(64 * 1024);
	const bool login = a->found && a->login.password;

	buf_adds(&url, a->wanted.realm);
	if (!add_query(&url, "service", a->wanted.service, e)
	    || !add_query(&url, "scope", scope, e)
	    || !add_query(&url, "account", login ? a->login.username : NULL, e))
		return false;
	if (login)
		put_basic(&a->login, &basic);
	const struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&url),
	    .authorization = login ? buf_text(&basic) : NULL,
	    .body_max = TOKEN_BODY_MAX,
	};
	return send_patiently(a, h, &r, answer, e);
}

/* A form is what stands behind the "?" of an address, so it is written as one. */
static bool post_token(struct auth *a, struct http *h, const char *scope,
    struct http_answer *answer, struct err *e)
{
	OWNED(wipe) struct buf form = BUF(FORM_MAX);
	struct mem_source body;

	buf_adds(&form, "?");
	if (!add_query(&form, "grant_type", "refresh_token", e)
	    || !add_query(&form, "client_id", "sealift", e)
	    || !add_query(&form, "service", a->wanted.service, e)
	    || !add_query(&form, "scope", scope, e)
	    || !add_query(&form, "refresh_token", a->login.identity_token, e))
		return false;
	mem_source_init(&body, slice_at(form.ptr + 1, form.len - 1));
	const struct http_request r = {
	    .method = HTTP_POST,
	    .url = a->wanted.realm,
	    .content_type = "application/x-www-form-urlencoded",
	    .body = &body.source,
	    .body_size = form.len - 1,
	    .body_max = TOKEN_BODY_MAX,
	};
	return send_patiently(a, h, &r, answer, e);
}

/* Seconds that a token may be used: less than it lives (TOK-05). */
static int64_t useful_seconds(const struct json *doc)
{
	double seconds = 0;

	if (!json_number(json_get(doc, "expires_in"), &seconds) || !(seconds >= 1))
		seconds = TOKEN_SECONDS;
	if (seconds > 86400)
		seconds = 86400;
	const double margin = seconds / 10 > 5 ? seconds / 10 : 5;
	return (int64_t)(seconds - margin);
}

/* Keeps the token of an answer; the first of the two names that is not empty (TOK-04). */
static bool keep_token(
    struct auth *a, const char *scope, const struct http_answer *answer, struct err *e)
{
	OWNED(json_drop) struct json *doc = NULL;

	if (!json_parse(buf_slice(&answer->body), "the token service's answer", &doc, e)) {
		e->kind = ERR_NETWORK;
		return false;
	}
	struct slice text = json_text(json_get(doc, "token"));
	if (!text.len)
		text = json_text(json_get(doc, "access_token"));
	if (!text.len)
		return err_set(e, ERR_NETWORK, "the token service's answer has no token in it");
	struct token *t = own_new(sizeof(*t));
	*t = (struct token){
	    .next = a->tokens,
	    .scope = own_text(scope),
	    .text = own_bytes(text.ptr, text.len),
	    .until = now() + useful_seconds(doc),
	    .anonymous = !a->found,
	};
	a->tokens = t;
	return true;
}

/* A service that does not give a token refuses the login, or answers nonsense. */
static bool token_denied(const struct auth *a, const struct http_answer *answer, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);
	OWNED(buf_drop) struct buf shown = BUF(4096);

	refusal_text(answer, &said);
	http_url_show(answer->url, &shown);
	const bool login =
	    answer->status == 400 || answer->status == 401 || answer->status == 403;
	if (login && a->found)
		return login_refused(a, buf_text(&said), e);
	if (login)
		return no_login(a, e);
	return err_set(e, ERR_NETWORK,
	    "GET %.160s (token service of %.100s): expected a token, found %.160s",
	    buf_text(&shown), a->host, buf_text(&said));
}

static bool fetch_token(struct auth *a, struct http *h, const char *scope, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};
	const bool identity = a->found && a->login.identity_token && !a->login.password;

	if (!(identity ? post_token : get_token)(a, h, scope, &answer, e))
		return err_in(e, "token for %.100s", a->host);
	if (answer.status == 200 && !refusal_is_page(&answer)) {
		const bool kept = keep_token(a, scope, &answer, e);
		if (answer.body.ptr)
			explicit_bzero(answer.body.ptr, answer.body.cap);
		return kept || err_in(e, "token for %.100s", a->host);
	}
	const bool untried = !a->asked && answer.status >= 400 && answer.status <= 403;
	if (!untried)
		return token_denied(a, &answer, e);
	/* Anybody's token is not given: now the host needs a login. */
	if (!find_login(a, e))
		return false;
	return a->found ? fetch_token(a, h, scope, e) : no_login(a, e);
}

static void put_token(struct ticket *out, const char *text)
{
	buf_adds(&out->value, "Bearer ");
	buf_adds(&out->value, text);
}

static bool bearer_ticket(struct auth *a, struct http *h, const char *repository,
    enum access access, struct ticket *out, struct err *e)
{
	OWNED(buf_drop) struct buf scope = BUF(4096);
	OWNED(buf_drop) struct buf wider = BUF(4096);

	/* A login of the command line is only shown where anybody's token does not do. */
	if (!credentials_given(a->credentials) && !find_login(a, e))
		return false;
	if (a->found && a->login.registry_token) {
		put_token(out, a->login.registry_token);
		out->fresh = true;
		return buf_ok(&out->value, e);
	}
	if (*repository)
		put_scope(repository, access, &scope);
	put_scope(repository, ACCESS_PUSH, &wider);
	struct token *t = find_token(a, buf_text(&wider));
	if (!t)
		t = find_token(a, buf_text(&scope));
	if (!t) {
		if (!fetch_token(a, h, buf_text(&scope), e))
			return false;
		t = a->tokens;
		out->fresh = true;
	}
	out->anonymous = t->anonymous;
	put_token(out, t->text);
	return buf_ok(&out->value, e);
}

bool auth_ticket(struct auth *a, struct http *h, const char *repository, enum access access,
    struct ticket *out, struct err *e)
{
	bool ok = true;

	ticket_drop(out);
	out->value = BUF(2 * SECRET_MAX);
	pthread_mutex_lock(&a->lock);
	if (a->wanted.scheme == CHALLENGE_BASIC)
		ok = basic_ticket(a, h, out, e);
	else if (a->wanted.scheme == CHALLENGE_BEARER)
		ok = bearer_ticket(a, h, repository, access, out, e);
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
	if (!realm_check(a->base, buf_text(&realm), a->host, e))
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
	const struct http_request r = {
	    .method = HTTP_GET, .url = buf_text(&url), .body_max = REFUSAL_BODY_MAX};
	return send_patiently(a, h, &r, &answer, e) && read_challenge(a, &answer, out, e);
}

static bool learn(
    struct auth *a, struct http *h, const struct http_answer *answer, struct err *e)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err first = {0};

	if (a->wanted.scheme != CHALLENGE_NONE)
		return true;
	if (!read_challenge(a, answer, &c, &first)) {
		challenge_drop(&c);
		if (!ask_door(a, h, &c, e)) {
			*e = first;
			return false;
		}
	}
	a->wanted = STEAL(c);
	return true;
}

static bool denied(const struct auth *a, const struct http_answer *answer, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);

	refusal_text(answer, &said);
	return login_refused(a, buf_text(&said), e);
}

static bool refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e)
{
	const char *value = buf_text(&used->value);

	if (!used->value.len)
		return learn(a, h, answer, e);
	if (strncmp(value, "Bearer ", 7) != 0)
		return denied(a, answer, e);
	forget(a, value + 7);
	if (!used->fresh)
		return true;
	if (!used->anonymous)
		return denied(a, answer, e);
	/* Anybody's token does not do: now the host needs a login. */
	if (!find_login(a, e))
		return false;
	forget(a, NULL);
	return a->found || no_login(a, e);
}

bool auth_refused(struct auth *a, struct http *h, const struct http_answer *answer,
    const struct ticket *used, struct err *e)
{
	pthread_mutex_lock(&a->lock);
	const bool ok = refused(a, h, answer, used, e);
	pthread_mutex_unlock(&a->lock);
	return ok;
}
