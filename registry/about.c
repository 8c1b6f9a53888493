#include "registry/about.h"

#include "base/own.h"
#include "registry/challenge.h"
#include "registry/refusal.h"

static const char *wants(const struct http_answer *a)
{
	OWNED(challenge_drop) struct challenge c = {0};
	struct err ignored = {0};

	if (a->status != 401)
		return "lets everybody in at its door";
	if (!challenge_read(buf_slice(&a->challenges), &c, &ignored))
		return "asks for a login in a way that is not known";
	return c.scheme == CHALLENGE_BASIC ? "asks for a login (Basic)"
					   : "asks for a token (Bearer)";
}

bool about_registry(const struct repository *at, struct buf *out, struct err *e)
{
	OWNED(http_answer_drop) struct http_answer a = {0};
	OWNED(buf_drop) struct buf url = BUF(1024);

	if (!registry_ping(at, e))
		return false;
	buf_adds(&url, registry_base(at->registry));
	buf_adds(&url, "/v2/");
	const struct http_request r = {.method = HTTP_GET,
	    .url = buf_text(&url),
	    .home = registry_base(at->registry),
	    .body_max = REFUSAL_BODY_MAX};
	if (!http_send(at->http, &r, &a, e))
		return false;
	buf_adds(out, wants(&a));
	buf_adds(out, "; ");
	return auth_describe(registry_auth(at->registry), at->path, out, e) && buf_ok(out, e);
}
