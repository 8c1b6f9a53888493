/* plan: what an export would carry; no layer is fetched. */
#include "base/file.h"
#include "base/own.h"
#include "cmd/lock.h"
#include "cmd/network.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/request.h"
#include "cmd/resolve.h"
#include "cmd/summary.h"
#include "cmd/verb.h"

#include <string.h>

struct options {
	struct common common;
	struct request_options request;
	struct network_options network;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "FILE.lock",
	"write the release with the digest of everything that was found, for export"},
    {0},
};
static const struct option_group groups[] = {
    {request_options, AT(request), "What to carry"},
    {own_options, 0, "Options"},
    {network_options, AT(network), "Network"},
    {common_options, AT(common), "General"},
    {0},
};

static bool show(const struct options *o, const struct inventory *inv, struct err *e)
{
	uint64_t room = 0;
	char text[24];

	if (o->common.json) {
		summary_json(inv, &(struct summary_facts){0}, stdout);
		return true;
	}
	summary_print(inv, stdout);
	if (!file_free_space("bundle.tar", &room, e))
		return false;
	say(stdout, "free space here: %s%s\n", size_text(room, text),
	    room < inv->total ? ", which is too little" : "");
	return true;
}

static bool write_lock(
    const struct options *o, struct request *request, const struct plan *plan, struct err *e)
{
	if (!o->output)
		return true;
	if (!strchr(o->output, '.') && !strchr(o->output, '/'))
		return err_set(e, ERR_USAGE,
		    "--output: expected a name with a dot, as export tells a lock from an "
		    "installed release by it, found \"%s\"; %s.lock will do",
		    o->output, o->output);
	if (!lock_write(request, plan, o->output, e))
		return false;
	if (!o->common.json)
		say(stdout, "pinned: %s; sealift export %s carries exactly this\n", o->output,
		    o->output);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "plan");
	OWNED(request_drop) struct request request = {0};
	OWNED(network_drop) struct network network = {0};
	OWNED(plan_drop) struct plan *plan = NULL;
	struct watch *watch = progress_watch(progress);
	uint64_t created = 0;

	return resolve_time(&created, e)
	       && request_read(&o->request, &o->common.arguments, &request, e)
	       && network_open(&o->network, &o->request.mirrors, watch, &network, e)
	       && resolve(&request, NULL, created, &network, &plan, e)
	       && write_lock(o, &request, plan, e) && show(o, plan->inventory, e);
}

const struct verb verb_plan = {
    .name = "plan",
    .arguments = "[RELEASE]",
    .most = 1,
    .summary = "show what an export would carry",
    .about = "Resolves every tag and chart of a release and shows images, digests, "
	     "platforms, sizes and what is shared, and the exact size of the bundle "
	     "that export would write. Fetches no layer. RELEASE is a release file or the "
	     "name of an installed release; with -o, what was found is written as a release "
	     "whose digests are pinned, so that what is exported later is what was read "
	     "now.",
    .example =
	"  sealift plan immuta --param immutaVersion=2024.1.5 --param chartVersion=4.13.5",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
