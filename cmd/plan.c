/* plan: what an export would carry; no layer is fetched. */
#include "base/file.h"
#include "base/own.h"
#include "cmd/network.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/request.h"
#include "cmd/resolve.h"
#include "cmd/summary.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct request_options request;
	struct network_options network;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "FILE",
	"the bundle that would be written: show the free space there"},
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
	if (!file_free_space(o->output ? o->output : "bundle.tar", &room, e))
		return false;
	say(stdout, "free space there: %s%s\n", size_text(room, text),
	    room < inv->total ? ", which is too little" : "");
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
	       && show(o, plan->inventory, e);
}

const struct verb verb_plan = {
    .name = "plan",
    .arguments = "[RELEASE]",
    .most = 1,
    .summary = "show what an export would carry",
    .about = "Resolves every tag and chart of a release and shows images, digests, "
	     "platforms, sizes and what is shared, and the exact size of the bundle "
	     "that export would write. Fetches no layer and writes nothing. RELEASE is "
	     "a release file or the name of an installed release.",
    .example =
	"  sealift plan immuta --param immutaVersion=2024.1.5 --param chartVersion=4.13.5",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
