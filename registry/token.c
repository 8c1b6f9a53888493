#include "registry/token.h"

#include "base/base64.h"
#include "base/own.h"
#include "manifests/json.h"
#include "registry/refusal.h"
#include "registry/scopes.h"

#include <stdlib.h>
#include <string.h>

enum {
	TOKEN_BODY_MAX = 1024 * 1024,
	TOKEN_SECONDS = 60, /* where the service says nothing (TOK-05) */
	TOKEN_SECONDS_MAX = 86400,
	FORM_MAX = 512 * 1024,
};

void token_grant_drop(struct token_grant *g)
{
	secret_drop(&g->text);
	*g = (struct token_grant){0};
}

void token_put_basic(const struct login *l, struct buf *out)
{
	OWNED(secret_buf_drop) struct buf plain = BUF(SECRET_MAX);

	buf_adds(&plain, l->username ? l->username : "");
	buf_adds(&plain, ":");
	buf_adds(&plain, l->password ? l->password : "");
	buf_adds(out, "Basic ");
	base64_encode(buf_slice(&plain), out);
}

bool token_send(const struct retry_policy *policy, struct http *h, const struct http_request *r,
    struct http_answer *answer, struct err *e)
{
	struct retry retry = {.policy = policy};

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

bool token_lives(int64_t since, int64_t until, int64_t at, uint64_t seconds)
{
	const int64_t life = until - since;
	const int64_t need = seconds < INT32_MAX ? (int64_t)seconds : INT32_MAX;

	return at < until && (at + need < until || at - since <= life / 5);
}

/* --- Asking --- */

/* Adds a query parameter to *url. */
static bool add_query(struct buf *url, const char *name, const char *value, struct err *e)
{
	OWNED(secret_buf_drop) struct buf longer = BUF(0);

	if (!value || !*value)
		return true;
	if (!http_url_add_query(buf_text(url), name, value, &longer, e))
		return false;
	secret_buf_drop(url);
	*url = STEAL(longer);
	return true;
}

/* One "scope" for each of the set (TOK-01). */
static bool add_scopes(const struct token_ask *ask, struct buf *url, struct err *e)
{
	struct slice rest = slice_of(ask->scopes);
	struct slice scope;

	while (scopes_next(&rest, &scope)) {
		OWNED(drop_text) char *text = own_bytes(scope.ptr, scope.len);
		if (!add_query(url, "scope", text, e))
			return false;
	}
	return true;
}

static bool by_get(
    const struct token_ask *ask, struct http *h, struct http_answer *answer, struct err *e)
{
	OWNED(secret_buf_drop) struct buf basic = BUF(2 * SECRET_MAX);
	OWNED(buf_drop) struct buf url = BUF(URL_MAX);
	const bool login = ask->login && ask->login->password;

	buf_adds(&url, ask->wanted->realm);
	if (!add_query(&url, "service", ask->wanted->service, e) || !add_scopes(ask, &url, e)
	    || !add_query(&url, "account", login ? ask->login->username : NULL, e))
		return false;
	if (login)
		token_put_basic(ask->login, &basic);
	const struct http_request r = {
	    .method = HTTP_GET,
	    .url = buf_text(&url),
	    .home = ask->home,
	    .authorization = login ? buf_text(&basic) : NULL,
	    .body_max = TOKEN_BODY_MAX,
	};
	return token_send(ask->policy, h, &r, answer, e);
}

static bool add_grant(const struct login *l, struct buf *form, struct err *e)
{
	if (l->identity_token)
		return add_query(form, "grant_type", "refresh_token", e)
		       && add_query(form, "refresh_token", l->identity_token, e);
	return add_query(form, "grant_type", "password", e)
	       && add_query(form, "username", l->username, e)
	       && add_query(form, "password", l->password, e);
}

/* A form is what stands behind the "?" of an address, so it is written as one; all scopes are
 * one value in it (TOK-02). */
static bool by_post(
    const struct token_ask *ask, struct http *h, struct http_answer *answer, struct err *e)
{
	OWNED(secret_buf_drop) struct buf form = BUF(FORM_MAX);
	struct mem_source body;

	buf_adds(&form, "?");
	if (!add_grant(ask->login, &form, e) || !add_query(&form, "client_id", "sealift", e)
	    || !add_query(&form, "service", ask->wanted->service, e)
	    || !add_query(&form, "scope", ask->scopes, e))
		return false;
	mem_source_init(&body, slice_at(form.ptr + 1, form.len - 1));
	const struct http_request r = {
	    .method = HTTP_POST,
	    .url = ask->wanted->realm,
	    .home = ask->home,
	    .content_type = "application/x-www-form-urlencoded",
	    .body = &body.source,
	    .body_size = form.len - 1,
	    .body_max = TOKEN_BODY_MAX,
	};
	return token_send(ask->policy, h, &r, answer, e);
}

/* Answers by which services say that they do not know POST (TOK-03). */
static bool knows_no_post(long status)
{
	return status == 400 || status == 401 || status == 404 || status == 405;
}

static bool ask_service(
    const struct token_ask *ask, struct http *h, struct http_answer *answer, struct err *e)
{
	const struct login *l = ask->login;
	const bool known = l && l->password && quirk_known(ask->facts, QUIRK_TOKEN_BY_GET);
	const bool post =
	    l && !known
	    && (ask->method == TOKEN_POST || (ask->method == TOKEN_AUTO && l->identity_token));

	if (!post)
		return by_get(ask, h, answer, e);
	if (!by_post(ask, h, answer, e))
		return false;
	if (!l->password || !knows_no_post(answer->status))
		return true;
	if (!by_get(ask, h, answer, e))
		return false;
	if (answer->status == 200)
		quirk_learn(ask->facts, QUIRK_TOKEN_BY_GET, ask->host, ask->policy->watch);
	return true;
}

/* --- The answer --- */

/* Seconds that a token may be used: less than it lives (TOK-05). */
static int64_t useful_seconds(const struct json *doc)
{
	double seconds = 0;

	if (!json_number(json_get(doc, "expires_in"), &seconds) || !(seconds >= 1))
		seconds = TOKEN_SECONDS;
	if (seconds > TOKEN_SECONDS_MAX)
		seconds = TOKEN_SECONDS_MAX;
	const double margin = seconds / 10 > 5 ? seconds / 10 : 5;
	return (int64_t)(seconds - margin);
}

/* A body that is no token is a page or a sentence, of which the first line says most (TOK-06).
 */
static bool no_token(const struct token_ask *ask, const struct http_answer *answer,
    const char *what, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	refusal_text(answer, &said);
	http_url_show(answer->url, &shown);
	return err_set(e, ERR_NETWORK,
	    "%.160s (token service of %.100s): expected a token, found %s%.160s",
	    buf_text(&shown), ask->host, what, buf_text(&said));
}

enum token_body token_read(struct slice body, struct token_grant *out)
{
	OWNED(json_drop) struct json *doc = NULL;
	struct err ignored = {0};

