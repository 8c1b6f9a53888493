#include "base/base64.h"

#include "base/own.h"

#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		const size_t left = bytes.len - i;
		const unsigned char *in = (const unsigned char *)bytes.ptr + i;
		const unsigned group = (unsigned)in[0] << 16
				       | (left > 1 ? (unsigned)in[1] << 8 : 0)
				       | (left > 2 ? in[2] : 0U);
		const char quad[4] = {
		    alphabet[group >> 18],
		    alphabet[group >> 12 & 63],
		    (char)(left > 1 ? alphabet[group >> 6 & 63] : '='),
		    (char)(left > 2 ? alphabet[group & 63] : '='),
		};
		buf_add(out, quad, sizeof(quad));
	}
}

bool base64_decode(struct slice text, struct buf *out)
{
	unsigned group = 0;
	unsigned bits = 0;

	while (text.len && strchr("=\r\n", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\r' || text.ptr[i] == '\n')
			continue;
		const char *at = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
		if (!at)
			return false;
		group = (group << 6 | (unsigned)(at - alphabet)) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			const char byte = (char)(group >> bits & 0xff);
			buf_add(out, &byte, 1);
		}
	}
	return !out->over && bits < 6;
}

bool base64_decode_exact(struct slice text, struct buf *out)
{
	OWNED(buf_drop) struct buf again = BUF(text.len + 1);

	if (!base64_decode(text, out))
		return false;
	base64_encode(buf_slice(out), &again);
	return !again.over && slice_equal(buf_slice(&again), text);
}
