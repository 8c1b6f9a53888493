#include "cmd/request.h"

#include "base/file.h"
#include "base/own.h"
#include "manifests/reference.h"
#include "manifests/semver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RELEASE_FILE_MAX = 1024 * 1024,
	IMAGE_FILE_MAX = 4 * 1024 * 1024,
	PATH_ROOM = 4096,
};

#define AT(field) offsetof(struct request_options, field)
const struct option request_options[] = {
    {"image", 0, OPTION_TEXTS, AT(images), "REF", "carry this image (may be repeated)"},
    {"images", 0, OPTION_TEXT, AT(image_file), "FILE",
	"carry the images that FILE lists, one a line; # begins a comment"},
    {"chart", 0, OPTION_TEXT, AT(chart), "REF",
	"carry this chart: oci://HOST/PATH/NAME:VERSION, https://…/NAME-VERSION.tgz, or NAME "
	"with --repo"},
    {"repo", 0, OPTION_TEXT, AT(chart_repo), "URL", "the chart repository of --chart"},
    {"version", 0, OPTION_TEXT, AT(chart_version), "V",
	"the version of --chart, or a range as Helm has them (default: the highest stable "
	"one)"},
    {"pass-credentials", 0, OPTION_FLAG, AT(pass_credentials), NULL,
	"give the chart repository's login to the other hosts that its index names, too"},
    {"require-prov", 0, OPTION_FLAG, AT(require_prov), NULL,
	"refuse a chart that has no provenance file beside it"},
    {"allow-index-digest-mismatch", 0, OPTION_FLAG, AT(any_digest), NULL,
	"take a chart whose digest is not the index's; its own is recorded"},
    {"file", 0, OPTION_TEXTS, AT(files), "PATH",
	"carry this file beside the images, under its last part as its name (may be repeated)"},
    {"param", 0, OPTION_TEXTS, AT(parameters), "NAME=VALUE",
	"fill in a parameter of the release (may be repeated)"},
    {"mirror", 0, OPTION_TEXTS, AT(mirrors), "HOST=URL",
	"fetch what HOST[:PORT] serves from URL; every recorded name stays HOST's (may be "
	"repeated)"},
    {"platform", 0, OPTION_TEXT, AT(platform), "OS/ARCH",
	"carry this one platform of each image (default: all)"},
    {"no-referrers", 0, OPTION_FLAG, AT(no_referrers), NULL,
	"leave out what refers to the images: signatures, attestations, SBOMs"},
    {"name", 0, OPTION_TEXT, AT(name), "NAME",
	"the bundle's name (default: the release's, the chart's or the first image's)"},
    {"release-version", 0, OPTION_TEXT, AT(version), "V",
	"the bundle's version (default: the chart's or the first image's tag)"},
    {"channel", 0, OPTION_TEXT, AT(stamp.channel), "NAME",
	"the channel that the bundle belongs to (default stable)"},
    {"expires", 0, OPTION_TEXT, AT(stamp.expires), "DATE",
	"the bundle is not to be used after this day (2026-12-31, in UTC) or time "
	"(2026-12-31T12:00:00Z); default never"},
    {"label", 0, OPTION_TEXTS, AT(stamp.labels), "KEY=VALUE",
	"a label that the bundle carries, such as change=CHG-123 (may be repeated)"},
    {0},
};

static bool parse_parameters(
    const struct texts *given, struct parameter *list, char **owned, struct err *e)
{
	for (size_t i = 0; i < given->count; i++) {
		const char *text = given->items[i];
		const char *equals = strchr(text, '=');

		if (!equals || equals == text)
			return err_set(
			    e, ERR_USAGE, "--param: expected NAME=VALUE, found \"%s\"", text);
		owned[i] = own_bytes(text, (size_t)(equals - text));
		list[i] = (struct parameter){.name = owned[i], .value = equals + 1};
	}
	return true;
}

/* The folders where releases are looked up by name: $SEALIFT_RELEASES, else the one that was
 * installed beside the program. */
static void release_folder(struct buf *path)
{
	const char *folder = getenv("SEALIFT_RELEASES");
	char self[PATH_ROOM];
	const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (folder && *folder) {
		buf_adds(path, folder);
		return;
	}
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	buf_addf(path, "%s/../share/sealift/releases", self);
}

