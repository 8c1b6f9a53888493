#include "cmd/advice.h"

#include "manifests/chartneeds.h"

#include <string.h>

struct adviser {
	struct chart_hearer hearer;
	const struct chart *chart;
	const struct request *request;
	struct watch *watch;
};

static bool hear_missing(
    struct chart_hearer *self, const struct chart_need *need, struct err *e)
{
	const struct adviser *a = (const struct adviser *)self;

	(void)e;
	watch_warn(a->watch,
	    "the chart %s depends on %.100s%s%.160s, which is not in its archive: helm will "
	    "not "
	    "render it; have it packed with \"helm dependency update\"",
	    a->chart->name, need->what, *need->where ? " of " : "", need->where);
	return true;
}

static bool is_carried(const struct request *request, const char *image)
{
	struct reference ref;
	char text[REFERENCE_TEXT_MAX];
	struct err ignored = {0};

	if (!reference_parse(slice_of(image), &ref, &ignored))
		return false;
	(void)reference_text(&ref, text);
	for (size_t i = 0; i < request->release->image_count; i++)
		if (strcmp(request->release->images[i].ref, text) == 0)
			return true;
	return false;
}

static bool hear_image(struct chart_hearer *self, const struct chart_need *need, struct err *e)
{
	const struct adviser *a = (const struct adviser *)self;

	(void)e;
	if (!is_carried(a->request, need->what))
		watch_warn(a->watch,
		    "the chart %.160s names the image %.300s%s, which is not carried; --image "
		    "adds it",
		    need->where, need->what, need->conditional ? " (under a condition)" : "");
	return true;
}

bool advice_on_chart(const struct chart *chart, const struct request *request,
    struct watch *watch, struct err *e)
{
	struct adviser missing = {{hear_missing}, chart, request, watch};
	struct adviser images = {{hear_image}, chart, request, watch};

	return chartneeds_missing(chart, &missing.hearer, e)
	       && chartneeds_images(chart, &images.hearer, e);
}
