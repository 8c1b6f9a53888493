#include "manifests/release_parts.h"

#include "base/own.h"

#include <stdlib.h>

/* The members of coordinates that are lists, under the names they have in both documents. */
static const struct {
	const char *key;
	size_t at;
} lists[RELEASE_LISTS] = {
    {"whole", offsetof(struct coordinates, whole)},
    {"registry", offsetof(struct coordinates, registry)},
    {"repository", offsetof(struct coordinates, repository)},
    {"tag", offsetof(struct coordinates, tag)},
    {"suffix", offsetof(struct coordinates, suffix)},
    {"digest", offsetof(struct coordinates, digest)},
    {"dead", offsetof(struct coordinates, dead)},
};
struct text_list *release_list_in(struct coordinates *c, size_t i)
{
	void *at = (char *)c + lists[i].at;

	return at;
}

const struct text_list *release_list_of(const struct coordinates *c, size_t i)
{
	const void *at = (const char *)c + lists[i].at;

	return at;
}

const char *release_list_key(size_t i)
{
	return lists[i].key;
}

void text_list_add_take(struct text_list *list, char *text)
{
	list->items = own_grow(list->items, list->count + 1, sizeof *list->items);
	list->items[list->count++] = text;
}

void text_list_drop(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){0};
}

static void image_drop(struct release_image *image)
{
	for (size_t i = 0; i < image->values_count; i++) {
		for (size_t k = 0; k < RELEASE_LISTS; k++)
			text_list_drop(release_list_in(&image->values[i], k));
		free(image->values[i].name);
	}
	for (size_t i = 0; i < image->referrer_count; i++)
		free(image->referrers[i].via);
	free(image->referrers);
	free(image->values);
	free(image->ref);
}

struct release *release_new(void)
{
	return own_new(sizeof(struct release));
}

void release_free(struct release *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->image_count; i++)
		image_drop(&r->images[i]);
	for (size_t i = 0; i < r->chart_count; i++) {
		free(r->charts[i].name);
		free(r->charts[i].repo);
		free(r->charts[i].version);
	}
	for (size_t i = 0; i < r->file_count; i++)
		free(r->files[i].path);
	free(r->files);
	text_list_drop(&r->version_keys);
	free(r->images);
	free(r->charts);
	free(r->name);
	free(r->version);
	free(r->platform);
	free(r->locked);
	free(r);
}

void release_drop(struct release **r)
{
	release_free(*r);
	*r = NULL;
}

struct release_image *release_new_image(struct release *r)
{
	r->images = own_grow(r->images, r->image_count + 1, sizeof *r->images);
	r->images[r->image_count] = (struct release_image){0};
	return &r->images[r->image_count++];
}

struct release_chart *release_new_chart(struct release *r)
{
	r->charts = own_grow(r->charts, r->chart_count + 1, sizeof *r->charts);
	r->charts[r->chart_count] = (struct release_chart){0};
	return &r->charts[r->chart_count++];
}

struct release_file *release_new_file(struct release *r)
{
	r->files = own_grow(r->files, r->file_count + 1, sizeof *r->files);
	r->files[r->file_count] = (struct release_file){0};
	return &r->files[r->file_count++];
}

struct release_referrer *release_new_referrer(struct release_image *image)
{
	image->referrers =
	    own_grow(image->referrers, image->referrer_count + 1, sizeof *image->referrers);
	image->referrers[image->referrer_count] = (struct release_referrer){0};
	return &image->referrers[image->referrer_count++];
}

struct coordinates *release_new_values(struct release_image *image)
{
	image->values = own_grow(image->values, image->values_count + 1, sizeof *image->values);
	image->values[image->values_count] = (struct coordinates){0};
	return &image->values[image->values_count++];
}

void release_add_image(struct release *r, const char *ref)
{
	release_new_image(r)->ref = own_text(ref);
}

void release_add_chart(
    struct release *r, const char *name, const char *repo, const char *version)
{
	struct release_chart *chart = release_new_chart(r);

	chart->name = own_text(name);
	chart->repo = repo ? own_text(repo) : NULL;
	chart->version = version ? own_text(version) : NULL;
}
