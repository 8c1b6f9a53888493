#include "manifests/rewrite.h"

#include "base/own.h"
#include "manifests/coordinates.h"
#include "manifests/overlay.h"
#include "manifests/splice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OUTPUT_MAX = 64 * 1024 * 1024,
	OVERLAY_MAX = 4 * 1024 * 1024,
	VALUE_MAX = 1024,
};

/* The work: what is asked, what is known, and what is decided so far. */
struct rewriting {
	const struct rewrite_request *request;
	struct merged_values values;
	struct rewrite *result;
	struct splice *splices; /* values belong to the changes */
	size_t splice_count;
	const char *component; /* whose image is decided; NULL: none's */
};

/* One component's image: what it is now, and what it must become. */
struct component {
	const struct coordinates *at;
	struct reference source; /* as the bundle records it */
	struct reference target;
	struct place whole;
	struct place registry;
	struct place repository;
};

static void find(struct rewriting *rw, const char *code, bool blocking,
    const struct place *place, const char *fmt, ...) PRINTF_LIKE(5, 6);

/* Notes a finding about a place, or about the component where there is none. */
static void find(struct rewriting *rw, const char *code, bool blocking,
    const struct place *place, const char *fmt, ...)
{
	const char *path = place && place->path ? place->path : rw->component;
	char line[VALUE_MAX * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	const struct finding one = {
	    .code = code,
	    .blocking = blocking,
	    .line = place && place->in_file ? place->node->line : 0,
	};
	findings_add(&rw->result->findings, one, path, line);
}

static const struct change *change_at(
    const struct rewrite *r, enum change_kind kind, const char *path)
{
	for (size_t i = 0; i < r->change_count; i++)
		if (r->changes[i].kind == kind && strcmp(r->changes[i].path, path) == 0)
			return &r->changes[i];
	return NULL;
}

static struct change *add_change(
    struct rewrite *r, const struct place *place, enum change_kind kind, const char *value)
{
	r->changes = own_grow(r->changes, r->change_count + 1, sizeof(*r->changes));
	struct change *change = &r->changes[r->change_count++];

	*change = (struct change){
	    .kind = kind,
	    .line = kind == CHANGE_SPLICE ? place->node->line : 0,
	    .path = own_text(place->path),
	    .old = place->node ? own_bytes(place->text.ptr, place->text.len) : NULL,
	    .new = own_text(value),
	};
	return change;
}

static bool has_alias(const struct yaml_node *root, const struct yaml_node *anchored)
{
	for (const struct yaml_node *child = root ? root->first : NULL; child;
	     child = child->next)
		if ((child->kind == YAML_ALIAS && child->target == anchored)
		    || has_alias(child, anchored))
			return true;
	return false;
}

/* The anchor by which a node, or a collection it is in, stands elsewhere too; NULL: none. */
static const char *shared_anchor(const struct yaml *file, const struct yaml_node *node)
{
	for (; node; node = node->parent)
		if (node->anchor && has_alias(yaml_root(file), node))
			return node->anchor;
	return NULL;
}

static void change_in_file(struct rewriting *rw, const struct place *place, const char *value)
{
	const char *anchor = shared_anchor(rw->values.file, place->node);

	if (anchor) {
		find(rw, "ANCHOR", true, place,
		    "its value is used elsewhere through the alias *%s; write the value out in "
		    "both places",
		    anchor);
		return;
	}
	const struct change *change = add_change(rw->result, place, CHANGE_SPLICE, value);
	rw->splices = own_grow(rw->splices, rw->splice_count + 1, sizeof(*rw->splices));
	rw->splices[rw->splice_count++] =
	    (struct splice){.node = place->node, .value = change->new};
}

/* A path with a number in it is an item of a list, which an overlay could only replace whole.
 */
static bool in_list(const char *path)
{
	struct slice rest = slice_of(path);
	struct slice part;
	uint64_t number;

	while (slice_cut(&rest, '.', &part))
		if (slice_u64(part, UINT64_MAX, &number))
			return true;
	return false;
}

/* Sets the value at a place: in the customer's file where it stands there, else in the overlay.
 */
static void set(struct rewriting *rw, const struct place *place, const char *value)
{
	const enum change_kind kind = place->in_file ? CHANGE_SPLICE : CHANGE_OVERLAY;
	const struct change *before = change_at(rw->result, kind, place->path);

	if (before && strcmp(before->new, value) != 0)
		find(rw, "CONFLICT", true, place,
		    "two images need different values here: %s and %s", before->new, value);
	else if (before)
		return;
	else if (kind == CHANGE_SPLICE)
		change_in_file(rw, place, value);
	else if (in_list(place->path))
		find(rw, "LIST-ITEM", true, place,
		    "an overlay cannot reach into a list; set it to %s yourself", value);
	else
		(void)add_change(rw->result, place, kind, value);
}

/* Where the tag or digest of a whole reference begins. */
static struct slice tail_of(struct slice whole)
{
	const char *slash = whole.len ? memrchr(whole.ptr, '/', whole.len) : NULL;
	const size_t from = slash ? (size_t)(slash - whole.ptr) : 0;

	for (size_t i = from; i < whole.len; i++)
		if (whole.ptr[i] == '@' || whole.ptr[i] == ':')
			return slice_at(whole.ptr + i, whole.len - i);
	return slice_at(whole.ptr + whole.len, 0);
}

/* "host/prefix/path" of the target, and what stood behind the name before. */
static void set_whole(
    struct rewriting *rw, const struct component *c, const struct place *place)
{
	OWNED(buf_drop) struct buf value = BUF(VALUE_MAX);
	const struct slice tail = tail_of(place->text);

	buf_addf(&value, "%s/%s%.*s", c->target.host, c->target.path, SLICE_ARG(tail));
	set(rw, place, buf_text(&value));
}

/* The registry takes the host, the prefix, and whatever of the path the repository does not
 * say; the repository is kept, since charts look at its end. */
static void set_registry(
    struct rewriting *rw, const struct component *c, const struct place *place)
{
	OWNED(buf_drop) struct buf value = BUF(VALUE_MAX);
	struct slice path = slice_of(c->target.path);
	const size_t keep = c->repository.text.len - tail_of(c->repository.text).len;

	if (path.len > keep
	    && slice_equal(slice_at(path.ptr + path.len - keep, keep),
		slice_at(c->repository.text.ptr, keep)))
		path.len -= keep + 1;
	else
		path.len = 0;
	buf_addf(&value, "%s%s%.*s", c->target.host, path.len ? "/" : "", SLICE_ARG(path));
	set(rw, place, buf_text(&value));
}

/* What the component's values name now; false when they name nothing. */
static bool current_name(const struct component *c, struct buf *out)
{
	const struct slice registry = c->registry.text;
	const struct slice name = c->whole.path ? c->whole.text : c->repository.text;

	if (!name.len)
		return false;
	if (!c->whole.path && registry.len) {
		buf_add(out, registry.ptr, registry.len);
		buf_adds(out, "/");
	}
	buf_add(out, name.ptr, name.len);
	return true;
}

static bool same_repository(const struct reference *a, const struct reference *b)
{
	return strcmp(a->host, b->host) == 0 && strcmp(a->path, b->path) == 0;
}

static void move(struct rewriting *rw, const struct component *c)
{
	struct place unset = {0};

	if (c->whole.path)
		set_whole(rw, c, &c->whole);
	else if (c->registry.text.len)
		set_registry(rw, c, &c->registry);
	else if (memchr(c->repository.text.ptr, '/', c->repository.text.len)
		 || !c->at->registry.count)
		set_whole(rw, c, &c->repository);
	else {
		unset.path = c->at->registry.items[0];
		set_registry(rw, c, c->registry.path ? &c->registry : &unset);
	}
}

/* The one place to point at when a component's name is spoken of: in the file, if it can be. */
static const struct place *name_place(const struct component *c)
{
	if (c->whole.path)
		return &c->whole;
	if (c->registry.in_file)
		return &c->registry;
	return c->repository.in_file || !c->registry.path ? &c->repository : &c->registry;
}

static void decide_name(struct rewriting *rw, const struct component *c)
{
	OWNED(buf_drop) struct buf text = BUF(VALUE_MAX);
	struct reference now;
	struct err e = {0};

	if (!current_name(c, &text)) {
		find(rw, "UNRESOLVED", true, NULL,
		    "no value names the image of %s (%s); the chart's defaults do not either",
		    c->at->name, c->source.path);
		return;
	}
	if (!buf_ok(&text, &e) || !reference_parse(buf_slice(&text), &now, &e))
		/* Before an "@" there may be a password. */
		find(rw, "NOT-A-NAME", true, name_place(c),
		    "expected an image's name for %s, found \"%s\"", c->at->name,
		    strchr(buf_text(&text), '@') ? "...@..." : buf_text(&text));
	else if (same_repository(&now, &c->target))
		return;
	else if (same_repository(&now, &c->source))
		move(rw, c);
	else
		find(rw, "NOT-IN-BUNDLE", true, name_place(c),
		    "%s uses %s/%s, which the bundle does not carry; it has %s/%s", c->at->name,
		    now.host, now.path, c->source.host, c->source.path);
}

static bool is_listed(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* The tag that counts for a component; its place, or the whole reference that holds it. */
static bool current_tag(
    const struct rewriting *rw, const struct component *c, struct place *out)
{
	const struct place *name = c->whole.path ? &c->whole : &c->repository;
	struct slice tail = tail_of(name->text);

	if (!tail.len || tail.ptr[0] != ':')
		return values_first(&rw->values, &c->at->tag, EMPTY_IS_UNSET, out);
	tail = slice_at(tail.ptr + 1, tail.len - 1);
	*out = *name;
	(void)slice_cut(&tail, '@', &out->text);
	return true;
}

static void report_numeric(struct rewriting *rw, const struct place *tag)
{
	const struct yaml_node *node = tag->node;

	if (node && node->kind == YAML_SCALAR && node->style == YAML_PLAIN && !node->tagged
	    && tag->in_file && tag->text.ptr == node->text.ptr && !yaml_is_text(tag->text)
	    && !findings_have(&rw->result->findings, "NUMERIC-TAG", tag->path))
		find(rw, "NUMERIC-TAG", false, tag,
		    "the chart sees a number and may print it differently; quote it");
}

/* What the chart puts behind the tag makes another tag of it, which the bundle has not. */
static void decide_suffix(struct rewriting *rw, const struct component *c)
{
	static const char code[] = "TAG-NOT-IN-BUNDLE";
	struct place suffix;

	if (c->whole.path || !values_first(&rw->values, &c->at->suffix, EMPTY_IS_UNSET, &suffix)
	    || findings_have(&rw->result->findings, code, suffix.path))
		return;
	find(rw, code, true, &suffix, "%s would run tag %s-%.*s, and the bundle carries %s",
	    c->at->name, c->source.tag, SLICE_ARG(suffix.text), c->source.tag);
}

/* The digest that counts for a component: behind its name, or in a key of its own. */
static bool current_digest(
    const struct rewriting *rw, const struct component *c, struct place *out)
{
	const struct place *name = c->whole.path ? &c->whole : &c->repository;
	struct slice rest = tail_of(name->text);
	struct slice tag;

	if (!slice_cut(&rest, '@', &tag) || !rest.ptr)
		return values_first(&rw->values, &c->at->digest, EMPTY_IS_UNSET, out);
	*out = *name;
	out->text = rest;
	return true;
}

/* Without a tag the chart renders a name that ends in a colon, or not at all.  Of a chart that
 * is not known nothing can be said: its templates and defaults may give one. */
static void decide_no_tag(struct rewriting *rw, const struct component *c)
{
	struct place place;

	if (!rw->values.defaults || !c->at->tag.count || current_digest(rw, c, &place))
		return;
	(void)values_first(&rw->values, &c->at->tag, EMPTY_COUNTS, &place);
	find(rw, "TAG-NOT-IN-BUNDLE", true, &place,
	    "no value says the tag of %s, and the bundle carries %s", c->at->name,
	    c->source.tag);
}

static void find_places(const struct rewriting *rw, struct component *c)
{
	(void)values_first(&rw->values, &c->at->whole, EMPTY_IS_UNSET, &c->whole);
	(void)values_registry(&rw->values, c->at, &c->registry);
	(void)values_first(&rw->values, &c->at->repository, EMPTY_IS_UNSET, &c->repository);
}

static bool needs_other(const struct rewriting *rw, const struct release_image *image,
    const struct place *tag, const char *value)
{
	struct err ignored = {0};

	for (size_t i = 0; !image->excluded && i < image->values_count; i++) {
		struct component c = {.at = &image->values[i]};
		struct place place = {0};

		find_places(rw, &c);
		if (reference_parse(slice_of(image->ref), &c.source, &ignored)
		    && current_tag(rw, &c, &place) && place.path
		    && strcmp(place.path, tag->path) == 0 && strcmp(c.source.tag, value) != 0)
			return true;
	}
	return false;
}

/* The release's own key follows the bundle: that is what it is there for. */
static void set_version(
    struct rewriting *rw, const struct component *c, const struct place *tag)
{
	const struct release *release = rw->request->release;

	for (size_t i = 0; i < release->image_count; i++)
		if (needs_other(rw, &release->images[i], tag, c->source.tag)) {
			find(rw, "CONFLICT", true, tag,
			    "the images whose version it is have different tags in the bundle, "
			    "one "
			    "of them %s",
			    c->source.tag);
			return;
		}
	if (!slice_is(tag->text, c->source.tag))
		set(rw, tag, c->source.tag);
	for (size_t i = 0; i < rw->result->change_count; i++)
		rw->result->changes[i].version |=
		    strcmp(rw->result->changes[i].path, tag->path) == 0;
	decide_suffix(rw, c);
}

/* A tag that the bundle does not carry would leave the cluster without its image.  It is
 * reported and never edited: charts compare it as a version. */
static void decide_tag(struct rewriting *rw, const struct component *c)
{
	const struct release *release = rw->request->release;
	struct place tag;

	if (!c->source.tag[0])
		return;
	if (!current_tag(rw, c, &tag)) {
		decide_no_tag(rw, c);
		return;
	}
	const bool version = is_listed(&release->version_keys, tag.path);
	const char *code = version ? "TAG-BEHIND" : "TAG-NOT-IN-BUNDLE";
	if (version && tag.in_file && rw->request->update_tags) {
		set_version(rw, c, &tag);
		return;
	}
	report_numeric(rw, &tag);
	if (slice_is(tag.text, c->source.tag))
		decide_suffix(rw, c);
	else if (findings_have(&rw->result->findings, code, tag.path))
		return;
	else if (version)
		find(rw, code, true, &tag,
		    "%.*s -> %s: the file pins another version than the bundle carries; "
		    "--update-tags sets it",
		    SLICE_ARG(tag.text), c->source.tag);
	else
		find(rw, code, true, &tag, "%s would run tag %.*s, and the bundle carries %s",
		    c->at->name, SLICE_ARG(tag.text), c->source.tag);
}

/* The names alone do not say which digest the bundle has under a tag. */
static void decide_digest(struct rewriting *rw, const struct component *c)
{
	char carried[DIGEST_TEXT];
	struct place digest;

	if (!current_digest(rw, c, &digest))
		return;
	if (!c->source.has_digest)
		find(rw, "DIGEST-PINNED", false, &digest,
		    "compare it with the bundle's digest of %s, which sealift inspect shows",
		    c->source.path);
	else if (!slice_is(digest.text, digest_text(&c->source.digest, carried)))
		find(rw, "DIGEST-NOT-IN-BUNDLE", true, &digest,
		    "%s would run %.*s, and the bundle carries %s", c->at->name,
		    SLICE_ARG(digest.text), carried);
}

static void report_dead(struct rewriting *rw, const struct component *c)
{
	struct place place;

	for (size_t i = 0; i < c->at->dead.count; i++)
		if (values_at(&rw->values, c->at->dead.items[i], &place) && place.in_file
		    && place.text.len)
			find(rw, "DEAD-KEY", false, &place,
			    "the chart reads this key nowhere; it moves no image");
}

/* A merge key could set any of the component's values without our seeing it. */
static bool report_merge_key(struct rewriting *rw, const struct component *c)
{
	const struct text_list *const lists[] = {
	    &c->at->whole, &c->at->registry, &c->at->repository, &c->at->tag};
	size_t line;

	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			if (values_merge_key(&rw->values, lists[l]->items[i], &line)) {
				find(rw, "MERGE-KEY", true, NULL,
				    "line %zu: a merge key (<<) may set %s; write the values "
				    "out in place of it",
				    line, lists[l]->items[i]);
				return true;
			}
	return false;
}

/* A key that stands twice in one mapping: people look at the first, Helm at the last. */
static void report_duplicates(struct rewriting *rw, const struct component *c)
{
	const struct text_list *const lists[] = {
	    &c->at->whole, &c->at->registry, &c->at->repository, &c->at->tag};
	struct place place;
	size_t first;

	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			if (values_duplicate(&rw->values, lists[l]->items[i], &place, &first)
			    && !findings_have_in(
				&rw->result->findings, "DUPLICATE-KEY", place.node->line))
				find(rw, "DUPLICATE-KEY", false, &place,
				    "a key of it stands in line %zu already; the last one "
				    "counts",
				    first);
}

static void decide_component(struct rewriting *rw, struct component *c)
{
	rw->component = c->at->name;
	report_duplicates(rw, c);
	if (report_merge_key(rw, c))
		return;
	find_places(rw, c);
	report_dead(rw, c);
	decide_name(rw, c);
	decide_tag(rw, c);
	decide_digest(rw, c);
}

static bool decide_image(struct rewriting *rw, const struct release_image *image, struct err *e)
{
	struct component c = {0};

	if (image->excluded)
		return true;
	if (!reference_parse(slice_of(image->ref), &c.source, e)
	    || !reference_rehome(&c.source, rw->request->target, &c.target, e))
		return false;
	for (size_t i = 0; i < image->values_count; i++) {
		c.at = &image->values[i];
		decide_component(rw, &c);
	}
	rw->component = NULL;
	if (!image->values_count)
		find(rw, "NO-COORDINATES", false, NULL,
		    "the release does not say which values name %s; look for it yourself",
		    image->ref);
	return true;
}

static bool is_changed(const struct rewrite *r, const char *path)
{
	return path
	       && (change_at(r, CHANGE_SPLICE, path) || change_at(r, CHANGE_OVERLAY, path));
}

/* What is not pushed keeps its name, as far as it has one of its own. */
static void report_excluded(struct rewriting *rw, const struct release_image *image)
{
	for (size_t i = 0; i < image->values_count; i++) {
		struct component c = {.at = &image->values[i]};

		find_places(rw, &c);
		const bool moved = !c.whole.path && is_changed(rw->result, c.registry.path);
		find(rw, "EXCLUDED", false, moved ? &c.registry : name_place(&c),
		    "%s is not pushed (%s): its name %s", image->ref, image->excluded,
		    moved ? "moves all the same with this value, which other images share"
			  : "stays as it is");
	}
	if (!image->values_count)
		find(rw, "EXCLUDED", false, NULL, "%s is not pushed (%s)", image->ref,
		    image->excluded);
}

static int by_kind_and_line(const void *a, const void *b)
{
	const struct change *left = a;
	const struct change *right = b;

	if (left->kind != right->kind)
		return left->kind < right->kind ? -1 : 1;
	if (left->version != right->version)
		return left->version ? 1 : -1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return strcmp(left->path, right->path);
}

static bool write_result(struct rewriting *rw, struct err *e)
{
	struct rewrite *r = rw->result;

	overlay_write(r->changes, r->change_count, &r->overlay);
	splice_apply(rw->request->file, rw->splices, rw->splice_count, &r->file);
	if (r->change_count)
		qsort(r->changes, r->change_count, sizeof(*r->changes), by_kind_and_line);
	return buf_ok(&r->file, e) && buf_ok(&r->overlay, e)
	       && (!rw->values.file
		   || splice_prove(
		       rw->values.file, buf_slice(&r->file), rw->splices, rw->splice_count, e));
}

static bool read_values(struct rewriting *rw, struct err *e)
{
	const struct rewrite_request *q = rw->request;

	rw->values.app_version = q->app_version;
	return (!q->file.ptr || yaml_parse(q->file, q->file_name, &rw->values.file, e))
	       && (!q->defaults.len
		   || yaml_parse(
		       q->defaults, "the chart's values.yaml", &rw->values.defaults, e));
}

static bool decide_all(struct rewriting *rw, struct err *e)
{
	if (!read_values(rw, e))
		return false;
	for (size_t i = 0; i < rw->request->release->image_count; i++)
		if (!decide_image(rw, &rw->request->release->images[i], e))
			return false;
	for (size_t i = 0; i < rw->request->release->image_count; i++)
		if (rw->request->release->images[i].excluded)
			report_excluded(rw, &rw->request->release->images[i]);
	return findings_waivers_used(&rw->result->findings, e) && write_result(rw, e);
}

bool rewrite_values(const struct rewrite_request *request, struct rewrite **out, struct err *e)
{
	OWNED(rewrite_drop) struct rewrite *result = own_new(sizeof(*result));
	struct rewriting rw = {.request = request, .result = result};

	result->findings.waivers = request->waivers;
	result->findings.waiver_count = request->waiver_count;
	buf_init(&result->file, OUTPUT_MAX);
	buf_init(&result->overlay, OVERLAY_MAX);
	const bool ok = decide_all(&rw, e);
	yaml_drop(&rw.values.file);
	yaml_drop(&rw.values.defaults);
	free(rw.splices);
	if (ok)
		*out = STEAL(result);
	return ok;
}

void rewrite_free(struct rewrite *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->change_count; i++) {
		free(r->changes[i].path);
		free(r->changes[i].old);
		free(r->changes[i].new);
	}
	free(r->changes);
	findings_drop(&r->findings);
	buf_drop(&r->file);
	buf_drop(&r->overlay);
	free(r);
}

void rewrite_drop(struct rewrite **r)
{
	rewrite_free(*r);
	*r = NULL;
}