/* A word with a slash or a dot is a file's path; any other is the name of an installed release.
 * path becomes that of the file. */
static bool read_release_text(
    const char *word, struct buf *path, struct buf *text, struct err *e)
{
	if (strpbrk(word, "/.")) {
		buf_adds(path, word);
		return buf_ok(path, e) && file_read(word, RELEASE_FILE_MAX, text, e);
	}
	release_folder(path);
	buf_addf(path, "/%s.yaml", word);
	if (file_read(buf_text(path), RELEASE_FILE_MAX, text, e))
		return true;
	return err_in(
	    e, "no release \"%s\" is installed (a release file is named by its path)", word);
}

static bool read_release(const struct request_options *o, const char *word, struct buf *path,
    struct release **out, struct err *e)
{
	const size_t count = o->parameters.count;
	OWNED(buf_drop) struct buf text = BUF(0);
	OWNED(drop_any) struct parameter *list = own_array(count, sizeof(*list));
	char **owned = own_array(count, sizeof(*owned));

	const bool ok = read_release_text(word, path, &text, e)
			&& parse_parameters(&o->parameters, list, owned, e)
			&& release_parse(buf_slice(&text), word, list, count, out, e);
	for (size_t i = 0; i < count; i++)
		free(owned[i]);
	free(owned);
	return ok;
}

static void add_line(struct release *r, struct slice line)
{
	struct slice text;

	(void)slice_cut(&line, '#', &text);
	text = slice_trim(text);
	if (!text.len)
		return;
	OWNED(drop_text) char *ref = own_bytes(text.ptr, text.len);
	release_add_image(r, ref);
}

static bool add_image_file(struct release *r, const char *path, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(0);
	struct slice rest;
	struct slice line;

	if (!file_read(path, IMAGE_FILE_MAX, &text, e))
		return false;
	rest = buf_slice(&text);
	if (slice_starts(rest, "\xef\xbb\xbf"))
		rest = slice_at(rest.ptr + 3, rest.len - 3);
	while (slice_cut(&rest, '\n', &line))
		add_line(r, line);
	return true;
}

static bool add_named(const struct request_options *o, struct release *r, struct err *e)
{
	if ((o->chart_repo || o->chart_version) && !o->chart)
		return err_set(
		    e, ERR_USAGE, "--repo and --version belong to --chart, which is missing");
	for (size_t i = 0; i < o->images.count; i++)
		release_add_image(r, o->images.items[i]);
	if (o->chart)
		release_add_chart(r, o->chart, o->chart_repo, o->chart_version);
	return !o->image_file || add_image_file(r, o->image_file, e);
}

static int by_reference(const void *a, const void *b)
{
	return strcmp(
	    ((const struct release_image *)a)->ref, ((const struct release_image *)b)->ref);
}

/* Of two that are the same, the one with coordinates first. */
static int by_reference_and_values(const void *a, const void *b)
{
	const size_t left = ((const struct release_image *)a)->values_count;
	const size_t right = ((const struct release_image *)b)->values_count;
	const int order = by_reference(a, b);

	return order ? order : (left < right) - (left > right);
}

/* Every reference in its normal form. */
static bool normalise(struct release *r, struct err *e)
{
	for (size_t i = 0; i < r->image_count; i++) {
		struct reference ref;
		char text[REFERENCE_TEXT_MAX];

		if (!reference_parse(slice_of(r->images[i].ref), &ref, e))
			return false;
		free(r->images[i].ref);
		r->images[i].ref = own_text(reference_text(&ref, text));
	}
	return true;
}

/* The order of arguments must change no byte of the bundle. */
static bool sort_images(struct release *r, struct err *e)
{
	size_t kept = 0;

	if (r->image_count)
		qsort(r->images, r->image_count, sizeof(*r->images), by_reference_and_values);
	for (size_t i = 0; i < r->image_count; i++) {
		struct release_image *image = &r->images[i];
		if (!kept || by_reference(&r->images[kept - 1], image) != 0) {
			r->images[kept++] = *image;
			continue;
		}
		if (image->values_count)
			return err_set(e, ERR_FORMAT,
			    "expected each image once, found %s twice", image->ref);
		free(image->ref);
		free(image->values);
	}
	r->image_count = kept;
	return true;
}

