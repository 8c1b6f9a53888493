/* export: a release out of its registries into one signed bundle. */
#include "base/own.h"
#include "bundle/writer.h"
#include "cmd/fetch.h"
#include "cmd/network.h"
#include "cmd/passphrase.h"
#include "cmd/progress.h"
#include "cmd/request.h"
#include "cmd/resolve.h"
#include "cmd/result.h"
#include "cmd/verb.h"

struct options {
	struct common common;
	struct request_options request;
	struct network_options network;
	struct passphrase_options passphrase;
	const char *sign_key;
	const char *output;
	bool force;
	bool fresh;
};

#define AT(field) offsetof(struct options, field)
static const struct option own_options[] = {
    {"sign-key", 0, OPTION_TEXT, AT(sign_key), "FILE",
	"sign with this private key (required; see keygen)"},
    {"output", 'o', OPTION_TEXT, AT(output), "FILE",
	"write the bundle here (default NAME-VERSION.tar)"},
    {"force", 0, OPTION_FLAG, AT(force), NULL, "replace a bundle that has this name"},
    {"fresh", 0, OPTION_FLAG, AT(fresh), NULL,
	"begin anew, even where an interrupted export could be continued"},
    {0},
};
static const struct option_group groups[] = {
    {request_options, AT(request), "What to carry"},
    {own_options, 0, "Options"},
    {passphrase_options, AT(passphrase), "Passphrase of the key"},
    {network_options, AT(network), "Network"},
    {common_options, AT(common), "General"},
    {0},
};

static bool open_signer(const struct options *o, struct signer **signer, struct err *e)
{
	struct passphrase_source passphrase;
	OWNED(key_drop) struct key *key = NULL;

	if (!o->sign_key)
		return err_set(
		    e, ERR_USAGE, "expected --sign-key FILE; sealift keygen makes one");
	passphrase_source_init(&passphrase, &o->passphrase);
	if (!key_open_private(o->sign_key, &passphrase.passphrase, &key, e))
		return false;
	*signer = signer_of_key_take(&key);
	return true;
}

/* The steps of an export, in the order they happen. */
static bool run(void *options, struct err *e)
{
	const struct options *o = options;
	const enum file_existing existing = o->force ? FILE_REPLACE : FILE_REFUSE;
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
	    && request_output(&request, o->output, &path, e)
	    && open_signer(o, &signer, e)
	    && network_open(&o->network, &o->request.mirrors, watch, &network, e)
	    && output_to_file(buf_text(&path), existing, !o->fresh, &output, e)
	    && (writer = writer_new(buf_text(&path), &output, signer))
	    && resolve_or_continue(&request, writer, &network, &plan, e)
	    && writer_begin(writer, plan->inventory, buf_slice(&plan->bytes), e)
	    && fetch_members(plan, writer, &network, progress, e)
	    && writer_finish(writer, e) /* nothing has its final name before this */
	    && result_of_export(&o->common, buf_text(&path), plan, signer);
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
