/* approve: a person's signed word that this bundle may be pushed. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/approval.h"
#include "cmd/admission.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/signing.h"
#include "cmd/trusted.h"
#include "cmd/verb.h"
#include "manifests/reference.h"

#include <string.h>

struct options {
	struct common common;
	struct trust_options trust;
	struct signing_options signing;
	const char *note;
	const char *to;
	const char *expires;
	const char *output;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"note", 0, OPTION_TEXT, AT(note), "TEXT",
	"why it is approved: a change's number, a ticket (required)"},
    {"to", 0, OPTION_TEXT, AT(to), "HOST[:PORT][/PREFIX]",
	"for this destination only, and for nothing below it"},
    {"expires", 0, OPTION_TEXT, AT(expires), "DATE",
	"good until the end of this day, or until this time"},
    {"output", 'o', OPTION_TEXT, AT(output), "FILE", "write the approval here (required)"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {trust_options, AT(trust), "Trust"},
    {media_in_options, AT(trust.media), "Media"},
    {signing_options, AT(signing), "Signing"},
    {passphrase_options, AT(signing.passphrase), "Passphrase of the key"},
    {common_options, 0, "General"},
    {0},
};

static bool is_complete(const struct options *o, struct err *e)
{
	if (!o->note || !o->output)
		return err_set(
		    e, ERR_USAGE, "expected --note and -o; see sealift approve --help");
	if (o->signing.sign_cert)
		return err_set(e, ERR_USAGE,
		    "--sign-cert: expected none, since an approval carries no certificate");
	return (*o->note && strlen(o->note) <= APPROVAL_NOTE_MAX)
	       || err_set(e, ERR_USAGE, "--note: expected 1 to %d bytes, found %zu",
		   APPROVAL_NOTE_MAX, strlen(o->note));
}

static bool set_destination(const struct options *o, struct approval *a, struct err *e)
{
	struct target target;
	char text[REFERENCE_TEXT_MAX];

	if (!o->to)
		return true;
	if (!target_parse(o->to, &target, e))
		return err_in(e, "--to");
	a->destination = own_text(admission_destination(&target, text));
	return true;
}

static bool set_times(const struct options *o, struct approval *a, struct err *e)
{
	a->created = trusted_clock();
	if (!o->expires)
		return true;
	if (!date_read(o->expires, DATE_DAY_END, &a->expires, e))
		return err_in(e, "--expires");
	return a->expires > a->created
	       || err_set(
		   e, ERR_USAGE, "--expires: expected a day to come, found %s", o->expires);
}

static bool sign(
    const struct options *o, const struct approval *a, struct buf *out, struct err *e)
{
	OWNED(signer_drop) struct signer *signer = NULL;

	return signing_open(&o->signing, &signer, e) && approval_write(a, signer, out, e);
}

static void report(const struct options *o, const struct approval *a)
{
	char id[DIGEST_TEXT];

	const struct fact facts[] = {{"id", digest_text(&a->id, id), 0},
	    {"approval", o->output, 0}, {"bundle", a->name, 0}};

	if (o->common.json)
		result_json(facts, 3);
	else if (!o->common.quiet)
		say(stdout, "wrote %s: %s, %s, may be pushed %s%s\n", o->output, id, a->name,
		    a->destination ? "to " : "anywhere", a->destination ? a->destination : "");
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(approval_drop) struct approval a = {0};
	OWNED(reader_drop) struct reader *reader = NULL;
	OWNED(buf_drop) struct buf text = BUF(0);

	if (!is_complete(o, e) || !set_destination(o, &a, e) || !set_times(o, &a, e)
	    || !trusted_open(&o->trust, &o->common, o->common.arguments.items[0], &reader, e))
		return false;
	a.id = *reader_id(reader);
	a.name = own_text(reader_inventory(reader)->name);
	a.note = own_text(o->note);
	if (!sign(o, &a, &text, e)
	    || !file_write_new(o->output, buf_slice(&text), FILE_REFUSE, 0666, e))
		return false;
	report(o, &a);
	return true;
}

const struct verb verb_approve = {
    .name = "approve",
    .arguments = "BUNDLE",
    .least = 1,
    .most = 1,
    .summary = "sign that a bundle may be pushed",
    .about = "Checks that a trusted key signed BUNDLE, or its head alone, and writes a signed "
	     "statement that the bundle with this id may be pushed. It travels apart from "
	     "the bundle, which is not changed; push --approval takes it.",
    .example =
	"  sealift approve immuta-2024.1.5.tar --sign-key officer.key --note CHG-123 \\\n"
	"      --to registry.corp:5000/apps -o immuta.approval",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
