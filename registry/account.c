#include "registry/account.h"

#include "base/own.h"
#include "registry/refusal.h"
#include "registry/scopes.h"

#include <stdlib.h>
#include <string.h>

struct seat *account_seat(struct auth *a, const char *repository)
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
bool account_find(struct auth *a, struct seat *s, enum access access, struct err *e)
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

bool account_has(const struct account *one)
{
	return one->found && !one->stale;
}

bool account_missing(const struct auth *a, const struct account *one, struct err *e)
{
	return err_set(e, ERR_DENIED,
	    "%.120s wants a login, no credentials found; looked in: %.200s; give --username, "
	    "or "
	    "a file with --authfile",
	    a->host, one->looked && *one->looked ? one->looked : "nothing");
}

bool account_refused(
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
		return account_refused(a, one, buf_text(&said), e);
	}
	one->proved = true;
	return true;
}

bool account_basic(struct auth *a, struct http *h, const struct errand *errand,
    struct ticket *out, struct err *e)
{
	if (!account_find(a, out->seat, errand->access, e))
		return false;
	struct account *one = out->seat->account;
	if (!one->found || !one->login.password)
		return account_missing(a, one, e);
	if (one->refused)
		return account_refused(a, one, "it was refused before", e);
	token_put_basic(&one->login, &out->value);
	return buf_ok(&out->value, e)
	       && (one->proved || prove_basic(a, one, h, buf_text(&out->value), e));
}
