#include "bundle/reader.h"

#include "base/own.h"
#include "base/pool.h"
#include "bundle/contents.h"
#include "bundle/foreign.h"
#include "bundle/head.h"
#include "bundle/judge.h"
#include "bundle/layout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHELF = 16,			/* documents held while one docker entry is made */
	DOCUMENT_MAX = 8 * 1024 * 1024, /* bytes of a document for other tools */
};

struct reader {
	struct medium *medium;
	struct inventory *inv;
	struct layout layout;
	struct digest id;
	struct judgement judgement;
};

/* Out of a pipe the small members pass once, before the layers, and are needed again. */
static void hold_small_members(struct reader *r)
{
	const uint64_t from = r->layout.area + SIGNATURE_AREA;
	const uint64_t left = r->layout.total - from;

	if (medium_is_forward(r->medium))
		r->medium->hold(r->medium, from,
		    left < SMALL_MEMBER_MAX ? (size_t)left : (size_t)SMALL_MEMBER_MAX);
}

bool reader_open(
    struct medium **medium, const struct trust *trust, struct reader **out, struct err *e)
{
	OWNED(reader_drop) struct reader *r = own_new(sizeof(*r));
	OWNED(head_drop) struct head head = {0};

	r->medium = STEAL(*medium);
	if (!head_read(r->medium, &head, e)
	    || !judge_head(&head, trust, &r->judgement, &r->inv, e)
	    || !layout_make(r->inv, head.inventory.len, &r->layout, e)
	    || !judgement_holds(&r->judgement, e))
		return false;
	digest_of(buf_slice(&head.inventory), &r->id);
	hold_small_members(r);
	*out = STEAL(r);
	return true;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	medium_free(r->medium);
	judgement_drop(&r->judgement);
	inventory_free(r->inv);
	layout_drop(&r->layout);
	free(r);
}

void reader_drop(struct reader **r)
{
	reader_free(*r);
	*r = NULL;
}

const struct inventory *reader_inventory(const struct reader *r)
{
	return r->inv;
}

const struct digest *reader_id(const struct reader *r)
{
	return &r->id;
}

const struct judgement *reader_judgement(const struct reader *r)
{
	return &r->judgement;
}

const char *reader_signer(const struct reader *r)
{
	return r->judgement.signers[0].kid;
}

const char *const *reader_unchecked(const struct reader *r)
{
	return (const char *const *)r->judgement.unchecked;
}

/* Says where in the file a member's damage is. */
static bool in_member(const struct reader *r, size_t i, struct err *e)
{
	const uint64_t at = r->layout.headers[i];
	const char *part = r->medium->place ? r->medium->place(r->medium, at) : NULL;
	char path[MEMBER_PATH];

	return err_in(e, "%s, at byte %llu%s%s", member_path(&r->inv->members[i], path),
	    (unsigned long long)at, part ? ", in " : "", part ? part : "");
}

static struct region region_of(const struct reader *r, size_t i)
{
	return (struct region){
	    .medium = r->medium, .member = &r->inv->members[i], .at = r->layout.headers[i]};
}

bool reader_member(const struct reader *r, size_t i, struct member_source *s, struct err *e)
{
	const struct region region = region_of(r, i);

	return region_open(&region, s, e) || in_member(r, i, e);
}

bool reader_holds(const struct reader *r, size_t i)
{
	const uint64_t from = r->layout.area + SIGNATURE_AREA;
	const uint64_t end = layout_data(&r->layout, i) + r->inv->members[i].size;

	return !reader_is_forward(r) || end - from <= SMALL_MEMBER_MAX;
}

bool reader_member_end(const struct reader *r, size_t i, struct err *e)
{
	const struct region region = region_of(r, i);

	return region_check_padding(&region, e) || in_member(r, i, e);
}

bool reader_small(const struct reader *r, size_t i, struct buf *out, struct err *e)
{
	OWNED(member_source_drop) struct member_source source = {0};
	struct buf_sink sink;

	if (i >= r->inv->member_count)
		return err_set(e, ERR_DAMAGED, "expected a member of the bundle, found none");
	if (r->inv->members[i].size > SMALL_MEMBER_MAX) {
		(void)err_set(e, ERR_LIMIT, "expected at most %d bytes, found %llu",
		    SMALL_MEMBER_MAX, (unsigned long long)r->inv->members[i].size);
		return in_member(r, i, e);
	}
	buf_init(out, SMALL_MEMBER_MAX);
	buf_sink_init(&sink, out);
	if (!reader_member(r, i, &source, e))
		return false;
	return stream_copy(&source.verify.source, &sink.sink, e) || in_member(r, i, e);
}

/* A sink that only tells how far the reading is. */
struct telling_sink {
	struct sink sink;
	struct watch *watch;
};

static bool tell_bytes(struct sink *self, const void *bytes, size_t len, struct err *e)
{
	(void)bytes;
	(void)e;
	watch_tell(((struct telling_sink *)self)->watch,
	    &(struct news){.kind = NEWS_BYTES, .bytes = len});
	return true;
}

/* What the workers of a verification share. */
struct verification {
	const struct reader *reader;
	struct watch *watch;
	pthread_mutex_t lock;
	size_t worst; /* the first damaged member, under the lock */
	struct err error;
};

static bool verify_member(const struct verification *v, size_t i, struct err *e)
{
	const struct region region = region_of(v->reader, i);
	struct telling_sink sink = {.sink = {tell_bytes, NULL}, .watch = v->watch};

	return region_check(&region, &sink.sink, e) || in_member(v->reader, i, e);
}

