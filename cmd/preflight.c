/* preflight: what a push would meet at its destination; nothing is pushed. */
#include "base/own.h"
#include "cmd/delivery.h"
#include "cmd/network.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/survey.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"
#include "manifests/json.h"
#include "registry/requests.h"

enum { RESULT_MAX = 16 * 1024 * 1024 };

struct options {
	struct common common;
	struct trust_options trust;
	struct delivery_options delivery;
	struct network_options network;
};

#define AT(field) offsetof(struct options, field)
static const struct option_group groups[] = {
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {delivery_options, AT(delivery), "Delivery"},
    {network_options, AT(network), "Network"},
    {common_options, AT(common), "General"},
    {0},
};

static void print(const struct survey *s)
{
	OWNED(table_drop) struct table t = {.columns = 3};
	char size[24];

	for (size_t i = 0; i < s->count; i++) {
		const struct survey_place *p = &s->places[i];
		table_add(&t, "%s", p->path);
		table_add(&t, "may push; has %zu of %zu blob%s", p->there, p->blobs,
		    plural(p->blobs));
		table_add(&t, "%s to add", size_text(p->missing, size));
	}
	table_print(&t, stdout);
	say(stdout, "to add: %s\n", size_text(s->missing, size));
}

static void put_place(struct json_writer *w, const struct survey_place *p)
{
	json_begin(w, '{');
	json_pair(w, "name", p->path);
	json_key(w, "blobs");
	json_put_u64(w, p->blobs);
	json_key(w, "there");
	json_put_u64(w, p->there);
	json_key(w, "missing");
	json_put_u64(w, p->missing);
	json_end(w, '}');
}

static void print_json(const struct survey *s)
{
	OWNED(buf_drop) struct buf text = BUF(RESULT_MAX);
	struct json_writer w = {.out = &text};

	json_begin(&w, '{');
	json_pair(&w, "event", "survey");
	json_key(&w, "repositories");
	json_begin(&w, '[');
	for (size_t i = 0; i < s->count; i++)
		put_place(&w, &s->places[i]);
	json_end(&w, ']');
	json_key(&w, "missing");
	json_put_u64(&w, s->missing);
	json_end(&w, '}');
	(void)puts(buf_text(&text));
}

static bool survey(const struct options *o, const struct target *target,
    struct network *network, struct progress *progress, struct err *e)
{
	OWNED(reader_drop) struct reader *reader = NULL;
	OWNED(delivery_drop) struct delivery *delivery = NULL;
	OWNED(survey_drop) struct survey survey = {0};

	if (!trusted_open(&o->trust, &o->common, o->common.arguments.items[1], &reader, e)
	    || !delivery_plan(reader, target, &o->delivery, &delivery, e)
	    || !survey_take(delivery, network, progress_watch(progress), &survey, e))
		return false;
	if (o->common.json)
		print_json(&survey);
	else
		print(&survey);
	return delivery_print(delivery, o->common.json, stdout);
}

/* The registry, and the login for it. */
static bool ask_registry(const struct options *o, const struct target *target,
    const struct network *network, struct err *e)
{
	struct repository at;

	if (!registries_repository(
		network->registries, network->workers[0], target->host, target->prefix, &at, e)
	    || !registry_ping(&at, e))
		return false;
	if (!o->common.json)
		say(stdout, "%s: a registry answers\n", target->host);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "preflight");
	OWNED(network_drop) struct network network = {0};
	struct target target = {0};

	return target_parse(o->common.arguments.items[0], &target, e)
	       && network_open(
		   &o->network, &(struct texts){0}, progress_watch(progress), &network, e)
	       && ask_registry(o, &target, &network, e)
	       && (o->common.arguments.count < 2 || survey(o, &target, &network, progress, e));
}

const struct verb verb_preflight = {
    .name = "preflight",
    .arguments = "HOST[:PORT][/PREFIX] [BUNDLE]",
    .least = 1,
    .most = 2,
    .summary = "ask a registry what a push would meet",
    .about = "Asks whether the destination is a registry and which login there is for it. "
	     "With a BUNDLE, whether every repository of it may be pushed to, what every "
	     "name is taken by, and how many bytes are to be added; every problem is told, "
	     "not the first alone. No object is pushed. Rights can only be learnt by opening "
	     "an upload, which stays, empty, until the registry purges it; push itself learns "
	     "them from its first real upload.",
    .example = "  sealift preflight registry.corp:5000/apps immuta-2024.1.5.tar \\\n"
	       "      --trust vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
