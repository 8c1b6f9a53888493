#include "cmd/admission.h"

#include "base/own.h"
#include "bundle/replay.h"
#include "cmd/output.h"
#include "cmd/trusted.h"

#include <stdlib.h>
#include <unistd.h>

enum { PATH_ROOM = 4096 };

#define AT(field) offsetof(struct admission_options, field)
const struct option admission_options[] = {
    {"allow-rollback", 0, OPTION_FLAG, AT(allow_rollback), NULL,
	"use a bundle that is older than the last one at this destination; it is logged"},
    {0},
};

/* The variable's value when it is a path from the root, as is wanted of XDG folders. */
static const char *absolute(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] == '/' ? value : NULL;
}

bool admission_folder(struct buf *out, struct err *e)
{
	const char *own = getenv("SEALIFT_STATE");
	const char *xdg = absolute("XDG_STATE_HOME");
	const char *home = absolute("HOME");

	buf_init(out, PATH_ROOM);
	if (own && *own)
		buf_adds(out, own);
	else if (geteuid() == 0)
		buf_adds(out, "/var/lib/sealift/state");
	else if (xdg)
		buf_addf(out, "%s/sealift", xdg);
	else if (home)
		buf_addf(out, "%s/.local/state/sealift", home);
	else
		return err_set(e, ERR_USAGE,
		    "expected SEALIFT_STATE, XDG_STATE_HOME or HOME to say where the record "
		    "of used bundles is, found none");
	return buf_ok(out, e);
}

const char *admission_destination(const struct target *target, char out[REFERENCE_TEXT_MAX])
{
	(void)target_text(target, out);
	for (char *at = out; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return out;
}

static struct replay_use use_of(const struct admission *a)
{
	return (struct replay_use){.inventory = reader_inventory(a->reader),
	    .id = reader_id(a->reader),
	    .judgement = reader_judgement(a->reader),
	    .destination = a->destination,
	    .now = trusted_clock()};
}

bool admission_check(const struct admission_options *o, const struct reader *reader,
    const struct target *target, struct admission *out, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);

	out->reader = reader;
	(void)admission_destination(target, out->destination);
	const struct replay_use use = use_of(out);
	return admission_folder(&folder, e)
	       && replay_check(buf_text(&folder), &use,
		   o->allow_rollback ? REPLAY_ALLOW_LOWER : REPLAY_REFUSE, e);
}

bool admission_prepare(struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);

	return admission_folder(&folder, e) && replay_prepare(buf_text(&folder), e);
}

bool admission_record(const struct admission *a)
{
	OWNED(buf_drop) struct buf folder = BUF(0);
	const struct replay_use use = use_of(a);
	struct err e = {0};

	if (!admission_folder(&folder, &e) || !replay_record(buf_text(&folder), &use, &e))
		say(stderr,
		    "sealift: warning: all is pushed, but that could not be recorded, and an "
		    "older bundle would not be noticed here: %s\n",
		    e.text);
	return true;
}
