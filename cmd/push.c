/* push: a verified bundle into the customer's registry, and the customer's values file with it.
 */
#include "base/own.h"
#include "cmd/approved.h"
#include "cmd/customer.h"
#include "cmd/delivery.h"
#include "cmd/network.h"
#include "cmd/progress.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct trust_options trust;
	struct admission_options admission;
	struct approved_options approved;
	struct network_options network;
	struct customer_options customer;
	struct delivery_options delivery;
	bool verify_first;
	bool dry_run;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"verify-first", 0, OPTION_FLAG, AT(verify_first), NULL,
	"verify every byte before the first request"},
    {"dry-run", 0, OPTION_FLAG, AT(dry_run), NULL,
	"stop before the first upload; write nothing"},
    {0},
};
static const struct option_group groups[] = {
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {admission_options, AT(admission), "Admission"},
    {approved_options, AT(approved), "Approval"},
    {own_options, 0, "Options"},
    {delivery_options, AT(delivery), "Delivery"},
    {customer_options, AT(customer), "Values"},
    {customer_cluster_options, AT(customer), "Cluster"},
    {network_options, AT(network), "Network"},
    {common_options, AT(common), "General"},
    {0},
};

static bool verify_first(const struct options *o, const struct reader *reader,
    struct progress *progress, const struct network *network, struct err *e)
{
	if (!o->verify_first)
		return true;
	if (reader_is_forward(reader))
		return err_set(e, ERR_USAGE,
		    "--verify-first: expected a file, found a pipe, whose bytes pass once");
	progress_total(progress, reader_inventory(reader)->total);
	return reader_verify(reader, network->jobs, progress_watch(progress), e);
}

/* The registry first: the values file must not point at what is not there yet.  The record of
 * it last: what was not finished was not used. */
static bool deliver(struct delivery *delivery, struct network *network,
    struct progress *progress, const struct customer *customer,
    const struct admission *admission, struct err *e)
{
	return delivery_run(delivery, network, progress, e) && customer_write(customer, e)
	       && admission_record(admission);
}

/* The steps of a push, in the order they happen. */
static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *const *words = o->common.arguments.items;
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "push");
	struct watch *watch = progress_watch(progress);
	OWNED(reader_drop) struct reader *reader = NULL;
	OWNED(customer_drop) struct customer *customer = NULL;
	OWNED(network_drop) struct network network = {0};
	OWNED(delivery_drop) struct delivery *delivery = NULL;
	struct target target = {0};
	struct admission admission;

	/* clang-format off */
	return media_in_alone(words[0], o->customer.file, o->network.password_stdin ? "-" : NULL, e)
	    && target_parse(words[1], &target, e)
	    && trusted_open(&o->trust, &o->common, words[0], &reader, e)
	    && reader_is_whole(reader, e)
	    && admission_check(&o->admission, reader, &target, &admission, e)
	    && approved_check(&o->approved, &o->common, &admission, e)
	    && (o->dry_run || admission_prepare(e))
	    && delivery_plan(reader, &target, &o->delivery, &delivery, e)
	    && customer_decide(&o->customer, &o->common,
		&(struct subject){reader, &target, delivery_excluded(delivery)}, &customer, e)
	    && network_open(&o->network, &(struct texts){0}, watch, &network, e)
	    && verify_first(o, reader, progress, &network, e)
	    && delivery_preflight(delivery, &network, watch, e)
	    && (o->dry_run || deliver(delivery, &network, progress, customer, &admission, e))
	    && delivery_print(delivery, o->common.json, stdout)
	    && delivery_is_whole(delivery, e);
	/* clang-format on */
}

const struct verb verb_push = {
    .name = "push",
    .arguments = "BUNDLE HOST[:PORT][/PREFIX]",
    .least = 2,
    .most = 2,
    .summary = "push a verified bundle into a registry",
    .about = "Verifies the bundle, decides every name and every change to the values "
	     "file, asks the registry what it has, and pushes what is missing straight "
	     "out of the tarball: blobs, manifests, and each tag last. Then the chart "
	     "and the values file. The same command again continues, and sends nothing "
	     "twice.",
    .example =
	"  sealift push immuta-2024.1.5.tar registry.corp:5000/apps --trust vendor.pub \\\n"
	"      -f immuta-values.yaml -o values/",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
