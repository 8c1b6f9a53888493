/*
 * Base64 with the standard alphabet: what credentials (CRD-06) and envelopes are written in.
 */
#pragma once

#include "base/buf.h"

void base64_encode(struct slice bytes, struct buf *out);

/* Line ends and missing padding are let pass, any other character is not. */
bool base64_decode(struct slice text, struct buf *out);

/* The same for text that must be exactly what base64_encode makes of the result. */
bool base64_decode_exact(struct slice text, struct buf *out);
