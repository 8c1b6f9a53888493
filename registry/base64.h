/*
 * Base64 as credentials use it: the standard alphabet (CRD-06).
 */
#pragma once

#include "base/buf.h"

void base64_encode(struct slice bytes, struct buf *out);

/* Line ends and missing padding are let pass, any other character is not. */
bool base64_decode(struct slice text, struct buf *out);
