/* sign: one more signature on a bundle that is there, or one made apart from it. */
#include "base/file.h"
#include "base/own.h"
#include "bundle/countersign.h"
#include "cmd/media_in.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/signing.h"
#include "cmd/verb.h"

#include <stdlib.h>
#include <string.h>

struct options {
	struct common common;
	struct signing_options signing;
	const char *inventory;
	const char *output;
	bool add;
};

enum { PATH_ROOM = 4096 };

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"add", 0, OPTION_FLAG, AT(add), NULL, "put the signature beside those that are there"},
    {"inventory", 0, OPTION_TEXT, AT(inventory), "FILE",
	"sign this bundle/inventory.json, or the one in this head, and write the signatures "
	"as files for sealift attach"},
    {"output", 'o', OPTION_TEXT, AT(output), "DIR",
	"with --inventory: write KID.sig and the other forms into this folder (default: the "
	"current one)"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {signing_options, AT(signing), "Signing"},
    {passphrase_options, AT(signing.passphrase), "Passphrase of the key"},
    {common_options, 0, "General"},
    {0},
};

/* The id of what is signed, first of all. */
static void say_id(
    const struct options *o, const char *what, struct slice inventory, struct digest *id)
{
	digest_of(inventory, id);
	result_id(&o->common, stdout, what, id);
}

static void report(const struct options *o, const char *what, const struct digest *id,
    const struct signer *signer)
{
	char text[DIGEST_TEXT];
	char kid[KID_TEXT];
	const struct fact facts[] = {{"id", digest_text(id, text), 0},
	    {o->inventory ? "inventory" : "bundle", what, 0},
	    {"signer", signer_kid(signer, kid), 0}};

	if (o->common.json)
		result_json(facts, 3);
	else if (!o->common.quiet)
		say(stdout, "%s: signed by %s\n", what, kid);
}

static bool sign_bundle(const struct options *o, const char *path, const struct signer *signer,
    struct digest *id, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(buf_drop) struct buf journal = BUF(PATH_ROOM);
	OWNED(countersigning_drop) struct countersigning c = {0};
	OWNED(signatures_drop) struct signatures made = {0};

	buf_addf(&journal, "%s.signing", path);
	if (!buf_ok(&journal, e) || !media_in_mend(path, &medium, e)
	    || !countersigning_open(medium, buf_text(&journal), &c, e))
		return false;
	say_id(o, path, buf_slice(&c.head.inventory), id);
	return signer_sign(signer, c.inv, buf_slice(&c.head.inventory), &made, e)
	       && countersigning_write(&c, &made, e) && countersigning_refresh(&c, path, e);
}

/* The inventory in the file: all of it, or what stands in a head. */
static bool read_inventory(const char *path, struct buf *out, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;
	OWNED(head_drop) struct head head = {0};

	if (file_read(path, INVENTORY_MAX, out, e) && out->len && out->ptr[0] == '{')
		return true;
	if (e->kind && e->kind != ERR_LIMIT)
		return false;
	buf_drop(out);
	err_clear(e);
	if (!medium_open_file(path, MEDIUM_READ, &medium, e) || !head_read(medium, &head, e))
		return false;
	*out = STEAL(head.inventory);
	return true;
}

static bool write_files(const struct options *o, const struct signatures *made, struct err *e)
{
	for (size_t i = 0; i < made->count; i++) {
		OWNED(buf_drop) struct buf path = BUF(PATH_ROOM);

		buf_addf(&path, "%s/%s", o->output ? o->output : ".", made->items[i].name);
		if (!buf_ok(&path, e)
		    || !file_write_new(
			buf_text(&path), buf_slice(&made->items[i].text), FILE_REFUSE, 0666, e))
			return false;
		if (!o->common.quiet && !o->common.json)
			say(stdout, "wrote %s\n", buf_text(&path));
	}
	return true;
}

/* On the machine that has the key, where the bundle is not. */
static bool sign_apart(
    const struct options *o, const struct signer *signer, struct digest *id, struct err *e)
{
	OWNED(buf_drop) struct buf inventory = BUF(0);
	OWNED(inventory_drop) struct inventory *inv = NULL;
	OWNED(signatures_drop) struct signatures made = {0};

	if (!read_inventory(o->inventory, &inventory, e)
	    || !inventory_read(buf_slice(&inventory), &inv, e))
		return err_in(e, "%s", o->inventory);
	say_id(o, o->inventory, buf_slice(&inventory), id);
	return signer_sign(signer, inv, buf_slice(&inventory), &made, e)
	       && write_files(o, &made, e);
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.count ? o->common.arguments.items[0] : NULL;
	OWNED(signer_drop) struct signer *signer = NULL;
	struct digest id;

	if (!path == !o->inventory || !o->add == !o->inventory || (o->output && path))
		return err_set(e, ERR_USAGE,
		    "expected BUNDLE and --add, or --inventory FILE with -o DIR; see sealift "
		    "sign --help");
	if (!signing_open(&o->signing, &signer, e))
		return false;
	if (path ? !sign_bundle(o, path, signer, &id, e) && !err_in(e, "%s", path)
		 : !sign_apart(o, signer, &id, e))
		return false;
	report(o, path ? path : o->inventory, &id, signer);
	return true;
}

const struct verb verb_sign = {
    .name = "sign",
    .arguments = "[BUNDLE]",
    .most = 1,
    .summary = "sign a bundle that is there, in place",
    .about = "With --add puts one more signature into the bundle's signature area, in place: "
	     "32 KiB are written, whatever the bundle's size, and a run that was killed is "
	     "put right by the next one. Its own earlier signature is replaced, nobody "
	     "else's. With --inventory signs an inventory alone, on a machine that has the "
	     "key but not the bundle; sealift attach brings the signature in. Signing says "
	     "that you approve exactly these bytes: verify first.",
    .example = "  sealift sign immuta-2024.1.5.tar --add --sign-key second.key",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
