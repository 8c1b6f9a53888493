#include "registry/stored.h"

bool stored_accepted(long status)
{
	return status == 200 || status == 201 || status == 202 || status == 204;
}

bool stored_said(const struct http_answer *a, struct digest *d)
{
	struct err ignored = {0};

	return a->content_digest && digest_parse(slice_of(a->content_digest), d, &ignored);
}

bool stored_as(
    const struct http_answer *a, const struct digest *want, const char *doing, struct err *e)
{
	char text[2][DIGEST_TEXT];
	struct digest said;

	if (!stored_said(a, &said) || digest_equal(&said, want))
		return true;
	return err_set(e, ERR_DAMAGED, "%s: expected to be stored as %s, the registry says %s",
	    doing, digest_text(want, text[0]), digest_text(&said, text[1]));
}
