/*
 * Whether a push may write where it goes, learnt of every repository before anything large
 * moves; all that stands against a push becomes one list.
 */
#pragma once

#include "cmd/parcel.h"

/* Whether nothing more is asked for a parcel, since its name could not be. */
bool parcel_is_silent(const struct parcel *p);

/* Opens an upload in every repository that lacks something, and leaves it, empty (PSH-08,
 * UPL-27).  What a repository refuses stands in the barred of a parcel; *e is for what stops
 * all. */
bool rights_ask(struct phase *ph, struct err *e) MUST_CHECK;

/* Brings one small blob into every repository that lacks one, which leaves nothing behind and
 * costs no request of its own.  The jobs must be listed; what was brought is done. */
bool rights_try(struct phase *ph, struct err *e) MUST_CHECK;

/* Tells when the registry counts requests and has fewer left than the jobs need; they wait
 * then, as it asks (RTY-01, RTY-09). */
void rights_count(const struct phase *ph);

/* True when nothing stands against a push; else *e is the first of all that does, names and
 * rights, and the others are told to watch. */
bool rights_join(const struct delivery *d, struct watch *watch, struct err *e) MUST_CHECK;
