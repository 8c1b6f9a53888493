/*
 * What a chart needs and an export does not carry: told before anything is fetched, since on
 * the other side it is too late.  PROTOCOL HLM-18, HLM-19.
 */
#pragma once

#include "cmd/listing.h"

/* Warns of each subchart that a chart lacks, and of each image that its annotations name and
 * nobody asked for.  ERR_FORMAT when such an annotation is no list. */
bool advice_on_chart(const struct chart *chart, const struct request *request,
    struct watch *watch, struct err *e) MUST_CHECK;
