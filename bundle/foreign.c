#include "bundle/foreign.h"

#include "manifests/json.h"
#include "manifests/reference.h"

#include <string.h>

enum {
	DEPTH_MAX = 8, /* indexes below one another */
};

static const char readme[] =
    "How to check this bundle by hand, without sealift\n"
    "\n"
    "You need the signer's public key (pub.pem) from a source you trust; nothing in this\n"
    "file can tell you whom to trust. BUNDLE is this tar file. KID is the key's id, the\n"
    "first 16 digits of what this prints:\n"
    "\n"
    "    openssl pkey -pubin -in pub.pem -outform DER | sha256sum\n"
    "\n"
    "The commands run in an empty folder, one after the other; each must succeed.\n"
    "\n"
    "1. Take out the signed inventory and the signature. With GNU tar or bsdtar, which\n"
    "   stop when both are found, however large BUNDLE is, or with busybox, which reads on:\n"
    "\n"
    "    tar -xf BUNDLE --occurrence=1 bundle/inventory.json bundle/sig/KID.sig\n"
    "\n"
    "    bsdtar -xqf BUNDLE bundle/inventory.json bundle/sig/KID.sig\n"
    "\n"
    "    busybox tar -xf BUNDLE bundle/inventory.json bundle/sig/KID.sig\n"
    "\n"
    "2. Check the signature, with a key of the kind P-256, P-384 or Ed25519:\n"
    "\n"
    "    base64 -d bundle/sig/KID.sig > signature.raw\n"
    "    openssl dgst -sha256 -verify pub.pem -signature signature.raw bundle/inventory.json\n"
    "\n"
    "    base64 -d bundle/sig/KID.sig > signature.raw\n"
    "    openssl dgst -sha384 -verify pub.pem -signature signature.raw bundle/inventory.json\n"
    "\n"
    "    base64 -d bundle/sig/KID.sig > signature.raw\n"
    "    openssl pkeyutl -verify -rawin -pubin -inkey pub.pem -in bundle/inventory.json \\\n"
    "        -sigfile signature.raw\n"
    "\n"
    "   Other forms of the signature may stand beside it: KID.minisig, for minisign with\n"
    "   its own file of the same key (minisign.pub), and KID.p7s, by a certificate that an\n"
    "   authority gave out (corp.pem). Step 1 takes them out by their names, too:\n"
    "\n"
    "    minisign -V -p minisign.pub -m bundle/inventory.json -x bundle/sig/KID.minisig\n"
    "\n"
    "    openssl cms -verify -binary -purpose any -content bundle/inventory.json \\\n"
    "        -inform DER -in bundle/sig/KID.p7s -CAfile corp.pem -out /dev/null\n"
    "\n"
    "3. Check every member against the sums in the signed inventory. The members get a\n"
    "   folder of their own, so that none can take the place of the inventory just checked:\n"
    "\n"
    "    mkdir members\n"
    "    tar -xf BUNDLE -C members\n"
    "    grep -o '\"path\":\"[^\"]*\",\"size\":[0-9]*,\"sha256\":\"[0-9a-f]*\"' "
    "bundle/inventory.json \\\n"
    "        | awk -F'\"' '{print $10\"  \"$4}' > sums\n"
    "    cd members\n"
    "    sha256sum -c ../sums\n"
    "\n"
    "What is checked then is the folder, and what you use must come from it: it is an OCI\n"
    "image layout, oci:members to skopeo. Only sealift compares every byte of the tar file.\n"
    "\n"
    "SHA256SUMS holds the same sums, to find damage with. It is not signed itself: whoever\n"
    "changes a member can change that list too, so step 3 and not it is the check.\n"
    "\n"
    "The tar file is also an OCI image layout and a docker archive: skopeo, ctr and podman\n"
    "read the images in it. docker load, and podman load of several images, make manifests\n"
    "of their own, so that digests change; where digests matter, use sealift push, ctr or\n"
    "skopeo oci-archive:.\n";

static void write_sums(const struct inventory *inv, struct buf *out)
{
	char path[MEMBER_PATH];
	char hex[DIGEST_TEXT];

	for (size_t i = 0; i < inv->member_count; i++)
		if (i != MEMBER_SUMS)
			buf_addf(out, "%s  %s\n", digest_hex(&inv->members[i].digest, hex),
			    member_path(&inv->members[i], path));
}

static void write_layout(struct buf *out)
{
	struct json_writer w = {.out = out};

	json_begin(&w, '{');
	json_pair(&w, "imageLayoutVersion", "1.0.0");
	json_end(&w, '}');
}

