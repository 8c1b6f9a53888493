/* export: a release out of its registries into one signed bundle. */
#include "base/own.h"
#include "bundle/writer.h"
#include "cmd/fetch.h"
#include "cmd/media_out.h"
#include "cmd/network.h"
#include "cmd/progress.h"
#include "cmd/request.h"
#include "cmd/resolve.h"
#include "cmd/result.h"
#include "cmd/signing.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct request_options request;
	struct network_options network;
	struct signing_options signing;
	struct media_out_options media;
	bool fresh;
	bool is_unsigned;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"fresh", 0, OPTION_FLAG, AT(fresh), NULL,
	"begin anew, even where an interrupted export could be continued"},
    {"unsigned", 0, OPTION_FLAG, AT(is_unsigned), NULL,
	"leave the signature to sealift sign and attach; nobody believes the bundle before, "
	"and such an export is not continued"},
    {0},
};
static const struct option_group groups[] = {
    {request_options, AT(request), "What to carry"},
    {own_options, 0, "Options"},
    {media_out_options, AT(media), "Where to write"},
    {signing_options, AT(signing), "Signing"},
    {passphrase_options, AT(signing.passphrase), "Passphrase of the key"},
    {network_options, AT(network), "Network"},
    {common_options, AT(common), "General"},
    {0},
};

/* NULL for --unsigned. */
static bool open_signer(const struct options *o, struct signer **signer, struct err *e)
{
	if (!o->is_unsigned)
		return signing_open(&o->signing, signer, e);
	return (!o->signing.sign_key && !o->signing.sign_cmd)
	       || err_set(e, ERR_USAGE, "--unsigned: expected no --sign-key or --sign-cmd");
}

/* From the medium itself, as --check-media asks. */
static bool read_back(const struct media_out_options *o, struct writer *writer,
    const struct plan *plan, struct progress *progress, struct err *e)
{
	if (!media_out_checked(o))
		return true;
	progress_begin(progress, "read back", plan->inventory->total);
	if (!writer_read_back(writer, progress_watch(progress), e))
		return false;
	progress_rate(progress);
	return true;
}

/* The steps of an export, in the order they happen. */
static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	OWNED(progress_drop) struct progress *progress = progress_new(&o->common, "export");
	OWNED(request_drop) struct request request = {0};
	OWNED(buf_drop) struct buf path = BUF(REQUEST_PATH_MAX);
	OWNED(signer_drop) struct signer *signer = NULL;
	OWNED(network_drop) struct network network = {0};
	OWNED(output_drop) struct output *output = NULL;
	OWNED(writer_drop) struct writer *writer = NULL;
	OWNED(plan_drop) struct plan *plan = NULL;
	struct watch *watch = progress_watch(progress);

	/* clang-format off */
	return request_read(&o->request, &o->common.arguments, &request, e)
	    && request_output(&request, media_out_file(&o->media), &path, e)
	    && open_signer(o, &signer, e)
	    && network_open(&o->network, &o->request.mirrors, watch, &network, e)
	    && media_out_open(&o->media, buf_text(&path), !o->fresh, watch, &output, e)
	    && (writer = writer_new(buf_text(&path), &output, signer))
	    && resolve_or_continue(&request, writer, &network, &plan, e)
	    && writer_begin(writer, plan->inventory, buf_slice(&plan->bytes), e)
	    && fetch_members(plan, writer, &network, progress, e)
	    && writer_end(writer, e)
	    && read_back(&o->media, writer, plan, progress, e)
	    && writer_commit(writer, e) /* nothing has its final name before this */
	    && result_of_export(&o->common, &o->media, buf_text(&path), plan, signer);
	/* clang-format on */
}

const struct verb verb_export = {
    .name = "export",
    .arguments = "[RELEASE]",
    .most = 1,
    .summary = "pull a release into one signed bundle",
    .about = "Pulls the images and the chart of a release from their registries and "
	     "writes them into one signed tarball in which every byte is accounted "
	     "for. RELEASE is a release file or the name of an installed release; "
	     "--image, --images and --chart name things one by one. An export that was "
	     "interrupted is continued by the same command; the final name appears "
	     "only when all is whole.",
    .example = "  sealift export immuta --param immutaVersion=2024.1.5 --param "
	       "chartVersion=4.13.5 \\\n"
	       "      --sign-key vendor.key -o immuta-2024.1.5.tar",
    .groups = groups,
    .size = sizeof(struct options),
    .run = run,
};
