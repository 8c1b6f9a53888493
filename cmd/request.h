/*
 * What an export is asked to carry: a release file, or images and a chart named one by one.
 */
#pragma once

#include "cmd/files.h"
#include "cmd/options.h"
#include "cmd/stamp.h"
#include "manifests/platform.h"
#include "manifests/release.h"
#include "registry/chartrepo.h"

struct request_options {
	struct texts images;
	const char *image_file;
	const char *chart;
	const char *chart_repo;
	const char *chart_version;
	bool pass_credentials;
	bool require_prov;
	bool any_digest;
	struct texts files;
	struct texts parameters;
	struct texts mirrors;
	const char *platform;
	bool no_referrers;
	const char *name;
	const char *version;
	struct stamp_options stamp;
};
extern const struct option request_options[];

/* What to carry, how it is called, and for which platform. */
struct request {
	struct release *release;
	struct files files;
	struct stamp stamp;
	struct chart_wanted charts; /* how charts are asked for; names none */
	bool no_referrers;
	bool one_platform;
	struct platform platform;
};

/* The release that the verb's argument (a release file, an installed release's name, or none)
 * and options describe, its images sorted by reference and each there once. */
bool request_read(const struct request_options *o, const struct texts *arguments,
    struct request *out, struct err *e) MUST_CHECK;
void request_drop(struct request *r);

enum { REQUEST_PATH_MAX = 4096 };

/* The path of the bundle: output when that is not NULL, else NAME-VERSION.tar of the request;
 * ERR_USAGE when only a newest version could name it. */
bool request_output(
    const struct request *r, const char *output, struct buf *path, struct err *e) MUST_CHECK;
