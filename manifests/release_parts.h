/*
 * A release under construction: what its readers (release_file.c, release_document.c) and
 * writers share.
 */
#pragma once

#include "manifests/release.h"

/* The members of coordinates that are lists, in the order of the release document. */
enum { RELEASE_LISTS = 7 };
const char *release_list_key(size_t i);
struct text_list *release_list_in(struct coordinates *c, size_t i);
const struct text_list *release_list_of(const struct coordinates *c, size_t i);

/* text becomes the list's. */
void text_list_add_take(struct text_list *list, char *text);
void text_list_drop(struct text_list *list);

/* A new one at the end, all zero; until the next is added. */
struct release_image *release_new_image(struct release *r);
struct release_chart *release_new_chart(struct release *r);
struct release_file *release_new_file(struct release *r);
struct coordinates *release_new_values(struct release_image *image);
struct release_referrer *release_new_referrer(struct release_image *image);
