#include "tests/unit/bundle/sample.h"

#include "base/file.h"
#include "base/own.h"
#include "bundle/foreign.h"
#include "bundle/reader.h"
#include "bundle/writer.h"
#include "manifests/image.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LAYER = 5000,
	MEMBERS = FIXED_MEMBERS + 7,
};

static void fill(struct buf *out, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245U + 12345U;
		buf_add(out, &(char){(char)(seed >> 16)}, 1);
	}
}

static void put_descriptor(struct buf *out, const char *type, const struct buf *bytes)
{
	struct digest d;
	char text[DIGEST_TEXT];

	digest_of(buf_slice(bytes), &d);
	buf_addf(out, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}", type,
	    digest_text(&d, text), bytes->len);
}

/* Members: 5 documents for other tools, release, chart .tgz, config and manifest of the chart,
 * config and manifest of the image, two layers. */
static void make_blobs(struct buf *b)
{
	struct buf *release = &b[FIXED_MEMBERS];

	buf_adds(release, "{}");
	fill(release + 1, 900, 7);
	buf_adds(release + 2, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
	fill(release + 4, LAYER, 1);
	fill(release + 5, 3 * TAR_BLOCK, 2);
	buf_adds(release + 6, "");
	buf_addf(release + 3,
	    "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":", MEDIA_OCI_MANIFEST);
	put_descriptor(release + 3, "application/vnd.oci.image.config.v1+json", release + 2);
	buf_adds(release + 3, ",\"layers\":[");
	put_descriptor(release + 3, "application/vnd.oci.image.layer.v1.tar+gzip", release + 4);
	buf_adds(release + 3, ",");
	put_descriptor(release + 3, "application/vnd.oci.image.layer.v1.tar+gzip", release + 5);
	buf_adds(release + 3, ",");
	put_descriptor(release + 3, "application/vnd.oci.image.layer.v1.tar", release + 6);
	buf_adds(release + 3, "]}");
}

struct one_document {
	struct documents documents;
	const struct image *image;
};

static const struct image *find(const struct documents *self, const struct digest *d)
{
	const struct image *image = ((const struct one_document *)self)->image;

	return digest_equal(d, &image->self.digest) ? image : NULL;
}

static void set_member(struct inventory *inv, size_t i, const struct buf *bytes)
{
	inv->members[i].size = bytes->len;
	digest_of(buf_slice(bytes), &inv->members[i].digest);
}

static void make_foreign(struct inventory *inv, struct buf *blobs)
{
	static const size_t order[FIXED_MEMBERS] = {0, 2, 3, 4, 1};
	struct buf raw = BUF(4096);
	struct image *image = NULL;
	struct err e = {0};

	buf_add(&raw, blobs[FIXED_MEMBERS + 3].ptr, blobs[FIXED_MEMBERS + 3].len);
	cr_assert(image_parse_take(&raw, NULL, &image, &e), "%s", e.text);
	const struct one_document documents = {{find}, image};
	for (size_t i = 0; i < FIXED_MEMBERS; i++) {
		struct buf *out = &blobs[order[i]];
		cr_assert(
		    foreign_write(order[i], inv, &documents.documents, out, &e), "%s", e.text);
		set_member(inv, order[i], out);
	}
	image_free(image);
}

static void make_image(struct inventory *inv)
{
	struct bundle_image *image = own_new(sizeof(*image));
	const struct member *m = inv->members + FIXED_MEMBERS;

	image->ref = own_text("registry.example/team/app:1.0");
	image->digest = image->source_digest = m[3].digest;
	image->size = m[3].size;
	image->media_type = own_text(MEDIA_OCI_MANIFEST);
	image->platforms = own_array(1, sizeof(char *));
	image->platforms[image->platform_count++] = own_text("linux/amd64");
	image->blobs = own_array(4, sizeof(*image->blobs));
	image->blobs[image->blob_count++] = m[2].digest;
	image->blobs[image->blob_count++] = m[4].digest;
	image->blobs[image->blob_count++] = m[5].digest;
	image->blobs[image->blob_count++] = m[6].digest;
	inv->images = image;
	inv->image_count = 1;
}

struct inventory *sample_inventory(struct buf *blobs, size_t room)
{
	struct inventory *inv = inventory_new();

	cr_assert(room >= MEMBERS);
	for (size_t i = 0; i < MEMBERS; i++)
		buf_init(&blobs[i], 1 << 20);
	make_blobs(blobs);
	inv->name = own_text("sample");
	inv->channel = own_text("stable");
	inv->version = own_text("1.0");
	inv->tool = own_text("sealift/test");
	inv->created = inv->sequence = 1795352400;
	inv->member_count = MEMBERS;
	inv->members = own_array(MEMBERS, sizeof(*inv->members));
	for (size_t i = 0; i < MEMBERS; i++) {
		inv->members[i].name = i < FIXED_MEMBERS ? member_fixed_name(i) : NULL;
		set_member(inv, i, &blobs[i]);
	}
	inv->release = inv->members[FIXED_MEMBERS].digest;
	make_image(inv);
	make_foreign(inv, blobs);
	return inv;
}

struct key *sample_key(
    enum key_type type, const char *folder, const char *name, char *public_path, size_t room)
{
	struct buf private_pem = BUF(8192);
	struct buf public_pem = BUF(8192);
	struct key *key = NULL;
	struct err e = {0};
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s.key", folder, name);
	(void)snprintf(public_path, room, "%s/%s.pub", folder, name);
	cr_assert(key_generate(type, NULL, &private_pem, &public_pem, &e), "%s", e.text);
	cr_assert(file_write_new(path, buf_slice(&private_pem), FILE_REPLACE, 0600, &e), "%s",
	    e.text);
	cr_assert(file_write_new(public_path, buf_slice(&public_pem), FILE_REPLACE, 0644, &e),
	    "%s", e.text);
	cr_assert(key_open_private(path, NULL, &key, &e), "%s", e.text);
	buf_drop(&private_pem);
	buf_drop(&public_pem);
	return key;
}

static void write_bundle(struct sample *s)
{
	struct buf blobs[MEMBERS];
	struct inventory *inv = sample_inventory(blobs, MEMBERS);
	struct output *output = NULL;
	struct writer *w;
	struct buf bytes = BUF(INVENTORY_MAX);
	struct err e = {0};

	cr_assert(inventory_write(inv, &bytes, &e), "%s", e.text);
	cr_assert(output_to_file(s->path, FILE_REFUSE, true, &output, &e), "%s", e.text);
	w = writer_new(s->path, &output, s->signer);
	cr_assert(writer_begin(w, inv, buf_slice(&bytes), &e), "%s", e.text);
	for (size_t i = 0; i < MEMBERS; i++) {
		struct medium_sink sink;
		cr_assert(writer_member(w, i, &sink, &e), "%s", e.text);
		cr_assert(!blobs[i].len
			      || sink.sink.write(&sink.sink, blobs[i].ptr, blobs[i].len, &e),
		    "%s", e.text);
		cr_assert(writer_member_end(w, i, &e), "%s", e.text);
		buf_drop(&blobs[i]);
	}
	cr_assert(writer_end(w, &e) && writer_commit(w, &e), "%s", e.text);
	s->inventory_size = bytes.len;
	writer_free(w);
	inventory_free(inv);
	buf_drop(&bytes);
}

void sample_init(struct sample *s, enum key_type type)
{
	struct key *key;
	struct buf bytes = BUF(0);
	struct err e = {0};

	*s = (struct sample){.folder = "/tmp/sealift-unit-XXXXXX"};
	cr_assert(mkdtemp(s->folder));
	(void)snprintf(s->path, sizeof(s->path), "%s/sample.tar", s->folder);
	key = sample_key(type, s->folder, "sample", s->public_path, sizeof(s->public_path));
	s->signer = signer_of_key_take(&key);
	write_bundle(s);
	s->trust = trust_new();
	cr_assert(trust_add(s->trust, s->public_path, &e), "%s", e.text);
	cr_assert(file_read(s->path, 1 << 20, &bytes, &e), "%s", e.text);
	s->size = bytes.len;
	s->bytes = (unsigned char *)bytes.ptr;
}

void sample_drop(struct sample *s)
{
	char command[128];

	signer_free(s->signer);
	trust_free(s->trust);
	free(s->bytes);
	(void)snprintf(command, sizeof(command), "rm -r -- '%s'", s->folder);
	cr_assert(system(command) == 0);
}

enum err_kind sample_verify(const struct sample *s, const char *path, struct err *e)
{
	struct medium *medium = NULL;
	struct reader *r = NULL;

	err_clear(e);
	if (medium_open_file(path, MEDIUM_READ, &medium, e)
	    && reader_open(&medium, s->trust, &r, e))
		(void)!reader_verify(r, 1, NULL, e);
	reader_free(r);
	medium_free(medium);
	return e->kind;
}

void sample_figure(const char *what, size_t refused, size_t tried)
{
	const char *path = getenv("FIGURES");
	FILE *file = path ? fopen(path, "a") : NULL;

	printf("%s: %zu of %zu refused\n", what, refused, tried);
	if (file) {
		fprintf(file, "%s: %zu of %zu refused\n", what, refused, tried);
		(void)fclose(file);
	}
}
