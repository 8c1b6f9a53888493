#include "cmd/customer.h"

#include "base/file.h"
#include "base/own.h"
#include "cmd/destination.h"
#include "cmd/output.h"
#include "cmd/report.h"
#include "manifests/chart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	VALUES_MAX = 8 * 1024 * 1024,
	PATH_ROOM = 4096,
	LINE_ROOM = 16384,
};

static const char overlay_name[] = "sealift-images.yaml";

#define AT(field) offsetof(struct customer_options, field)
const struct option customer_options[] = {
    {"values", 'f', OPTION_TEXT, AT(file), "FILE",
	"the customer's Helm values file; it is read, never written"},
    {"output", 'o', OPTION_TEXT, AT(output), "OUT",
	"write the rewritten values to this file, or to this folder (needed when an overlay is "
	"written too)"},
    {"update-tags", 0, OPTION_FLAG, AT(update_tags), NULL,
	"set the keys by which the file pins the release's version to the bundle's"},
    {"waive", 0, OPTION_TEXTS, AT(waivers), "CODE:PATH",
	"go on in spite of this finding (may be repeated)"},
    {"force", 0, OPTION_FLAG, AT(force), NULL, "replace files that exist at OUT"},
    {0},
};

const struct option customer_cluster_options[] = {
    {"values-registry", 0, OPTION_TEXT, AT(registry), "HOST[/PREFIX]",
	"what the cluster calls the registry, where that differs"},
    {0},
};

struct customer {
	const struct customer_options *options;
	const struct common *common;
	struct rewrite *rewrite;
	struct buf folder;    /* to be made; empty when it is there or not needed */
	struct buf file_path; /* empty: no such file is written */
	struct buf overlay_path;
	struct buf helm; /* the command line to use; empty without a chart */
};

/* What the rewrite is decided from. */
struct inputs {
	struct buf file;
	struct release *release;
	struct chart *chart; /* NULL: the bundle has none */
};

static void inputs_drop(struct inputs *in)
{
	buf_drop(&in->file);
	release_free(in->release);
	chart_free(in->chart);
}

static bool read_member(
    const struct reader *reader, const struct digest *d, struct buf *out, struct err *e)
{
	return reader_small(reader, inventory_find(reader_inventory(reader), d), out, e);
}

static bool read_inputs(const struct customer_options *o, const struct reader *reader,
    struct inputs *in, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);
	OWNED(buf_drop) struct buf release = BUF(0);
	OWNED(buf_drop) struct buf tgz = BUF(0);

	if (o->file && !file_read(o->file, VALUES_MAX, &in->file, e))
		return false;
	if (!read_member(reader, &inv->release, &release, e)
	    || !release_read(buf_slice(&release), &in->release, e))
		return false;
	return !inv->chart_count
	       || (read_member(reader, &inv->charts[0].blob, &tgz, e)
		   && chart_read(buf_slice(&tgz), &in->chart, e))
	       || err_in(e, "chart %s", inv->charts[0].name);
}

