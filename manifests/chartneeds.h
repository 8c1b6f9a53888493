/*
 * What a chart needs beside itself: the subcharts that its archive lacks, and the images that
 * its annotations name.  PROTOCOL HLM-18, HLM-19.
 */
#pragma once

#include "manifests/chart.h"

/* Whoever is told of a need: a dependency that is missing, or an image. */
struct chart_need {
	const char *what;  /* the dependency's name, or the image as it is written */
	const char *where; /* its repository, or the chart that names the image */
	bool conditional;  /* of an image: only under a condition */
};

struct chart_hearer {
	bool (*hear)(struct chart_hearer *self, const struct chart_need *need, struct err *e);
};

/* Each dependency of Chart.yaml or requirements.yaml that does not stand in charts/. */
bool chartneeds_missing(
    const struct chart *c, struct chart_hearer *hearer, struct err *e) MUST_CHECK;

/* Each image that the annotations of the chart and of its subcharts list:
 * artifacthub.io/images, images and helm.sh/images.  ERR_FORMAT names the chart and the
 * annotation that is no list. */
bool chartneeds_images(
    const struct chart *c, struct chart_hearer *hearer, struct err *e) MUST_CHECK;
