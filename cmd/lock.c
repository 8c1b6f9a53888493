#include "cmd/lock.h"

#include "base/date.h"
#include "base/file.h"
#include "base/own.h"
#include "cmd/listing.h"

#include <stdlib.h>

enum { LOCK_MAX = 512 * 1024 };

static void pin(struct pin *pin, const struct digest *digest)
{
	*pin = (struct pin){true, *digest};
}

/* The files are named from anywhere: a lock may lie in another folder than the release. */
static bool pin_files(struct request *request, const struct inventory *inv, struct err *e)
{
	struct release *r = request->release;

	for (size_t i = 0; i < r->file_count; i++)
		free(r->files[i].path);
	r->file_count = request->files.count;
	r->files = own_grow(r->files, r->file_count, sizeof(*r->files));
	for (size_t i = 0; i < r->file_count; i++) {
		r->files[i] = (struct release_file){0};
		r->files[i].path = realpath(request->files.items[i].path, NULL);
		if (!r->files[i].path)
			return err_errno(e, "%s", request->files.items[i].path);
		pin(&r->files[i].pin, &inv->files[i].blob);
	}
	return true;
}

static void pin_image(struct release_image *image, const struct resolved_image *found)
{
	pin(&image->pin, &found->source);
	for (size_t i = 0; i < image->referrer_count; i++)
		free(image->referrers[i].via);
	image->referrer_count = found->referrer_count;
	image->referrers =
	    own_grow(image->referrers, image->referrer_count, sizeof(*image->referrers));
	for (size_t i = 0; i < image->referrer_count; i++) {
		struct release_referrer *one = &image->referrers[i];
		*one = (struct release_referrer){.via = own_text(found->referrers[i].via)};
		pin(&one->pin, &tree_top(&found->referrers[i].tree)->self.digest);
	}
}

static bool pin_all(struct request *request, const struct plan *plan, struct err *e)
{
	const struct resolved *found = plan->resolved;
	struct release *r = request->release;
	char when[DATE_TEXT];

	for (size_t i = 0; i < r->image_count; i++)
		pin_image(&r->images[i], &found->images[i]);
	for (size_t i = 0; i < r->chart_count; i++)
		pin(&r->charts[i].pin, &found->charts[i].tgz.digest);
	if (!r->name)
		r->name = own_text(plan->inventory->name);
	if (!r->version)
		r->version = own_text(plan->inventory->version);
	free(r->locked);
	r->locked = own_text(date_text(plan->inventory->created, when));
	return pin_files(request, plan->inventory, e);
}

/* What does not read back as it was written is no lock. */
static bool check(struct slice text, const char *path, struct err *e)
{
	OWNED(release_drop) struct release *again = NULL;

	return release_parse(text, path, NULL, 0, &again, e);
}

bool lock_write(
    struct request *request, const struct plan *plan, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(LOCK_MAX);

	if (!pin_all(request, plan, e))
		return false;
	buf_adds(&text, "# Written by sealift plan: what was found, by digest.  sealift export "
			"takes this file as it\n# stands, and refuses what has changed or "
			"gone since.\n");
	release_lock_write(request->release, &text);
	return buf_ok(&text, e) && check(buf_slice(&text), path, e)
	       && file_write_new(path, buf_slice(&text), FILE_REFUSE, 0666, e);
}