	if (!json_parse(body, "token", &doc, &ignored))
		return TOKEN_NO_JSON;
	struct slice text = json_text(json_get(doc, "token"));
	if (!text.len)
		text = json_text(json_get(doc, "access_token"));
	if (!text.len)
		return TOKEN_NONE;
	*out = (struct token_grant){
	    .text = own_bytes(text.ptr, text.len),
	    .seconds = useful_seconds(doc),
	};
	return TOKEN_THERE;
}

static bool take_token(const struct token_ask *ask, const struct http_answer *answer,
    struct token_grant *out, struct err *e)
{
	switch (token_read(buf_slice(&answer->body), out)) {
	case TOKEN_THERE:
		return true;
	case TOKEN_NO_JSON:
		return no_token(ask, answer, "", e);
	case TOKEN_NONE:
		break;
	}
	return no_token(ask, answer, "JSON with no token in it, status ", e);
}

static bool refused(
    const struct token_ask *ask, const struct http_answer *answer, struct err *e)
{
	OWNED(buf_drop) struct buf said = BUF(1024);
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	if (answer->status != 400 && answer->status != 401 && answer->status != 403)
		return no_token(ask, answer, "", e);
	refusal_text(answer, &said);
	http_url_show(answer->url, &shown);
	(void)err_set(e, ERR_DENIED, "the token service at %.120s says %.160s",
	    buf_text(&shown), buf_text(&said));
	e->code = (int)answer->status;
	return false;
}

bool token_fetch(
    const struct token_ask *ask, struct http *h, struct token_grant *out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer answer = {0};

	if (!ask_service(ask, h, &answer, e))
		return err_in(e, "token for %.100s", ask->host);
	const bool ok = answer.status == 200 && !refusal_is_page(&answer)
			    ? take_token(ask, &answer, out, e)
			    : refused(ask, &answer, e);
	if (answer.body.ptr)
		explicit_bzero(answer.body.ptr, answer.body.cap);
	return ok;
}
