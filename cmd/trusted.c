#include "cmd/trusted.h"

#include "base/own.h"
#include "cmd/output.h"
#include "cmd/rings.h"
#include "manifests/json.h"

#include <time.h>

enum {
	PEM_MAX = 4 * 1024 * 1024,
	EVENT_MAX = 64 * 1024,
};

#define AT(field) offsetof(struct trust_options, field)
const struct option trust_options[] = {
    {"trust", 0, OPTION_TEXTS, AT(trust), "FILE",
	"believe bundles signed by this public key, or by a key in this folder, in place of "
	"those in /etc/sealift/trusted.d; may be given again"},
    {"threshold", 0, OPTION_NUMBER, AT(threshold), "N",
	"want signatures by N trusted keys; the larger of this and trust.conf counts"},
    {"trust-ca", 0, OPTION_TEXT, AT(ca), "FILE",
	"believe signatures with a certificate below these CAs (PEM), and no others"},
    {"crl-file", 0, OPTION_TEXT, AT(crl), "FILE",
	"with --trust-ca: the revocation lists of every CA in the chain (PEM)"},
    {"cert-subject", 0, OPTION_TEXT, AT(subject), "NAME",
	"with --trust-ca: only by this subject, as openssl -nameopt RFC2253 writes it"},
    {"spki", 0, OPTION_TEXT, AT(spki), "HEX",
	"with --trust-ca: only by the key with this fingerprint"},
    {0},
};
const struct option audit_options[] = {
    {"at", 0, OPTION_TEXT, AT(at), "DATE",
	"judge as of the end of this day, or at this time, and not as of now"},
    {0},
};

uint64_t trusted_clock(void)
{
	return (uint64_t)time(NULL);
}

static bool set_time(const struct trust_options *o, struct trust *trust, struct err *e)
{
	trust->now = trusted_clock();
	return !o->at || date_read(o->at, DATE_DAY_END, &trust->now, e) || err_in(e, "--at");
}

static bool set_threshold(const struct trust_options *o, struct trust *trust, struct err *e)
{
	struct policy policy;

	if (!config_policy(&policy, e))
		return false;
	if (o->threshold.given && (o->threshold.value < 1 || o->threshold.value > POLICY_MAX))
		return err_set(e, ERR_USAGE, "--threshold: expected 1 to %d, found %u",
		    POLICY_MAX, o->threshold.value);
	trust->threshold = number_or(o->threshold, 1);
	if (policy.threshold > trust->threshold)
		trust->threshold = policy.threshold;
	return true;
}

/* No --trust: the keys of trusted.d, and nobody where it is absent or empty. */
static bool trust_installed(struct trust *trust, struct err *e)
{
	OWNED(buf_drop) struct buf folder = BUF(0);

	if (!config_path(RINGS_SIGNERS, &folder, e)
	    || !rings_open(RINGS_SIGNERS, &trust->ring, e))
		return false;
	return trust->ring.count
	       || err_set(e, ERR_UNTRUSTED,
		   "expected --trust FILE with the public key of whoever may sign, or a key in "
		   "%s, found none: nothing is believed by default",
		   buf_text(&folder));
}

/* An empty list of revocations where none was named: then nothing is asked. */
static bool read_pem(const char *option, const char *path, struct buf *out, struct err *e)
{
	return !path || guarded_read(path, PEM_MAX, GUARD_USER, out, e)
	       || err_in(e, "%s", option);
}

static bool trust_authority(const struct trust_options *o, struct trust *trust, struct err *e)
{
	OWNED(buf_drop) struct buf ca = BUF(0);
	OWNED(buf_drop) struct buf crl = BUF(0);
	struct digest spki;

	if (o->trust.count)
		return err_set(e, ERR_USAGE,
		    "expected --trust or --trust-ca, found both: one of the two decides");
	if (o->spki && !digest_parse_hex(slice_of(o->spki), &spki, e)) {
		e->kind = ERR_USAGE;
		return err_in(e, "--spki");
	}
	if (!read_pem("--trust-ca", o->ca, &ca, e) || !read_pem("--crl-file", o->crl, &crl, e))
		return false;
	if (o->crl && !crl.len)
		return err_set(e, ERR_FORMAT, "--crl-file: %s is empty", o->crl);
	const struct authority_terms terms = {.ca = buf_slice(&ca),
	    .crl = buf_slice(&crl),
	    .subject = o->subject,
	    .spki = o->spki ? &spki : NULL};
	return authority_open(&terms, &trust->authority, e) || err_in(e, "--trust-ca");
}

