/*
 * Who signs, as options: a private key by path or URI, or a command that has one.
 */
#pragma once

#include "bundle/signer.h"
#include "cmd/options.h"
#include "cmd/passphrase.h"

struct signing_options {
	const char *sign_key;
	const char *sign_cmd;
	const char *sign_pub;
	const char *sign_cert;
	struct passphrase_options passphrase;
};
extern const struct option signing_options[];

/* Opens the signer, asking for its passphrase now.  ERR_USAGE when the options name none, or
 * two. */
bool signing_open(
    const struct signing_options *o, struct signer **out, struct err *e) MUST_CHECK;
