#include "registry/location.h"

#include "base/own.h"

#include <string.h>
#include <strings.h>

/* A Location on our own host that forgot our scheme or port gets them back: a proxy in between
 * did not pass them on (UPL-06). */
static bool keep_origin(const struct repository *at, struct buf *location, struct err *e)
{
	const char *base = registry_base(at->registry);
	OWNED(url_parts_drop) struct url_parts ours = {0};
	OWNED(url_parts_drop) struct url_parts theirs = {0};

	if (!http_url_parts(base, &ours, e) || !http_url_parts(buf_text(location), &theirs, e))
		return false;
	const bool downgrade =
	    strcmp(ours.scheme, "https") == 0 && strcmp(theirs.scheme, "http") == 0;
	if (strcasecmp(ours.host, theirs.host) != 0 || (!downgrade && theirs.port))
		return true;
	const char *rest = strstr(buf_text(location), "://") + 3;
	OWNED(buf_drop) struct buf fixed = BUF(64 * 1024);
	buf_adds(&fixed, base);
	buf_adds(&fixed, rest + strcspn(rest, "/?#"));
	buf_drop(location);
	*location = STEAL(fixed);
	return buf_ok(location, e);
}

bool location_read(const struct repository *at, const struct http_answer *a, const char *doing,
    struct buf *out, struct err *e)
{
	OWNED(buf_drop) struct buf location = BUF(0);

	if (!a->location)
		return err_set(e, ERR_NETWORK,
		    "%s: the registry sent no upload Location; a proxy before it may take "
		    "headers "
		    "away, ask who runs it",
		    doing);
	if (!http_url_join(a->url, a->location, &location, e)
	    || !keep_origin(at, &location, e)) {
		e->kind = ERR_NETWORK;
		return err_in(e, "%s: Location", doing);
	}
	if (strncmp(registry_base(at->registry), "https:", 6) == 0
	    && strncmp(buf_text(&location), "https:", 6) != 0)
		return err_set(e, ERR_NETWORK,
		    "%s: the registry wants the bytes at a plain http address; refused", doing);
	*out = STEAL(location);
	return true;
}
