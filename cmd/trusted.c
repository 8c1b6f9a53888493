#include "cmd/trusted.h"

#include "base/own.h"
#include "cmd/output.h"

#define AT(field) offsetof(struct trust_options, field)
const struct option trust_options[] = {
    {"trust", 0, OPTION_TEXT, AT(trust), "FILE",
	"believe bundles signed by this public key, or by a key in this folder"},
    {0},
};

static void report(const struct reader *reader, const char *path)
{
	char id[DIGEST_TEXT];

	say(stdout, "%s: %s, signed by the trusted key %s\n", path,
	    digest_text(reader_id(reader), id), reader_signer(reader));
	for (const char *const *name = reader_unchecked(reader); *name; name++)
		say(stdout,
		    "%s: not checked: the signature %s, by no trusted key or of an unknown "
		    "form\n",
		    path, *name);
}

bool trusted_open(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e)
{
	OWNED(trust_drop) struct trust *trust = NULL;
	OWNED(medium_drop) struct medium *medium = NULL;

	if (!trust_open(o->trust, &trust, e))
		return false;
	if (!medium_open_file(path, &medium, e) || !reader_open(&medium, trust, out, e))
		return err_in(e, "%s", path);
	if (!common->json && !common->quiet)
		report(*out, path);
	return true;
}
