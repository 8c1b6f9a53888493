/*
 * Bytes in memory as OpenSSL reads and writes them, and how it ends to read PEM: shared by the
 * files that touch its keys, certificates and signatures.
 */
#pragma once

#include "base/buf.h"

#include <openssl/bio.h>

/* Reads these bytes, which are borrowed; NULL when there is no memory. */
BIO *bio_of(struct slice bytes);
void bio_drop(BIO **bio);

/* For what needs no passphrase: a file that says so makes nobody be asked. */
int bio_ask_nobody(char *text, int room, int writing, void *context);

/* After a read of PEM that gave nothing: whether no further block begins.  A broken one is no
 * end. Empties OpenSSL's queue of reasons. */
bool bio_ended(void);
