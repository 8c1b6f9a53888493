/*
 * A small bundle, made through the writer, and keys to sign and to believe it.
 */
#pragma once

#include "bundle/inventory.h"
#include "bundle/signer.h"
#include "bundle/trust.h"

struct sample {
	char folder[64];
	char path[128]; /* the bundle */
	char public_path[128];
	struct signer *signer;
	struct trust *trust;
	unsigned char *bytes; /* the whole file */
	size_t size;
	size_t inventory_size;
};

/* A bundle of one image and one chart below a temporary folder. */
void sample_init(struct sample *s, enum key_type type);
void sample_drop(struct sample *s);

/* A new private key with its public half at public_path. */
struct key *sample_key(
    enum key_type type, const char *folder, const char *name, char *public_path, size_t room);

/* The sample's inventory with its members' bytes; blobs[i] belongs to member i. */
struct inventory *sample_inventory(struct buf *blobs, size_t room);

/* Opens the file at path with the sample's trust and verifies every byte; the kind of the
 * failure, ERR_NONE when there is none. */
enum err_kind sample_verify(const struct sample *s, const char *path, struct err *e);

/* Publishes "R1 bit flips: 413,696 of 413,696 refused", also into the file that $FIGURES names.
 */
void sample_figure(const char *what, size_t refused, size_t tried);
