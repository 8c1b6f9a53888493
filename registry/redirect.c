#include "registry/redirect.h"

#include "base/own.h"
#include "registry/realm.h"

#include <string.h>

bool redirect_asked(const struct http_request *r, const struct http_answer *a)
{
	if (a->status == 307 || a->status == 308)
		return true;
	return (r->method == HTTP_GET || r->method == HTTP_HEAD)
	       && (a->status == 301 || a->status == 302 || a->status == 303);
}

bool redirect_url(const char *from, const struct http_answer *a,
    const struct redirect_leave *leave, struct buf *next, struct err *e)
{
	OWNED(url_parts_drop) struct url_parts old = {0};
	OWNED(url_parts_drop) struct url_parts new = {0};
	OWNED(buf_drop) struct buf shown = BUF(URL_MAX);

	http_url_show(from, &shown);
	if (!a->location)
		return err_set(e, ERR_NETWORK, "%.160s: redirect %ld without a Location",
		    buf_text(&shown), a->status);
	if (!http_url_join(from, a->location, next, e) || !http_url_parts(from, &old, e)
	    || !http_url_parts(buf_text(next), &new, e)) {
		e->kind = ERR_NETWORK;
		return err_in(e, "%.160s: redirect", buf_text(&shown));
	}
	if (new.userinfo)
		return err_set(e, ERR_NETWORK,
		    "%.160s: redirect to an address with a user name in it; refused",
		    buf_text(&shown));
	if (strcmp(old.scheme, "https") == 0 && strcmp(new.scheme, "http") == 0
	    && !leave->plain)
		return err_set(e, ERR_NETWORK,
		    "%.160s: redirect from https to http on %.100s; refused", buf_text(&shown),
		    new.host);
	if (!leave->near && !realm_may_redirect(from, buf_text(next)))
		return err_set(e, ERR_NETWORK,
		    "%.160s: redirect to %.100s, an address of this machine or link; refused, "
		    "unless allow-private-redirect says so in --config",
		    buf_text(&shown), new.host);
	return true;
}
