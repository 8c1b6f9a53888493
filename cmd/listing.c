#include "cmd/listing.h"

#include "base/own.h"
#include "cmd/version.h"
#include "manifests/digestmap.h"

#include <stdlib.h>
#include <string.h>

enum {
	FOREIGN_MAX = 8 * 1024 * 1024,
	RELEASE_MAX = 8 * 1024 * 1024,
};

static struct slice chart_config(const struct resolved_chart *c)
{
	return buf_slice(c->found.image ? &c->found.config : &c->config);
}

static struct slice chart_manifest(const struct resolved_chart *c)
{
	return buf_slice(c->found.image ? &c->found.image->raw : &c->manifest);
}

/* The members while they are listed: each blob once. */
struct listing {
	struct plan *plan;
	struct digest_map *seen;
};

static void add_member(
    struct listing *l, const struct member *m, const struct plan_member *from)
{
	struct inventory *inv = l->plan->inventory;

	if (!m->name && !digest_map_add(l->seen, &m->digest, inv->member_count))
		return;
	inv->members = own_grow(inv->members, inv->member_count + 1, sizeof(*inv->members));
	l->plan->members =
	    own_grow(l->plan->members, inv->member_count + 1, sizeof(*l->plan->members));
	inv->members[inv->member_count] = *m;
	l->plan->members[inv->member_count] = *from;
	inv->member_count++;
}

/* A member whose bytes are known. */
static void add_bytes(struct listing *l, struct slice bytes, struct digest *digest)
{
	struct member m = {.size = bytes.len};

	digest_of(bytes, &m.digest);
	if (digest)
		*digest = m.digest;
	add_member(l, &m, &(struct plan_member){.bytes = bytes});
}

static void add_blob(struct listing *l, const struct descriptor *d, size_t image)
{
	const struct member m = {.size = d->size, .digest = d->digest};

	add_member(l, &m, &(struct plan_member){.image = image});
}

/* An image's trees: its own, then those of what refers to it. */
static size_t tree_count(const struct resolved_image *image)
{
	return 1 + image->referrer_count;
}

static const struct tree *tree_at(const struct resolved_image *image, size_t i)
{
	return i ? &image->referrers[i - 1].tree : &image->tree;
}

static void list_documents(struct listing *l, const struct resolved_image *image)
{
	for (size_t t = 0; t < tree_count(image); t++)
		for (size_t d = 0; d < tree_at(image, t)->count; d++)
			add_bytes(l, buf_slice(&tree_at(image, t)->documents[d]->raw), NULL);
}

static void list_config(struct listing *l, const struct image *doc, size_t image)
{
	if (doc->kind == IMAGE_MANIFEST && doc->count
	    && doc->parts[0].descriptor.size <= SMALL_MEMBER_MAX)
		add_blob(l, &doc->parts[0].descriptor, image);
}

/* Group 6 of BUNDLE.md 1.2, without the release document: what is needed before layers. */
static void list_small(struct listing *l)
{
	const struct resolved *r = l->plan->resolved;

	for (size_t i = 0; i < r->chart_count; i++) {
		add_bytes(l, buf_slice(&r->charts[i].found.tgz), NULL);
		for (size_t m = 0; m < r->charts[i].found.more_count; m++)
			add_bytes(l, buf_slice(&r->charts[i].found.more[m]), NULL);
		add_bytes(l, chart_config(&r->charts[i]), NULL);
		add_bytes(l, chart_manifest(&r->charts[i]), NULL);
	}
	for (size_t i = 0; i < r->image_count; i++)
		list_documents(l, &r->images[i]);
	for (size_t i = 0; i < r->image_count; i++) {
		if (r->images[i].config.len)
			add_bytes(l, buf_slice(&r->images[i].config), NULL);
		for (size_t t = 0; t < tree_count(&r->images[i]); t++)
			for (size_t d = 0; d < tree_at(&r->images[i], t)->count; d++)
				list_config(l, tree_at(&r->images[i], t)->documents[d], i);
	}
}

static void list_tree(struct listing *l, const struct tree *tree, size_t image)
{
	for (size_t d = 0; d < tree->count; d++)
		for (size_t p = 0; p < tree->documents[d]->count; p++)
			if (!tree_is_document(tree->documents[d], p))
				add_blob(l, &tree->documents[d]->parts[p].descriptor, image);
}

/* Group 7: layers, by image, each once. */
static void list_layers(struct listing *l)
{
	const struct resolved *r = l->plan->resolved;

	for (size_t i = 0; i < r->image_count; i++)
		for (size_t t = 0; t < tree_count(&r->images[i]); t++)
			list_tree(l, tree_at(&r->images[i], t), i);
}

