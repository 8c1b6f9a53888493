/* values: the customer's values file, pointed at the customer's registry. */
#include "base/own.h"
#include "cmd/admission.h"
#include "cmd/customer.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct trust_options trust;
	struct admission_options admission;
	struct customer_options customer;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {customer_options, AT(customer), "Values"},
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {admission_options, AT(admission), "Admission"},
    {common_options, AT(common), "General"},
    {0},
};

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *bundle = o->common.arguments.items[0];
	OWNED(reader_drop) struct reader *reader = NULL;
	OWNED(customer_drop) struct customer *customer = NULL;
	struct target target;
	struct admission admission;

	if (!o->customer.file && !o->customer.output)
		return err_set(
		    e, ERR_USAGE, "expected -f FILE and -o OUT; see sealift values --help");
	return media_in_alone(bundle, o->customer.file, NULL, e)
	       && target_parse(o->common.arguments.items[1], &target, e)
	       && trusted_open(&o->trust, &o->common, bundle, &reader, e)
	       && reader_is_whole(reader, e)
	       && admission_check(&o->admission, reader, &target, &admission, e)
	       && customer_decide(&o->customer, &o->common,
		   &(struct subject){.reader = reader, .target = &target}, &customer, e)
	       && customer_write(customer, e);
}

const struct verb verb_values = {
    .name = "values",
    .arguments = "BUNDLE HOST[:PORT][/PREFIX]",
    .least = 2,
    .most = 2,
    .summary = "rewrite a values file to point at a registry",
    .about = "Rewrites the image coordinates in a Helm values file to the registry "
	     "that the bundle is pushed to. Only those bytes change; each change is "
	     "printed; what cannot be moved is reported and nothing is written. "
	     "Coordinates that only the chart's defaults hold go into a small overlay "
	     "file. Without -f the overlay alone is written.",
    .example =
	"  sealift values immuta-2024.1.5.tar registry.corp:5000/apps --trust vendor.pub \\\n"
	"      -f immuta-values.yaml -o values/",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
