/* verify: signature, then every byte. */
#include "base/own.h"
#include "bundle/head.h"
#include "cmd/damaged.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/summary.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct trust_options trust;
	struct number jobs;
	bool head_only;
	bool check_media;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"jobs", 'j', OPTION_NUMBER, AT(jobs), "N", "members hashed at the same time (default 4)"},
    {"head-only", 0, OPTION_FLAG, AT(head_only), NULL,
	"check the signature and the inventory, and no content; BUNDLE may be a head alone"},
    {"check-media", 0, OPTION_FLAG, AT(check_media), NULL,
	"put the bundle out of this machine's memory first, so that its medium is read; says "
	"how fast it was"},
    {0},
};
static const struct option_group groups[] = {
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {audit_options, AT(trust), "Time"},
    {own_options, 0, "Options"},
    {common_options, AT(common), "General"},
    {0},
};

enum { JOBS = 4, JOBS_LIMIT = 64 };

static void report(const struct options *o, const struct reader *reader)
{
	const struct inventory *inv = reader_inventory(reader);
	const struct summary_facts facts = {.id = reader_id(reader),
	    .judgement = reader_judgement(reader),
	    .checked = o->head_only ? CHECKED_HEAD : CHECKED_ALL};

	if (o->common.json)
		summary_json(inv, &facts, stdout);
	else if (o->head_only)
		say(stdout,
		    "verified: the head alone, its signature and its inventory; no content was "
		    "checked: not one of the %llu bytes behind it, of %zu members\n",
		    (unsigned long long)reader_content(reader), inv->member_count);
	else
		say(stdout,
		    "verified: %llu bytes, %zu members, %zu image%s, %zu chart%s, %zu file%s\n",
		    (unsigned long long)inv->total, inv->member_count, inv->image_count,
		    plural(inv->image_count), inv->chart_count, plural(inv->chart_count),
		    inv->file_count, plural(inv->file_count));
}

static bool verify_content(const struct options *o, const struct reader *reader, unsigned jobs,
    struct progress *progress, struct err *e)
{
	if (o->check_media && (!reader_is_whole(reader, e) || !reader_uncache(reader, e)))
		return false;
	progress_total(progress, reader_inventory(reader)->total);
	if (!reader_verify(reader, jobs, progress_watch(progress), e))
		return false;
	if (o->check_media)
		progress_rate(progress);
	return true;
}

/* The head decides on trust before all else is read, and must not come out of memory either. */
static bool forget_head(const struct options *o, const char *bundle, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(head_drop) struct head head = {0};

	if (!media_in_open(&o->trust.media, bundle, MEDIUM_READ, &medium, e))
		return err_in(e, "%s", bundle);
	if (!medium->uncache)
		return err_set(e, ERR_USAGE,
		    "--check-media: expected a file or parts, found a pipe, which is no "
		    "medium");
	return (head_read(medium, &head, e) && medium->uncache(medium, e))
	       || err_in(e, "%s", bundle);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *bundle = o->common.arguments.items[0];
	const unsigned jobs = number_or(o->jobs, JOBS);
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "verify");
	OWNED(reader_drop) struct reader *reader = NULL;

	if (jobs < 1 || jobs > JOBS_LIMIT)
		return err_set(
		    e, ERR_USAGE, "--jobs: expected 1 to %d, found %u", JOBS_LIMIT, jobs);
	if (o->check_media && !forget_head(o, bundle, e))
		return false;
	if (!trusted_look(&o->trust, &o->common, bundle, &reader, e))
		return false;
	if (!o->head_only && !verify_content(o, reader, jobs, progress, e)) {
		if (e->kind == ERR_DAMAGED)
			damaged_report(&o->trust.media, bundle, reader, stderr);
		return err_in(e, "%s", bundle);
	}
	report(o, reader);
	return true;
}

const struct verb verb_verify = {
    .name = "verify",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "check a bundle's signature and every byte",
    .about = "Checks that a key of --trust signed the bundle, and then every byte of "
	     "it: headers, data, padding and end. Names the member and the offset of "
	     "the first damage. --head-only leaves out everything behind the signatures.",
    .example = "  sealift verify immuta-2024.1.5.tar --trust vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