/* Then files; one that equals a layer or another file is that one's member. */
static void list_files(struct listing *l, const struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct bundle_file *file = &l->plan->inventory->files[i];
		const struct member m = {.size = file->size, .digest = file->blob};

		add_member(l, &m, &(struct plan_member){.path = files->items[i].path});
	}
}

static void add_digest(struct bundle_image *b, struct digest_map *seen, const struct digest *d)
{
	if (!digest_map_add(seen, d, b->blob_count))
		return;
	b->blobs = own_grow(b->blobs, b->blob_count + 1, sizeof(*b->blobs));
	b->blobs[b->blob_count++] = *d;
}

static void add_platform(struct bundle_image *b, const struct platform *p)
{
	char text[PLATFORM_TEXT];

	b->platforms = own_grow(b->platforms, b->platform_count + 1, sizeof(*b->platforms));
	b->platforms[b->platform_count++] = own_text(platform_text(p, text));
}

static void describe_platforms(const struct resolved_image *image, struct bundle_image *b)
{
	struct platform platform;

	if (image->config.len && image_config_platform(buf_slice(&image->config), &platform))
		add_platform(b, &platform);
	for (size_t d = 0; d < image->tree.count; d++) {
		const struct image *doc = image->tree.documents[d];
		for (size_t p = 0; p < doc->count; p++)
			if (doc->parts[p].has_platform && !doc->parts[p].attestation)
				add_platform(b, &doc->parts[p].platform);
	}
}

static void describe_referrers(const struct resolved_image *image, struct bundle_image *b)
{
	b->referrers = own_array(image->referrer_count, sizeof(*b->referrers));
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct image *top = tree_top(&image->referrers[i].tree);
		b->referrers[b->referrer_count++] = (struct bundle_referrer){
		    .digest = top->self.digest,
		    .media_type = own_text(top->media_type),
		    .artifact_type = own_text(top->artifact_type),
		    .via = own_text(image->referrers[i].via),
		};
	}
}

static void describe_image(
    const struct resolved_image *image, const char *ref, struct bundle_image *b)
{
	const struct image *top = tree_top(&image->tree);
	OWNED(digest_map_drop) struct digest_map *seen = digest_map_new();

	b->ref = own_text(ref);
	b->digest = top->self.digest;
	b->source_digest = image->source;
	b->size = top->self.size;
	b->media_type = own_text(top->media_type);
	describe_platforms(image, b);
	describe_referrers(image, b);
	(void)digest_map_add(seen, &b->digest, 0);
	for (size_t d = 0; d < image->tree.count; d++) {
		const struct image *doc = image->tree.documents[d];
		for (size_t p = 0; p < doc->count; p++)
			add_digest(b, seen, &doc->parts[p].descriptor.digest);
	}
}

static void describe_chart(const struct resolved_chart *c, struct bundle_chart *b)
{
	b->name = own_text(c->found.chart->name);
	b->version = own_text(c->found.chart->version);
	b->blob = c->tgz.digest;
	b->source = own_text(c->found.source);
	b->manifest.size = chart_manifest(c).len;
	digest_of(chart_manifest(c), &b->manifest.digest);
	b->manifest.media_type =
	    own_text(c->found.image ? c->found.image->media_type : MEDIA_OCI_MANIFEST);
}

static int by_source(const void *a, const void *b)
{
	return strcmp(
	    ((const struct bundle_chart *)a)->source, ((const struct bundle_chart *)b)->source);
}

/* The last part of an image's path, and its tag, name a bundle that nothing else names. */
static void name_bundle(
    struct inventory *inv, const struct release *release, const struct resolved *r)
{
	const struct reference *first = r->image_count ? &r->images[0].ref : NULL;
	const char *name = release->name;
	const char *version = release->version;

	if (!name && r->chart_count)
		name = r->charts[0].found.chart->name;
	if (!version && r->chart_count)
		version = r->charts[0].found.chart->version;
	if (!name && first)
		name = strrchr(first->path, '/') ? strrchr(first->path, '/') + 1 : first->path;
	if (!version && first && first->tag[0])
		version = first->tag;
	inv->name = own_text(name ? name : "bundle");
	inv->version = own_text(version ? version : "0");
}

static bool describe(
    struct plan *plan, const struct request *request, uint64_t created, struct err *e)
{
	struct inventory *inv = plan->inventory;
	const struct release *release = request->release;
	const struct resolved *r = plan->resolved;

