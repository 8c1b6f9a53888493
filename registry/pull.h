/*
 * Out of a registry: manifests by tag or digest, blobs by descriptor.  PROTOCOL 6, 7.
 */
#pragma once

#include "manifests/image.h"
#include "registry/registry.h"

/* The manifest or index that ask (a tag or "sha256:…") names: digest computed from the bytes
 * and compared with ask and with Docker-Content-Digest (MAN-01, 03..07).  want may say what the
 * parent descriptor promised (size, media type), or is NULL.  ERR_MISSING when there is none.
 */
bool pull_manifest(const struct repository *at, const char *ask, const struct descriptor *want,
    struct image **out, struct err *e) MUST_CHECK;

/* The blob's bytes into sink, which must be able to rewind: resumed where a transfer broke,
 * verified against the descriptor (DL-07..12).  ERR_DAMAGED when the registry sends other
 * bytes. */
bool pull_blob(const struct repository *at, const struct descriptor *blob, struct sink *sink,
    struct err *e) MUST_CHECK;

/* The same where sink has the first bytes of the blob already, as held gives them: they are
 * hashed, and only the rest is asked for; if it was not them, all is (DL-10). */
bool pull_rest(const struct repository *at, const struct descriptor *blob, struct source *held,
    struct sink *sink, struct err *e) MUST_CHECK;

/* Whether the registry says by HEAD that it does not have the blob; what it does not say is
 * for pull_blob to find out. */
bool pull_lacks(const struct repository *at, const struct descriptor *blob, bool *lacks,
    struct err *e) MUST_CHECK;