/* Members begin in order and those that began finish, so the lowest failure is the first
 * damage. */
static bool verify_job(void *context, size_t worker, size_t i, struct err *e)
{
	struct verification *v = context;

	(void)worker;
	if (verify_member(v, i, e))
		return true;
	pthread_mutex_lock(&v->lock);
	if (i < v->worst) {
		v->worst = i;
		v->error = *e;
	}
	pthread_mutex_unlock(&v->lock);
	return false;
}

static bool verify_members(
    const struct reader *r, size_t jobs, struct watch *watch, struct err *e)
{
	struct verification v = {.reader = r, .watch = watch, .worst = SIZE_MAX};
	const struct pool pool = {.workers = medium_is_forward(r->medium) ? 1 : jobs,
	    .jobs = r->inv->member_count,
	    .work = verify_job,
	    .context = &v};

	(void)pthread_mutex_init(&v.lock, NULL);
	const bool ok = pool_run(&pool, e);
	if (!ok && v.worst != SIZE_MAX && e->kind != ERR_STOPPED)
		*e = v.error;
	(void)pthread_mutex_destroy(&v.lock);
	return ok;
}

static bool verify_end(const struct reader *r, struct err *e)
{
	return (region_zeros(r->medium, r->layout.trailer, TRAILER, e)
		   && r->medium->check_end(r->medium, r->layout.total, e))
	       || err_in(e, "the end of the tar file");
}

/* The last few documents that were asked for, verified; a pointer stays good for SHELF
 * questions. */
struct bundle_documents {
	struct documents documents;
	const struct reader *reader;
	struct image **shelf; /* SHELF of them */
	size_t *next;
};

static const struct image *find_document(const struct documents *self, const struct digest *d)
{
	const struct bundle_documents *b = (const struct bundle_documents *)self;
	struct image **place = &b->shelf[(*b->next)++ % SHELF];
	OWNED(buf_drop) struct buf raw = BUF(0);
	struct err ignored = {0};

	image_drop(place);
	if (reader_small(b->reader, inventory_find(b->reader->inv, d), &raw, &ignored)
	    && !image_parse_take(&raw, NULL, place, &ignored))
		*place = NULL;
	return *place;
}

/* The documents for other tools say what the inventory says, or another tool would read another
 * bundle.  README-VERIFY.txt is prose, and may be another version's. */
static bool verify_foreign(const struct reader *r, struct err *e)
{
	struct image *shelf[SHELF] = {NULL};
	size_t next = 0;
	const struct bundle_documents documents = {{find_document}, r, shelf, &next};
	bool ok = true;

	for (size_t i = 1; ok && i < FIXED_MEMBERS; i++) {
		OWNED(buf_drop) struct buf text = BUF(DOCUMENT_MAX);
		struct digest digest;

		ok = foreign_write(i, r->inv, &documents.documents, &text, e);
		digest_of(buf_slice(&text), &digest);
		if (ok && !digest_equal(&digest, &r->inv->members[i].digest)) {
			ok = err_set(e, ERR_DAMAGED,
			    "expected it to say what the inventory says, found that it does "
			    "not");
			(void)in_member(r, i, e);
		}
	}
	for (size_t i = 0; i < SHELF; i++)
		image_free(shelf[i]);
	return ok;
}

bool reader_is_forward(const struct reader *r)
{
	return medium_is_forward(r->medium);
}

/* A head alone is a bundle that was cut behind its area: damage like any other cut, which it
 * cannot be told from, but one that people make on purpose. */
static bool is_head_alone(const struct reader *r)
{
	struct err ignored = {0};

	return r->medium->check_end(r->medium, r->layout.headers[0], &ignored);
}

bool reader_uncache(const struct reader *r, struct err *e)
{
	return !r->medium->uncache || r->medium->uncache(r->medium, e);
}

bool reader_is_whole(const struct reader *r, struct err *e)
{
	if (reader_is_forward(r) || r->medium->check_end(r->medium, r->layout.total, e))
		return true;
	return e->kind == ERR_DAMAGED && is_head_alone(r) ? err_set(e, ERR_DAMAGED,
		   "expected a whole bundle, found only its head: %llu bytes of content "
		   "are not here; verify --head-only and inspect take a head",
		   (unsigned long long)reader_content(r))
							  : false;
}

uint64_t reader_content(const struct reader *r)
{
	return r->layout.total - r->layout.headers[0];
}

bool reader_end(const struct reader *r, struct err *e)
{
	return verify_end(r, e);
}

bool reader_verify(const struct reader *r, size_t jobs, struct watch *watch, struct err *e)
{
	return reader_is_whole(r, e) && verify_members(r, jobs, watch, e) && verify_end(r, e)
	       && contents_check(r, e) && verify_foreign(r, e);
}

bool reader_glimpse(struct medium *medium, struct glimpse *out, struct err *e)
{
	OWNED(head_drop) struct head head = {0};

	*out = (struct glimpse){0};
	if (!head_read(medium, &head, e)
	    || !inventory_read(buf_slice(&head.inventory), &out->inventory, e))
		return false;
	digest_of(buf_slice(&head.inventory), &out->id);
	for (size_t i = 0; i < head.area.count && out->kid_count < GLIMPSE_KIDS; i++)
		if (strcmp(area_suffix(&head.area.signatures[i]), "sig") == 0)
			(void)memcpy(
			    out->kids[out->kid_count++], head.area.signatures[i].kid, KID_TEXT);
	return true;
}

void glimpse_drop(struct glimpse *g)
{
	inventory_free(g->inventory);
	*g = (struct glimpse){0};
}