	name_bundle(inv, release, r);
	inv->tool = own_text(SEALIFT_TOOL);
	inv->created = created;
	inv->sequence = created;
	inv->image_count = r->image_count;
	inv->images = own_array(r->image_count, sizeof(*inv->images));
	for (size_t i = 0; i < r->image_count; i++)
		describe_image(&r->images[i], release->images[i].ref, &inv->images[i]);
	inv->chart_count = r->chart_count;
	inv->charts = own_array(r->chart_count, sizeof(*inv->charts));
	for (size_t i = 0; i < r->chart_count; i++)
		describe_chart(&r->charts[i], &inv->charts[i]);
	if (r->chart_count)
		qsort(inv->charts, r->chart_count, sizeof(*inv->charts), by_source);
	return stamp_put(&request->stamp, inv, e) && files_describe(&request->files, inv, e);
}

/* The documents by digest, as the metadata for other tools is made from them. */
struct document_map {
	struct documents documents;
	struct digest_map *map; /* image * TREE_DOCUMENTS_MAX + document */
	const struct resolved *resolved;
};

static const struct image *find_document(const struct documents *self, const struct digest *d)
{
	const struct document_map *m = (const struct document_map *)self;
	size_t at;

	if (!digest_map_find(m->map, d, &at))
		return NULL;
	return m->resolved->images[at / TREE_DOCUMENTS_MAX]
	    .tree.documents[at % TREE_DOCUMENTS_MAX];
}

static void map_documents(struct document_map *m, const struct resolved *r)
{
	*m = (struct document_map){
	    .documents = {find_document}, .map = digest_map_new(), .resolved = r};
	for (size_t i = 0; i < r->image_count; i++)
		for (size_t d = 0; d < r->images[i].tree.count; d++)
			(void)digest_map_add(m->map,
			    &r->images[i].tree.documents[d]->self.digest,
			    i * TREE_DOCUMENTS_MAX + d);
}

/* SHA256SUMS lists the sums of the others and is written after them. */
static bool write_foreign(struct plan *plan, struct err *e)
{
	static const size_t order[FIXED_MEMBERS] = {0, 2, 3, 4, 1};
	struct document_map documents;
	bool ok = true;

	map_documents(&documents, plan->resolved);
	for (size_t i = 0; ok && i < FIXED_MEMBERS; i++) {
		const size_t at = order[i];
		struct buf *out = &plan->resolved->foreign[at];
		struct member *m = &plan->inventory->members[at];

		buf_init(out, FOREIGN_MAX);
		ok = foreign_write(at, plan->inventory, &documents.documents, out, e);
		m->size = out->len;
		digest_of(buf_slice(out), &m->digest);
		plan->members[at].bytes = buf_slice(out);
	}
	digest_map_free(documents.map);
	return ok;
}

static bool list_members(struct plan *plan, const struct request *request, struct err *e)
{
	struct resolved *r = plan->resolved;
	struct listing l = {.plan = plan, .seen = digest_map_new()};

	for (size_t i = 0; i < FIXED_MEMBERS; i++)
		add_member(&l, &(struct member){.name = member_fixed_name(i)},
		    &(struct plan_member){.bytes = slice_of("")});
	buf_init(&r->release, RELEASE_MAX);
	release_write(request->release, &r->release);
	add_bytes(&l, buf_slice(&r->release), &plan->inventory->release);
	list_small(&l);
	list_layers(&l);
	list_files(&l, &request->files);
	digest_map_free(l.seen);
	if (plan->inventory->member_count > MEMBERS_MAX)
		return err_set(e, ERR_LIMIT,
		    "expected at most %d members in one bundle, found %zu; export in parts",
		    MEMBERS_MAX, plan->inventory->member_count);
	return buf_ok(&r->release, e) && write_foreign(plan, e);
}

bool plan_list(
    struct plan *plan, const struct request *request, uint64_t created, struct err *e)
{
	buf_init(&plan->bytes, INVENTORY_MAX);
	return describe(plan, request, created, e) && list_members(plan, request, e)
	       && inventory_write(plan->inventory, &plan->bytes, e);
}

void resolved_free(struct resolved *r)
{
	for (size_t i = 0; i < r->image_count; i++) {
		for (size_t t = 0; t < r->images[i].referrer_count; t++) {
			tree_drop(&r->images[i].referrers[t].tree);
			free(r->images[i].referrers[t].via);
		}
		free(r->images[i].referrers);
		tree_drop(&r->images[i].tree);
		buf_drop(&r->images[i].config);
	}
	for (size_t i = 0; i < r->chart_count; i++) {
		chart_found_drop(&r->charts[i].found);
		buf_drop(&r->charts[i].config);
		buf_drop(&r->charts[i].manifest);
	}
	for (size_t i = 0; i < FIXED_MEMBERS; i++)
		buf_drop(&r->foreign[i]);
	buf_drop(&r->release);
	free(r->images);
	free(r->charts);
	free(r);
}
