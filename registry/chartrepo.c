#include "registry/chartrepo.h"

#include "base/own.h"
#include "manifests/provenance.h"
#include "manifests/semver.h"
#include "registry/chartfetch.h"
#include "registry/chartoci.h"
#include "registry/charturl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void chart_found_drop(struct chart_found *c)
{
	for (size_t i = 0; i < c->more_count; i++)
		buf_drop(&c->more[i]);
	free(c->more);
	buf_drop(&c->tgz);
	buf_drop(&c->config);
	chart_free(c->chart);
	image_free(c->image);
	free(c->source);
	*c = (struct chart_found){0};
}

/* One chart of a classic repository while it is fetched. */
struct classic {
	const struct chart_wanted *want;
	struct chart_origin origin;
	struct watch *watch;
	const struct chart_entry *entry; /* NULL: it is asked for by its whole address */
	char *moved; /* where the index came from, if not from its address */
};

/* The digest of an index may have a prefix and capitals (HLM-10). */
static bool check_digest(
    const struct classic *c, const char *url, struct slice tgz, struct err *e)
{
	const char *said = c->entry ? c->entry->digest : NULL;
	OWNED(drop_text) char *hex = said ? own_text(said) : NULL;
	char text[2][DIGEST_TEXT];
	struct digest want;
	struct digest found;

	if (!hex || !*hex)
		return true;
	for (char *at = hex; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	const char *digits = strncmp(hex, "sha256:", 7) == 0 ? hex + 7 : hex;
	if (!digest_parse_hex(slice_of(digits), &want, e))
		return err_in(e, "the index's digest of %.200s", url);
	digest_of(tgz, &found);
	if (digest_equal(&want, &found))
		return true;
	(void)err_set(e, ERR_DAMAGED, "%.160s: expected %s as the index says, found %s", url,
	    digest_text(&want, text[0]), digest_text(&found, text[1]));
	if (!c->want->any_digest)
		return err_in(e, "--allow-index-digest-mismatch takes it all the same");
	watch_warn(c->watch, "%s", e->text);
	err_clear(e);
	return true;
}

/* What was listed as one chart must not be another (HLM-13). */
static bool check_name(
    const struct classic *c, const char *url, const struct chart *chart, struct err *e)
{
	struct semver listed;
	struct semver own;

	if (!c->entry)
		return true;
	if (strcmp(chart->name, c->want->name) != 0)
		return err_set(e, ERR_FORMAT, "%.200s: expected the chart %.80s, found %.80s",
		    url, c->want->name, chart->name);
	if (strcmp(chart->version, c->entry->version) == 0
	    || (semver_parse(slice_of(c->entry->version), &listed)
		&& semver_parse(slice_of(chart->version), &own)
		&& semver_compare(&listed, &own) == 0))
		return true;
	return err_set(e, ERR_FORMAT,
	    "%.200s: expected version %.60s of the chart, found %.60s", url, c->entry->version,
	    chart->version);
}

static bool check_prov(
    const struct chart_found *found, struct slice prov, const char *url, struct err *e)
{
	OWNED(buf_drop) struct buf file = BUF(1024);
	struct digest digest;

	buf_addf(&file, "%.300s-%.300s.tgz", found->chart->name, found->chart->version);
	digest_of(buf_slice(&found->tgz), &digest);
	return provenance_check(prov, buf_text(&file), &digest, e) || err_in(e, "%.200s", url);
}

/* The provenance file beside a chart; that there is none is an answer (HLM-16). */
static bool fetch_prov(
    const struct classic *c, const char *url, struct chart_found *out, struct err *e)
{
	OWNED(buf_drop) struct buf where = BUF(0);
	OWNED(buf_drop) struct buf shown = BUF(CHART_URL_MAX);
	OWNED(buf_drop) struct buf prov = BUF(0);

	if (!charturl_prov(url, &where, e))
		return false;
	http_url_show(buf_text(&where), &shown);
	const bool there =
	    chartfetch_file(&c->origin, buf_text(&where), PROVENANCE_MAX, &prov, e);
	if (!there && (e->kind == ERR_STOPPED || (e->code < 200 && !c->want->require_prov)))
		return false;
	if (!there || !provenance_is(buf_slice(&prov))) {
		if (c->want->require_prov)
			return there ? err_set(e, ERR_FORMAT,
				   "%.200s: expected a provenance file, found something else",
				   buf_text(&shown))
				     : err_in(e, "--require-prov");
		err_clear(e);
		return true;
	}
	if (!check_prov(out, buf_slice(&prov), buf_text(&shown), e))
		return false;
	out->more = own_array(1, sizeof(*out->more));
	out->more[out->more_count++] = STEAL(prov);
	return true;
}

/* One address, and what is checked of what comes from there. */
static bool fetch_chart(
    const struct classic *c, const char *url, struct chart_found *out, struct err *e)
{
	OWNED(buf_drop) struct buf shown = BUF(CHART_URL_MAX);

	http_url_show(url, &shown);
	if (!chartfetch_file(&c->origin, url, CHART_TGZ_MAX, &out->tgz, e))
		return false;
	if (!slice_starts(buf_slice(&out->tgz), "\x1f\x8b"))
		return err_set(e, ERR_FORMAT,
		    "%.200s: expected a chart (.tgz), found %zu bytes of something else",
		    buf_text(&shown), out->tgz.len);
	if (!check_digest(c, buf_text(&shown), buf_slice(&out->tgz), e))
		return false;
	if (!chart_read(buf_slice(&out->tgz), &out->chart, e))
		return err_in(e, "%.200s", buf_text(&shown));
	if (!check_name(c, buf_text(&shown), out->chart, e) || !fetch_prov(c, url, out, e))
		return false;
	out->source = own_text(buf_text(&shown));
	return true;
}

/* The forms of one address, each while the one before leads nowhere. */
static bool fetch_forms(
    const struct classic *c, const char *url, struct chart_found *out, struct err *e)
{
	OWNED(charturl_list_drop) struct charturl_list forms = {0};
	struct err first = {0};

	if (!charturl_list(c->want->repo, c->moved, url, &forms, e))
		return false;
	for (size_t i = 0; i < forms.count; i++) {
		chart_found_drop(out);
		err_clear(e);
		if (fetch_chart(c, forms.items[i], out, e))
			return true;
		if (!i)
			first = *e;
		if (e->code != 404 && e->code != 403)
			return false;
	}
	*e = first;
	return false;
}

static bool is_oci(const char *url)
{
	return strncmp(url, "oci://", 6) == 0;
}

/* An address of an index that leads into a registry. */
static bool fetch_oci(
    const struct classic *c, const char *url, struct chart_found *out, struct err *e)
{
	const struct chart_wanted want = {.name = url, .version = c->entry->version};

	return chartoci_pull(c->origin.registries, c->origin.at.http, &want, out, e)
	       && chart_read(buf_slice(&out->tgz), &out->chart, e)
	       && check_digest(c, url, buf_slice(&out->tgz), e)
	       && check_name(c, url, out->chart, e);
}

/* The addresses of an entry, each while the ones before fail (HLM-11); of what they failed
 * with, the first is told. */
static bool fetch_entry(const struct classic *c, struct chart_found *out, struct err *e)
{
	struct err first = {0};

	for (size_t i = 0; i < c->entry->url_count; i++) {
		const char *url = c->entry->urls[i];
		const char *problem = charturl_problem(url);
		chart_found_drop(out);
		err_clear(e);
		if (problem)
			(void)err_set(e, ERR_FORMAT, "chart %.80s is at %.200s: %s",
			    c->want->name, url, problem);
		else if ((is_oci(url) ? fetch_oci : fetch_forms)(c, url, out, e))
			return true;
		if (e->kind == ERR_STOPPED)
			return false;
		if (!i)
			first = *e;
	}
	*e = first;
	return false;
}

static bool pull_classic(struct classic *c, struct chart_found *out, struct err *e)
{
	OWNED(chart_entries_drop) struct chart_entries entries = {0};
	OWNED(buf_drop) struct buf where = BUF(0);
	OWNED(buf_drop) struct buf shown = BUF(CHART_URL_MAX);

	if (!charturl_below(c->want->repo, "index.yaml", &where, e)
	    || !chartfetch_index(
		&c->origin, buf_text(&where), c->want->name, &entries, &c->moved, e))
		return false;
	http_url_show(buf_text(&where), &shown);
	return chartindex_choose(
		   &entries, buf_text(&shown), c->want->name, c->want->version, &c->entry, e)
	       && fetch_entry(c, out, e);
}

static bool pull_by_address(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e)
{
	struct classic c = {.want = want};
	const char *url = want->repo ? want->repo : want->name;

	if (!chartfetch_origin(registries, http, url, &c.origin, e))
		return false;
	c.origin.pass_credentials = want->pass_credentials;
	c.origin.repo = want->repo;
	c.watch = registry_policy(c.origin.at.registry)->watch;
	const bool ok = want->repo ? pull_classic(&c, out, e) : fetch_chart(&c, url, out, e);
	free(c.moved);
	return ok;
}

bool chartrepo_pull(struct registries *registries, struct http *http,
    const struct chart_wanted *want, struct chart_found *out, struct err *e)
{
	OWNED(chart_found_drop) struct chart_found found = {0};
	bool ok = false;

	if (is_oci(want->repo ? want->repo : want->name))
		ok = chartoci_pull(registries, http, want, &found, e)
		     && chart_read(buf_slice(&found.tgz), &found.chart, e);
	else
		ok = pull_by_address(registries, http, want, &found, e);
	if (ok)
		*out = STEAL(found);
	return ok;
}
