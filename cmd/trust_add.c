/* trust add: believes bundles that a public key signed, once its fingerprint is confirmed. */
#include "base/file.h"
#include "base/own.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/rings.h"
#include "cmd/verb.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	KEY_FILE_MAX = 64 * 1024,
	ANSWER_MAX = 256,
};

struct options {
	struct common common;
	struct rings_options role;
	const char *fingerprint;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"fingerprint", 0, OPTION_TEXT, AT(fingerprint), "HEX",
	"the key's whole fingerprint, as its owner told it, in place of typing it"},
    {0},
};
static const struct option_group groups[] = {
    {own_options, 0, "Options"},
    {rings_options, AT(role), "Whom"},
    {common_options, 0, "General"},
    {0},
};

static const char begin_mark[] = "-----BEGIN PUBLIC KEY-----\n";
static const char end_mark[] = "-----END PUBLIC KEY-----\n";

/* A file with more than the key is not copied: it may hold a secret. */
static bool is_key_alone(struct slice pem)
{
	const size_t end = sizeof(end_mark) - 1;

	return slice_starts(pem, begin_mark) && pem.len > end
	       && memcmp(pem.ptr + pem.len - end, end_mark, end) == 0
	       && memmem(pem.ptr + 1, pem.len - 1, "-----BEGIN", 10) == NULL;
}

static bool read_new(const char *path, struct buf *pem, struct key **key, struct err *e)
{
	if (!file_read(path, KEY_FILE_MAX, pem, e)
	    || !key_read_public(buf_slice(pem), path, key, e))
		return false;
	return is_key_alone(buf_slice(pem))
	       || err_set(e, ERR_FORMAT,
		   "%s: expected one public key in PEM and nothing else, found more", path);
}

static bool ask(struct buf *answer, struct err *e)
{
	char line[ANSWER_MAX] = "";
	FILE *tty = fopen("/dev/tty", "r+e");

	if (!tty)
		return err_set(e, ERR_USAGE,
		    "expected --fingerprint HEX, or a terminal to type it on, found neither");
	(void)fprintf(tty, "the fingerprint that its owner told you: ");
	(void)fflush(tty);
	(void)fseek(tty, 0, SEEK_CUR);
	const bool ok = fgets(line, sizeof(line), tty) != NULL;
	(void)fclose(tty);
	rings_hex(line, answer);
	return ok
	       || err_set(e, ERR_USAGE, "expected a fingerprint on the terminal, found none");
}

static bool confirm(const struct options *o, const struct key *key, struct err *e)
{
	OWNED(buf_drop) struct buf answer = BUF(ANSWER_MAX);
	struct digest spki;
	char hex[DIGEST_TEXT];

	key_fingerprint(key, &spki);
	(void)digest_hex(&spki, hex);
	if (!o->common.json && !o->common.quiet)
		say(stdout, "%s: fingerprint %s\n", o->common.arguments.items[0], hex);
	if (o->fingerprint)
		rings_hex(o->fingerprint, &answer);
	else if (!ask(&answer, e))
		return false;
	return slice_is(buf_slice(&answer), hex)
	       || err_set(e, ERR_UNTRUSTED,
		   "%s: expected the fingerprint %s, found another: this is not the key that "
		   "was meant, or it was mistyped",
		   o->common.arguments.items[0], buf_text(&answer));
}

/* NAME of PATH/NAME.pub, which the copy keeps. */
static bool new_name(const char *path, struct buf *name, struct err *e)
{
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const size_t len = strlen(base) - (keyring_takes(base) ? 4 : 0);
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	buf_add(name, base, len);
	return (len && base[0] != '.' && strspn(buf_text(name), letters) == len)
	       || err_set(e, ERR_USAGE,
		   "expected a file name of letters, digits, \".\", \"_\" and \"-\", found "
		   "\"%s\"; rename it",
		   base);
}

static bool is_new(const struct keyring *ring, const struct key *key, struct err *e)
{
	char kid[KID_TEXT];
	const struct ring_key *had = keyring_find(ring, key_kid(key, kid));

	return !had
	       || err_set(e, ERR_USAGE, "the key %s is there already, in %s", kid, had->path);
}

static bool in_folder(
    const struct buf *folder, const char *name, const char *end, struct buf *out, struct err *e)
{
	buf_init(out, CONFIG_PATH_MAX);
	buf_addf(out, "%s/%s%s", buf_text(folder), name, end);
	return buf_ok(out, e);
}

/* A sidecar that waits there would limit the new key, unseen. */
static bool no_scope(const struct buf *folder, const char *name, struct err *e)
{
	OWNED(buf_drop) struct buf scope = BUF(0);

	if (!in_folder(folder, name, ".scope", &scope, e))
		return false;
	return access(buf_text(&scope), F_OK) != 0
	       || err_set(e, ERR_USAGE,
		   "%s is there already, and would limit the new key; remove it first",
		   buf_text(&scope));
}

static bool install(const struct buf *folder, const char *name, struct slice pem,
    struct buf *path, struct err *e)
{
	if (!in_folder(folder, name, ".pub", path, e) || !no_scope(folder, name, e)
	    || !file_make_folders(buf_text(folder), 0755, e)
	    || !file_write_new(buf_text(path), pem, FILE_REFUSE, 0644, e))
		return false;
	if (chmod(buf_text(path), 0644) != 0) /* others are to read it, whatever the umask */
		return err_errno(e, "cannot set the mode of %s", buf_text(path));
	return true;
}

static bool report(const struct options *o, const char *path, const struct key *key)
{
	struct digest spki;
	char hex[DIGEST_TEXT];

	key_fingerprint(key, &spki);
	const struct fact facts[] = {
	    {"added", path, 0}, {"fingerprint", digest_hex(&spki, hex), 0}};
	if (o->common.json)
		result_json(facts, 2);
	else
		say(stdout, "added %s\n", path);
	return true;
}

static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const char *path = o->common.arguments.items[0];
	OWNED(buf_drop) struct buf pem = BUF(0);
	OWNED(key_drop) struct key *key = NULL;
	OWNED(keyring_drop) struct keyring ring = {0};
	OWNED(buf_drop) struct buf folder = BUF(0);
	OWNED(buf_drop) struct buf name = BUF(256);
	OWNED(buf_drop) struct buf added = BUF(0);

	return new_name(path, &name, e) && read_new(path, &pem, &key, e)
	       && config_path(rings_folder(&o->role), &folder, e)
	       && rings_survey(rings_folder(&o->role), &ring, e) && is_new(&ring, key, e)
	       && confirm(o, key, e)
	       && install(&folder, buf_text(&name), buf_slice(&pem), &added, e)
	       && report(o, buf_text(&added), key);
}

const struct verb verb_trust_add = {
    .name = "trust add",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .summary = "believe bundles that a public key signed",
    .about = "Shows the fingerprint of the public key in FILE, wants it typed as its owner "
	     "told it by another way, and copies the key to trusted.d. Nothing is "
	     "overwritten.",
    .example = "  sealift trust add vendor.pub",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
