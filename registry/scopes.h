/*
 * Scopes, "repository:team/app:pull,push", as sets (PROTOCOL TOK-09..11): the order of scopes
 * and of their actions means nothing, and of actions only pull and push are ever asked for.
 */
#pragma once

#include "base/buf.h"

enum { SCOPES_MAX = 16 * 1024 };

/* A set is its scopes with one blank between.  Puts those of more, which are parted by blanks,
 * before what is in set; the actions of one resource are united. */
void scopes_merge(struct buf *set, struct slice more);

/* Whether have allows all of want that may be asked for. */
bool scopes_cover(struct slice have, struct slice want);

/* The next scope of a set; false at its end. */
bool scopes_next(struct slice *rest, struct slice *scope);