static void put_index_entry(struct json_writer *w, const struct bundle_image *image)
{
	char digest[DIGEST_TEXT];

	json_begin(w, '{');
	json_pair(w, "mediaType", image->media_type);
	json_pair(w, "digest", digest_text(&image->digest, digest));
	json_key(w, "size");
	json_put_u64(w, image->size);
	json_key(w, "annotations");
	json_begin(w, '{');
	json_pair(w, "io.containerd.image.name", image->ref);
	json_pair(w, "org.opencontainers.image.ref.name", image->ref);
	json_end(w, '}');
	json_end(w, '}');
}

/* Images only: ctr fails on a chart in index.json. */
static void write_index(const struct inventory *inv, struct buf *out)
{
	struct json_writer w = {.out = out};

	json_begin(&w, '{');
	json_key(&w, "schemaVersion");
	json_put_u64(&w, 2);
	json_pair(&w, "mediaType", MEDIA_OCI_INDEX);
	json_key(&w, "manifests");
	json_begin(&w, '[');
	for (size_t i = 0; i < inv->image_count; i++)
		put_index_entry(&w, &inv->images[i]);
	json_end(&w, ']');
	json_end(&w, '}');
}

/* The child of an index that docker load gets: linux/amd64, else the first that is an image. */
static bool choose(const struct image *index, size_t *child)
{
	const struct platform usual = {.os = "linux", .arch = "amd64"};
	struct err ignored = {0};

	if (image_select(index, &usual, child, &ignored))
		return true;
	for (*child = 0; *child < index->count; (*child)++)
		if (!index->parts[*child].attestation)
			return true;
	return false;
}

/* The one manifest of an image that a docker archive lists; NULL when it has none that is
 * there. */
static const struct image *docker_manifest(
    const struct documents *documents, const struct digest *top)
{
	const struct image *document = documents->find(documents, top);
	size_t child;

	for (int depth = 0; document && document->kind == IMAGE_INDEX; depth++) {
		if (depth == DEPTH_MAX || !choose(document, &child))
			return NULL;
		document =
		    documents->find(documents, &document->parts[child].descriptor.digest);
	}
	return document;
}

static bool is_container_image(const struct image *manifest)
{
	const char *type = manifest->parts[0].descriptor.media_type;

	return strcmp(type, "application/vnd.oci.image.config.v1+json") == 0
	       || strcmp(type, "application/vnd.docker.container.image.v1+json") == 0;
}

static void put_path(struct json_writer *w, const struct digest *d)
{
	const struct member m = {.digest = *d};
	char path[MEMBER_PATH];

	json_put_text(w, slice_of(member_path(&m, path)));
}

static bool put_docker_entry(
    struct json_writer *w, const struct image *manifest, const char *ref, struct err *e)
{
	struct reference named;
	char text[REFERENCE_TEXT_MAX];

	if (!reference_parse(slice_of(ref), &named, e))
		return false;
	named.has_digest = false;
	json_begin(w, '{');
	json_key(w, "Config");
	put_path(w, &manifest->parts[0].descriptor.digest);
	json_key(w, "RepoTags");
	json_begin(w, '[');
	if (named.tag[0])
		json_put_text(w, slice_of(reference_text(&named, text)));
	json_end(w, ']');
	json_key(w, "Layers");
	json_begin(w, '[');
	for (size_t i = 1; i < manifest->count; i++)
		put_path(w, &manifest->parts[i].descriptor.digest);
	json_end(w, ']');
	json_end(w, '}');
	return true;
}

static bool write_docker(const struct inventory *inv, const struct documents *documents,
    struct buf *out, struct err *e)
{
	struct json_writer w = {.out = out};

	json_begin(&w, '[');
	for (size_t i = 0; i < inv->image_count; i++) {
		const struct image *manifest =
		    docker_manifest(documents, &inv->images[i].digest);
		if (manifest && is_container_image(manifest)
		    && !put_docker_entry(&w, manifest, inv->images[i].ref, e))
			return false;
	}
	json_end(&w, ']');
	return true;
}

bool foreign_write(size_t i, const struct inventory *inv, const struct documents *documents,
    struct buf *out, struct err *e)
{
	if (i == MEMBER_README)
		buf_adds(out, readme);
	else if (i == MEMBER_SUMS)
		write_sums(inv, out);
	else if (i == MEMBER_OCI_LAYOUT)
		write_layout(out);
	else if (i == MEMBER_OCI_INDEX)
		write_index(inv, out);
	else if (!write_docker(inv, documents, out, e))
		return false;
	return buf_ok(out, e) || err_in(e, "%s", member_fixed_name(i));
}