static bool decide(const struct customer_options *o, const struct inputs *in,
    const struct target *target, struct rewrite **out, struct err *e)
{
	const struct rewrite_request request = {
	    .release = in->release,
	    .target = target,
	    .defaults = in->chart ? buf_slice(&in->chart->values) : (struct slice){0},
	    .app_version = in->chart ? in->chart->app_version : NULL,
	    .file = o->file ? buf_slice(&in->file) : (struct slice){0},
	    .file_name = o->file ? o->file : overlay_name,
	    .update_tags = o->update_tags,
	    .waivers = o->waivers.items,
	    .waiver_count = o->waivers.count,
	};

	return rewrite_values(&request, out, e);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return path[strlen(path) - 1] == '/' || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Refuses a path that is the input, whatever its name, or that exists without --force. */
static bool check_output(const struct customer_options *o, const char *path, struct err *e)
{
	struct stat there;
	struct stat input;

	if (stat(path, &there) != 0)
		return true;
	if (o->file && stat(o->file, &input) == 0 && input.st_dev == there.st_dev
	    && input.st_ino == there.st_ino)
		return err_set(e, ERR_USAGE,
		    "%s is the input, which is never changed; choose another output", path);
	return o->force
	       || err_set(
		   e, ERR_SYSTEM, "%s exists already; choose another name, or --force", path);
}

static bool place_in_folder(struct customer *c, const char *folder, struct err *e)
{
	const bool slash = folder[strlen(folder) - 1] == '/';
	struct stat st;

	if (stat(folder, &st) != 0)
		buf_adds(&c->folder, folder);
	if (c->options->file)
		buf_addf(&c->file_path, "%s%s%s", folder, slash ? "" : "/",
		    strcmp(c->options->file, "-") == 0 ? "values.yaml"
						       : base_name(c->options->file));
	if (c->rewrite->overlay.len)
		buf_addf(&c->overlay_path, "%s%s%s", folder, slash ? "" : "/", overlay_name);
	return (!c->file_path.len || check_output(c->options, buf_text(&c->file_path), e))
	       && (!c->overlay_path.len
		   || check_output(c->options, buf_text(&c->overlay_path), e));
}

static bool place(struct customer *c, struct err *e)
{
	const char *output = c->options->output;
	const bool overlay = c->rewrite->overlay.len > 0;

	if (!*output)
		return err_set(
		    e, ERR_USAGE, "--output: expected a file or a folder, found nothing");
	if (is_folder(output))
		return place_in_folder(c, output, e);
	if (overlay && c->options->file)
		return err_set(e, ERR_USAGE,
		    "an overlay is needed besides %s: expected a folder for both, found "
		    "--output %s; write %s/ instead",
		    c->options->file, output, output);
	if (overlay || c->options->file)
		buf_adds(overlay ? &c->overlay_path : &c->file_path, output);
	return check_output(c->options, output, e);
}

/* A path as a shell takes it: the line is there to be pasted. */
static void add_quoted(struct buf *out, const char *path)
{
	static const char harmless[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@+-";

	if (path[strspn(path, harmless)] == '\0') {
		buf_adds(out, path);
		return;
	}
	buf_adds(out, "'");
	for (; *path; path++)
		buf_adds(out, *path == '\'' ? "'\\''" : (char[]){*path, '\0'});
	buf_adds(out, "'");
}

static void add_file(struct buf *line, const struct buf *path)
{
	if (!path->len)
		return;
	buf_adds(line, " -f ");
	add_quoted(line, buf_text(path));
}

static bool helm_line(
    struct customer *c, const struct reader *reader, const struct target *target, struct err *e)
{
	const struct inventory *inv = reader_inventory(reader);
	struct reference to;

	if (!inv->chart_count)
		return true;
	if (!destination_of_chart(&inv->charts[0], target, &to, e))
		return false;
	buf_addf(&c->helm, "helm upgrade --install %s oci://%s/%s --version %s",
	    inv->charts[0].name, to.host, to.path, inv->charts[0].version);
	add_file(&c->helm, &c->file_path);
	add_file(&c->helm, &c->overlay_path);
	return buf_ok(&c->helm, e);
}

static bool check_findings(const struct rewrite *r, struct err *e)
{
	const size_t blocking = findings_blocking(&r->findings);

	return !blocking
	       || err_set(e, ERR_DECISION,
		   "the values need a decision: %zu finding%s above must be settled, or waived "
		   "with --waive CODE:PATH; nothing was written",
		   blocking, blocking == 1 ? "" : "s");
}

static struct customer *customer_new(
    const struct customer_options *o, const struct common *common)
{
	struct customer *c = own_new(sizeof(*c));

	c->options = o;
	c->common = common;
	buf_init(&c->folder, PATH_ROOM);
	buf_init(&c->file_path, PATH_ROOM);
	buf_init(&c->overlay_path, PATH_ROOM);
	buf_init(&c->helm, LINE_ROOM);
	return c;
}

/* The release names its images as the inventory does. */
static void mark_excluded(
    struct release *release, const struct inventory *inv, const char *const *excluded)
{
	for (size_t i = 0; i < release->image_count; i++)
		for (size_t k = 0; excluded && k < inv->image_count; k++)
			if (strcmp(release->images[i].ref, inv->images[k].ref) == 0)
				release->images[i].excluded = excluded[k];
}

/* Where the cluster pulls from: what is pushed here may have another name there. */
static bool pulled_from(const struct customer_options *o, const struct target *pushed,
    struct target *out, struct err *e)
{
	*out = *pushed;
	return !o->registry || target_parse(o->registry, out, e)
	       || err_in(e, "--values-registry");
}

static bool check_options(const struct customer_options *o, struct err *e)
{
	if (o->output || (!o->file && !o->registry))
		return true;
	return err_set(e, ERR_USAGE, "expected --output with --%s, found none",
	    o->file ? "values" : "values-registry");
}

bool customer_decide(const struct customer_options *o, const struct common *common,
    const struct subject *subject, struct customer **out, struct err *e)
{
	OWNED(customer_drop) struct customer *c = customer_new(o, common);
	OWNED(inputs_drop) struct inputs in = {0};
	struct target target;

	if (!check_options(o, e) || !pulled_from(o, subject->target, &target, e))
		return false;
	if (!o->output)
		return true;
	if (!read_inputs(o, subject->reader, &in, e))
		return false;
	mark_excluded(in.release, reader_inventory(subject->reader), subject->excluded);
	if (!decide(o, &in, &target, &c->rewrite, e) || !place(c, e)
	    || !helm_line(c, subject->reader, &target, e))
		return false;
	report_values(
	    c->rewrite, o->file, c->helm.len ? buf_text(&c->helm) : NULL, common->json);
	if (!check_findings(c->rewrite, e))
		return false;
	*out = STEAL(c);
	return true;
}

bool customer_write(const struct customer *c, struct err *e)
{
	if (!c)
		return true;
	const enum file_existing existing = c->options->force ? FILE_REPLACE : FILE_REFUSE;

	if (c->folder.len && mkdir(buf_text(&c->folder), 0777) != 0 && errno != EEXIST)
		return err_errno(e, "cannot make the folder %s", buf_text(&c->folder));
	if (c->file_path.len
	    && !file_write_new(
		buf_text(&c->file_path), buf_slice(&c->rewrite->file), existing, 0666, e))
		return false;
	if (c->overlay_path.len
	    && !file_write_new(
		buf_text(&c->overlay_path), buf_slice(&c->rewrite->overlay), existing, 0666, e))
		return false;
	if (c->helm.len && !c->common->json)
		say(stdout, "%s\n", buf_text(&c->helm));
	return true;
}

void customer_free(struct customer *c)
{
	if (!c)
		return;
	rewrite_free(c->rewrite);
	buf_drop(&c->folder);
	buf_drop(&c->file_path);
	buf_drop(&c->overlay_path);
	buf_drop(&c->helm);
	free(c);
}

void customer_drop(struct customer **c)
{
	customer_free(*c);
	*c = NULL;
}
