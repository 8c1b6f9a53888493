/*
 * The inside of a delivery, for the files that share it: delivery.c decides what goes where
 * and looks at the destination, rights.c whether it may be written to, jobs.c lists what is
 * brought, carry.c brings it.
 */
#pragma once

#include "cmd/delivery.h"
#include "cmd/tree.h"
#include "registry/push.h"
#include "registry/upload.h"

#include <pthread.h>

enum parcel_state {
	PARCEL_WAITING,
	PARCEL_THERE, /* the tag names this digest already: nothing is asked any more (PSH-07)
		       */
	PARCEL_DELIVERED, /* by this run */
	PARCEL_EXCLUDED,  /* stays behind, for its reason */
};

/* What refers to an image and goes with it. */
struct attached {
	struct tree tree;
	const char *tag; /* NULL: it goes by its digest, and is listed by what it refers to */
	bool there;
	bool listed;  /* the registry said so itself */
	bool has_old; /* its tag names another */
	struct digest old;
};

/* What --on-missing-repo came to. */
enum made { MADE_NOT_ASKED, MADE_WELL, MADE_FAILED };

/* One thing that gets a name at the destination: an image or a chart. */
struct parcel {
	struct reference to;
	struct descriptor top; /* media_type is the inventory's */
	struct tree tree;
	struct attached *attached; /* each after what it refers to */
	size_t attached_count;
	bool opened;	/* an empty upload, to learn the rights of its repository */
	bool top_there; /* the name names it already, whatever of the rest is missing */
	enum parcel_state state;
	enum made made;	    /* of the first parcel of a repository; under making */
	bool unconfirmed;   /* a policy does not let it be read back (PSH-21) */
	const char *reason; /* of PARCEL_EXCLUDED; borrowed */
	struct err error;   /* of the preflight */
	struct err barred;  /* why nothing may be written into its repository; of one parcel */
	struct digest old;  /* what the tag named before, when has_old */
	bool has_old;
	size_t repository; /* the first parcel with the same path */
	size_t waiting;	   /* blobs that are not there yet; under the lock */
};

/* One blob into one repository, for one parcel or several. */
struct job {
	size_t repository;
	size_t member;
	size_t *parcels;
	size_t parcel_count;
	bool done; /* then outcome is set */
	enum upload_outcome outcome;
};

enum existing_tag {
	EXISTING_ERROR, /* a tag that names another digest stops the push before it begins */
	EXISTING_OVERWRITE, /* the old digest gets a tag of its own first (PSH-22) */
};

struct delivery {
	const struct reader *reader;
	struct excluded excluded;
	enum existing_tag existing;
	struct parcel *parcels;
	size_t parcel_count;
	struct job *jobs;
	size_t job_count;
	pthread_mutex_t lock;
	pthread_mutex_t making;	     /* one repository at a time */
	const char *on_missing_repo; /* borrowed; NULL: none */
	bool leaves_foreign;	     /* layers that may not be copied everywhere stay behind */
	uint64_t manifest_most;	     /* bytes; 0: the registry's own limit decides */
	bool changed;		     /* something was brought; under the lock */
	size_t unlisted; /* subjects whose referrers cannot be listed; under the lock */
};

/* What the workers of one phase share. */
struct phase {
	struct delivery *delivery;
	struct network *network;
	struct watch *watch;
};

/* Asks what every name is taken by now; what is wrong with a parcel stands in its error. */
bool delivery_look(struct phase *ph, struct err *e) MUST_CHECK;

/* Lists the jobs of all parcels that are not there. */
bool delivery_list(struct delivery *d, struct err *e) MUST_CHECK;

/* The repository of a parcel, as one worker sees it. */
bool parcel_repository(const struct phase *ph, size_t worker, const struct parcel *p,
    struct repository *at, struct err *e) MUST_CHECK;

/* Fills a parcel's attached from what the inventory says of its image. */
bool attach_load(struct parcel *p, const struct bundle_image *image, struct shelf *shelf,
    struct err *e) MUST_CHECK;

/* Finds out what of it is there already, and listed: then *all.  Of an image that is not there
 * only the tags are looked at, whether another has them. */
bool attach_look_up(const struct phase *ph, const struct repository *at, struct parcel *p,
    bool *all, struct err *e) MUST_CHECK;

/* Puts the documents that stand below what is missing of it: they have no names. */
bool attach_put_below(
    const struct repository *at, const struct parcel *p, struct err *e) MUST_CHECK;

/* Puts what is missing of it, in order, and has it listed; what cannot be listed is told and
 * counted (RFR-11). */
bool attach_put(const struct phase *ph, const struct repository *at, struct parcel *p,
    struct err *e) MUST_CHECK;
void attach_drop(struct parcel *p);

/* Brings a blob into its repository out of bytes, or from the repository of another job that is
 * done (NULL: there is none), and tells of it; the job is done then. */
bool carry_blob(const struct phase *ph, size_t worker, struct job *job, struct source *bytes,
    const struct job *from, struct err *e) MUST_CHECK;
void carry_tell(
    const struct phase *ph, const struct descriptor *blob, enum upload_outcome outcome);

/* After a refused upload into the repository of first, whose parcel comes first there: tells
 * what it means on that host, and has the repository made once, where there is a command for it
 * (PSH-08).  True when that went well, and another upload may do better. */
bool missing_made(const struct phase *ph, struct parcel *first, struct err *e);

/* Gives what a tag names until now a tag of its own, so that it can be found again. */
bool carry_keep_old(const struct repository *at, const char *tag, const struct digest *old,
    struct err *e) MUST_CHECK;

/* Gives their names to the parcels that waited for this job alone. */
bool carry_ready(
    const struct phase *ph, size_t worker, const struct job *job, struct err *e) MUST_CHECK;

/* The jobs of each member, as chains. */
struct chains {
	size_t *first; /* of each member; job_count: none */
	size_t *next;  /* of each job */
};
void chain_jobs(const struct delivery *d, struct chains *c);
void chains_drop(struct chains *c);

/* Brings all jobs of a bundle whose bytes pass once and in order.  After a failure the rest is
 * still read and verified: damage found there is worse news. */
bool carry_forward(const struct phase *ph, struct err *e) MUST_CHECK;