static bool make_trust(const struct trust_options *o, struct trust *trust, struct err *e)
{
	if (!set_time(o, trust, e) || !set_threshold(o, trust, e))
		return false;
	if (o->ca)
		return trust_authority(o, trust, e);
	if (o->crl || o->subject || o->spki)
		return err_set(e, ERR_USAGE,
		    "--crl-file, --cert-subject and --spki: expected --trust-ca beside them, "
		    "found none");
	for (size_t i = 0; i < o->trust.count; i++)
		if (!trust_add(trust, o->trust.items[i], e))
			return err_in(e, "--trust");
	return o->trust.count || trust_installed(trust, e);
}

static void report_signers(const struct judgement *j, const char *path, const char *id)
{
	OWNED(buf_drop) struct buf kids = BUF(1024);

	for (size_t i = 0; i < j->signer_count; i++)
		buf_addf(&kids, "%s%s", i ? ", " : "", j->signers[i].kid);
	say(stdout, "%s: %s, signed by the trusted key%s %s\n", path, id,
	    plural(j->signer_count), buf_text(&kids));
}

static void report(const struct reader *reader, const char *path)
{
	const struct judgement *j = reader_judgement(reader);
	char id[DIGEST_TEXT];

	report_signers(j, path, digest_text(reader_id(reader), id));
	for (char *const *name = j->unchecked; *name; name++)
		say(stdout,
		    "%s: not checked: the signature %s, by no trusted key or of an unknown "
		    "form\n",
		    path, *name);
	for (char *const *why = j->not_counted; *why; why++)
		say(stdout, "%s: not counted: %s\n", path, *why);
}

static bool open_reader(const struct trust_options *o, const struct common *common,
    const char *path, struct trust *trust, struct reader **out, struct err *e)
{
	OWNED(medium_drop) struct medium *medium = NULL;

	if (!make_trust(o, trust, e))
		return false;
	if (!media_in_open(&o->media, path, MEDIUM_READ, &medium, e)
	    || !reader_open(&medium, trust, out, e))
		return err_in(e, "%s", path);
	if (!common->json && !common->quiet)
		report(*out, path);
	return true;
}

/* The id is the first that a program sees, too. */
static void print_event(const struct reader *reader, const char *path)
{
	OWNED(buf_drop) struct buf text = BUF(EVENT_MAX);
	struct json_writer w = {.out = &text};
	char id[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "event", "bundle");
	json_pair(&w, "id", digest_text(reader_id(reader), id));
	json_pair(&w, "bundle", path);
	json_pair(&w, "signer", reader_signer(reader));
	json_end(&w, '}');
	(void)puts(buf_text(&text));
}

bool trusted_open(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e)
{
	OWNED(trust_drop) struct trust *trust = trust_new();
	OWNED(reader_drop) struct reader *reader = NULL;

	if (!open_reader(o, common, path, trust, &reader, e))
		return false;
	if (common->json)
		print_event(reader, path);
	if (!judge_time(reader_inventory(reader), trust->now, e))
		return err_in(e, "%s", path);
	*out = STEAL(reader);
	return true;
}

bool trusted_look(const struct trust_options *o, const struct common *common, const char *path,
    struct reader **out, struct err *e)
{
	OWNED(trust_drop) struct trust *trust = trust_new();
	struct err late = {0};

	if (!open_reader(o, common, path, trust, out, e))
		return false;
	if (!judge_time(reader_inventory(*out), trust->now, &late))
		say(common->json ? stderr : stdout, "%s: push would refuse it: %s\n", path,
		    late.text);
	return true;
}

bool trusted_by_anyone(const struct trust_options *o)
{
	OWNED(keyring_drop) struct keyring ring = {0};
	struct err ignored = {0};

	return o->trust.count || o->ca || !rings_survey(RINGS_SIGNERS, &ring, &ignored)
	       || ring.count;
}
