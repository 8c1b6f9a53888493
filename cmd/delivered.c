/* What a push came to: the table of names and digests, or the same as JSON. */
#include "cmd/parcel.h"

#include "base/own.h"
#include "cmd/output.h"
#include "manifests/json.h"

enum { RESULT_MAX = 16 * 1024 * 1024 };

static const char *const states[] = {
    [PARCEL_WAITING] = "missing",
    [PARCEL_THERE] = "was there",
    [PARCEL_DELIVERED] = "pushed",
    [PARCEL_EXCLUDED] = "left out",
};

static const char *state_of(const struct parcel *p)
{
	return p->unconfirmed ? "unconfirmed (policy)" : states[p->state];
}

static void print_json(const struct delivery *d, FILE *out)
{
	OWNED(buf_drop) struct buf text = BUF(RESULT_MAX);
	struct json_writer w = {.out = &text};
	char name[REFERENCE_TEXT_MAX];
	char digest[DIGEST_TEXT];

	json_begin(&w, '{');
	json_pair(&w, "event", "result");
	json_pair(&w, "id", digest_text(reader_id(d->reader), digest));
	json_key(&w, "pushed");
	json_begin(&w, '[');
	for (size_t i = 0; i < d->parcel_count; i++) {
		const struct parcel *p = &d->parcels[i];
		json_begin(&w, '{');
		json_pair(&w, "ref", reference_text(&p->to, name));
		json_pair(&w, "digest", digest_text(&p->top.digest, digest));
		json_pair(&w, "state", state_of(p));
		if (p->reason)
			json_pair(&w, "reason", p->reason);
		json_end(&w, '}');
	}
	json_end(&w, ']');
	json_end(&w, '}');
	(void)fprintf(out, "%s\n", buf_text(&text));
}

bool delivery_print(const struct delivery *d, bool json, FILE *out)
{
	OWNED(table_drop) struct table t = {.columns = 3};
	char name[REFERENCE_TEXT_MAX];
	char digest[DIGEST_TEXT];

	if (json) {
		print_json(d, out);
		return true;
	}
	for (size_t i = 0; i < d->parcel_count; i++) {
		const struct parcel *p = &d->parcels[i];
		table_add(&t, "%s", reference_text(&p->to, name));
		table_add(&t, "-> %s", digest_text(&p->top.digest, digest));
		table_add(&t, "%s%s%s", state_of(p), p->reason ? ": " : "",
		    p->reason ? p->reason : "");
	}
	table_print(&t, out);
	return true;
}

bool delivery_is_whole(const struct delivery *d, struct err *e)
{
	return !d->unlisted
	       || err_set(e, ERR_PARTIAL,
		   "all is in place, but signatures and the like of %zu image%s are not listed "
		   "there, as told above: who asks the registry for them does not find them",
		   d->unlisted, d->unlisted == 1 ? "" : "s");
}
