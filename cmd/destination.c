#include "cmd/destination.h"

#include "base/own.h"
#include "manifests/chart.h"

bool destination_of_image(const struct bundle_image *image, const struct target *target,
    struct reference *out, struct err *e)
{
	struct reference from;

	if (!reference_parse(slice_of(image->ref), &from, e)
	    || !reference_rehome(&from, target, out, e))
		return false;
	out->has_digest = !out->tag[0];
	out->digest = image->digest;
	return true;
}

static bool keep_path(const struct bundle_chart *chart, const struct target *target,
    struct reference *out, struct err *e)
{
	struct reference from;

	if (!reference_parse(slice_of(chart->source), &from, e)
	    || !reference_rehome(&from, target, out, e))
		return false;
	out->has_digest = false;
	(void)chart_tag(chart->version, out->tag);
	return true;
}

bool destination_of_chart(const struct bundle_chart *chart, const struct target *target,
    struct reference *out, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(REFERENCE_TEXT_MAX);
	char tag[REFERENCE_TAG_MAX + 1];

	if (slice_starts(slice_of(chart->source), "oci://"))
		return keep_path(chart, target, out, e);
	buf_addf(&text, "%s/%s%s%s:%s", target->host, target->prefix,
	    *target->prefix ? "/" : "", chart->name, chart_tag(chart->version, tag));
	return buf_ok(&text, e) && reference_parse(buf_slice(&text), out, e);
}
