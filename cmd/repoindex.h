/*
 * The index.yaml that makes a folder of charts a classic chart repository: any web server can
 * give it out (PROTOCOL HLM-22).
 */
#pragma once

#include "bundle/reader.h"

/* The index of all charts in the bundle, each at NAME-VERSION.tgz beside it; JSON, which is
 * YAML.  The same bundle gives the same bytes. */
bool repoindex_write(const struct reader *reader, struct buf *out, struct err *e) MUST_CHECK;