/* What a change board has read is what travels: nothing more, and nothing else. */
static bool check_lock(const struct request_options *o, const struct release *r, struct err *e)
{
	const char *const given[] = {o->image_file, o->chart, o->platform, o->name, o->version};
	bool more = o->images.count || o->files.count;

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		more = more || given[i];
	return !r->locked || !more
	       || err_set(e, ERR_USAGE,
		   "expected a lock alone, which is exported as it stands, found --image, "
		   "--images, --chart, --file, --platform, --name or --release-version "
		   "besides; "
		   "give them to plan");
}

static bool read_platform(const char *text, struct request *r, struct err *e)
{
	r->one_platform = text && strcmp(text, "all") != 0;
	if (r->one_platform && strchr(text, ','))
		return err_set(e, ERR_USAGE,
		    "--platform: expected one platform or none for all, found \"%s\": an index "
		    "with some of its"
		    " platforms is refused by registries",
		    text);
	return !r->one_platform || platform_parse(slice_of(text), &r->platform, e);
}

static void replace(char **text, const char *by)
{
	if (!by)
		return;
	free(*text);
	*text = own_text(by);
}

bool request_read(const struct request_options *o, const struct texts *arguments,
    struct request *out, struct err *e)
{
	OWNED(request_drop) struct request r = {0};
	OWNED(buf_drop) struct buf path = BUF(PATH_ROOM * 2);

	if (arguments->count ? !read_release(o, arguments->items[0], &path, &r.release, e)
			     : !(r.release = release_new()))
		return false;
	if (!arguments->count && o->parameters.count)
		return err_set(e, ERR_USAGE,
		    "--param: expected a release to have parameters, found none named");
	if (!check_lock(o, r.release, e))
		return false;
	replace(&r.release->name, o->name);
	replace(&r.release->version, o->version);
	replace(&r.release->platform, o->platform);
	if (!add_named(o, r.release, e) || !normalise(r.release, e)
	    || !sort_images(r.release, e) || !read_platform(r.release->platform, &r, e)
	    || !stamp_read(&o->stamp, &r.stamp, e)
	    || !files_take(r.release, buf_text(&path), &o->files, &r.files, e))
		return false;
	if (!r.release->image_count && !r.release->chart_count)
		return err_set(e, ERR_USAGE,
		    "expected a release, --image, --images or --chart, found nothing to carry");
	r.no_referrers = o->no_referrers;
	r.charts = (struct chart_wanted){.pass_credentials = o->pass_credentials,
	    .require_prov = o->require_prov,
	    .any_digest = o->any_digest};
	*out = STEAL(r);
	return true;
}

/* What a path's last part is called, without a tag. */
static void last_part(const char *path, struct buf *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	buf_add(out, name, strcspn(name, ":@"));
}

/* What a bundle is named by: a version, not a range of them. */
static const char *own_version(const struct release *release)
{
	const struct release_chart *chart = release->chart_count ? release->charts : NULL;
	struct semver v;

	if (release->version || !chart || !chart->version)
		return release->version;
	return semver_parse(slice_of(chart->version), &v) ? chart->version : NULL;
}

bool request_output(
    const struct request *r, const char *output, struct buf *path, struct err *e)
{
	const struct release *release = r->release;
	const struct release_chart *chart = release->chart_count ? release->charts : NULL;
	const char *version = own_version(release);
	struct reference first = {0};

	if (output) {
		buf_adds(path, output);
		return buf_ok(path, e);
	}
	if (!chart && !reference_parse(slice_of(release->images[0].ref), &first, e))
		return false;
	last_part(release->name ? release->name : chart ? chart->name : first.path, path);
	version = version || chart ? version : first.tag;
	if (!version || !*version)
		return err_set(e, ERR_USAGE,
		    "expected --output FILE: no version is known that could name the bundle");
	buf_addf(path, "-%s.tar", version);
	return buf_ok(path, e);
}

void request_drop(struct request *r)
{
	release_free(r->release);
	files_drop(&r->files);
	stamp_drop(&r->stamp);
	*r = (struct request){0};
}
