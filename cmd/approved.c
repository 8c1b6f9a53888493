#include "cmd/approved.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/approval.h"
#include "cmd/output.h"
#include "cmd/rings.h"
#include "cmd/trusted.h"

#define AT(field) offsetof(struct approved_options, field)
const struct option approved_options[] = {
    {"approval", 0, OPTION_TEXTS, AT(approvals), "FILE",
	"an approval of this bundle, as approve writes it; may be given again"},
    {"approver", 0, OPTION_TEXTS, AT(approvers), "FILE",
	"take approvals by this public key, or by a key in this folder, in place of those in "
	"/etc/sealift/approvers.d; may be given again"},
    {0},
};

/* Distinct approvers. */
struct approvers {
	const struct ring_key *by[POLICY_MAX];
	size_t count;
};

static void add_approver(struct approvers *a, const struct ring_key *by)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->by[i] == by)
			return;
	if (a->count < POLICY_MAX) /* more than any policy asks for */
		a->by[a->count++] = by;
}

static bool make_ring(const struct approved_options *o, struct keyring *ring, struct err *e)
{
	for (size_t i = 0; i < o->approvers.count; i++)
		if (!keyring_add(ring, o->approvers.items[i], GUARD_USER, e))
			return err_in(e, "--approver");
	return o->approvers.count || rings_open(RINGS_APPROVERS, ring, e);
}

/* The approvers of one file whose scope the bundle is in; every one must be. */
static bool count_signers(const struct envelope_signers *signers,
    const struct approval_use *use, struct approvers *out, struct err *e)
{
	for (size_t i = 0; i < signers->count; i++) {
		const struct ring_key *by = signers->by[i];
		OWNED(buf_drop) struct buf why = BUF(400);

		if (!scope_covers(&by->scope, use->name, use->now, &why))
			return err_set(e, ERR_UNTRUSTED, "the approver's key %s (%s) %s",
			    by->kid, by->scope_path ? by->scope_path : by->path,
			    buf_text(&why));
		add_approver(out, by);
	}
	return true;
}

static bool check_file(const char *path, const struct keyring *ring,
    const struct approval_use *use, struct approvers *out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(0);
	OWNED(approval_drop) struct approval a = {0};
	struct envelope_signers signers;

	if (!file_read(path, ENVELOPE_MAX, &text, e)
	    || !approval_read(buf_slice(&text), path, ring, &a, &signers, e))
		return false;
	return (approval_fits(&a, use, e) && count_signers(&signers, use, out, e))
	       || err_in(e, "%s", path);
}

static void say_approvers(const struct approvers *a)
{
	for (size_t i = 0; i < a->count; i++)
		say(stdout, "approved by %s (%s)\n", a->by[i]->kid, a->by[i]->path);
}

bool approved_check(const struct approved_options *o, const struct common *common,
    const struct admission *use, struct err *e)
{
	OWNED(keyring_drop) struct keyring ring = {0};
	struct approvers approvers = {.count = 0};
	const struct approval_use want = {.id = reader_id(use->reader),
	    .name = reader_inventory(use->reader)->name,
	    .destination = use->destination,
	    .now = trusted_clock()};
	struct policy policy;

	if (!config_policy(&policy, e))
		return false;
	if (!policy.approvals && !o->approvals.count)
		return true;
	if (!make_ring(o, &ring, e))
		return false;
	for (size_t i = 0; i < o->approvals.count; i++)
		if (!check_file(o->approvals.items[i], &ring, &want, &approvers, e))
			return err_in(e, "--approval");
	if (approvers.count < policy.approvals)
		return err_set(e, ERR_UNTRUSTED,
		    "expected approvals by %u approver%s, as trust.conf wants, found %zu; "
		    "--approval gives one, sealift approve makes one",
		    policy.approvals, plural(policy.approvals), approvers.count);
	if (!common->json && !common->quiet)
		say_approvers(&approvers);
	return true;
}
