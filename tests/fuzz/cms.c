/*
 * CMS signatures, as base64 text so that the corpus can be read: the decoder takes one form,
 * and what it takes says the same again.
 */
#include "base/base64.h"
#include "base/own.h"
#include "bundle/cms.h"

#include <stdlib.h>

enum { DER_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	OWNED(buf_drop) struct buf der = BUF(DER_MAX);
	OWNED(cms_drop) struct cms first = {0};
	OWNED(cms_drop) struct cms second = {0};
	struct err e = {0};

	if (!base64_decode(slice_at(bytes, len), &der)
	    || !cms_decode(buf_slice(&der), &first, &e))
		return 0;
	const bool holds = cms_holds(&first, slice_of("text"));
	if (!cms_decode(buf_slice(&der), &second, &e)
	    || cms_holds(&second, slice_of("text")) != holds)
		abort();
	return 0;
}
