#include "cmd/network.h"

#include "base/file.h"
#include "base/own.h"
#include "cmd/passphrase.h"
#include "registry/othermirrors.h"

#include <stdlib.h>
#include <string.h>

enum {
	PASSWORD_MAX = 64 * 1024,
	PATH_TEXT_MAX = 8192,
	RATE_MAX = 1000000000,
};

#define AT(field) offsetof(struct network_options, field)
const struct option network_options[] = {
    {"username", 'u', OPTION_TEXT, AT(username), "USER",
	"log in as USER at the one host that asks; the password is asked for, or see "
	"--password-stdin"},
    {"password-stdin", 0, OPTION_FLAG, AT(password_stdin), NULL,
	"read the password from standard input"},
    {"authfile", 0, OPTION_TEXT, AT(auth_file), "FILE",
	"read logins from FILE (as docker and podman write it); default: $REGISTRY_AUTH_FILE, "
	"$DOCKER_CONFIG/config.json and the usual places"},
    {"ca-file", 0, OPTION_TEXT, AT(ca_file), "FILE",
	"trust the TLS authorities in FILE besides the system's"},
    {"cert-file", 0, OPTION_TEXT, AT(cert_file), "FILE",
	"show this TLS certificate to hosts that ask"},
    {"key-file", 0, OPTION_TEXT, AT(key_file), "FILE", "the key of --cert-file"},
    {"insecure-skip-tls-verify", 0, OPTION_FLAG, AT(insecure), NULL,
	"do not check TLS certificates"},
    {"plain-http", 0, OPTION_FLAG, AT(plain_http), NULL, "use http, not https"},
    {"jobs", 'j', OPTION_NUMBER, AT(jobs), "N", "transfers at the same time (default 4)"},
    {"retries", 0, OPTION_NUMBER, AT(retries), "N", "attempts after a failed one (default 5)"},
    {"retry-wait", 0, OPTION_NUMBER, AT(retry_wait), "MS",
	"milliseconds before the first retry; doubled for each further one (default 500)"},
    {"limit-rate", 0, OPTION_TEXT, AT(limit_rate), "RATE",
	"move at most RATE bytes a second, as 500K or 20M, in all transfers together"},
    {"config", 0, OPTION_TEXT, AT(config), "FILE",
	"read the settings of single registries from FILE; default: "
	"$XDG_CONFIG_HOME/sealift/config.yaml, else /etc/sealift/config.yaml"},
    {"retry-total", 0, OPTION_NUMBER, AT(retry_total), "SECONDS",
	"seconds that one thing may be tried again for (default 1800)"},
    {"retry-after-max", 0, OPTION_NUMBER, AT(retry_after_max), "SECONDS",
	"wait at most so long where a registry asks for a wait (default 300)"},
    {0},
};

static bool read_password(struct network *n, const struct network_options *o, struct err *e)
{
	OWNED(buf_drop) struct buf text = BUF(0);

	if (o->password_stdin && !o->username)
		return err_set(e, ERR_USAGE, "--password-stdin: expected --username as well");
	if (!o->username)
		return true;
	if (!o->password_stdin)
		return passphrase_prompt("password", o->username, false, &n->password, e);
	if (!file_read("-", PASSWORD_MAX, &text, e))
		return false;
	while (text.len && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
		text.len--;
	n->password = own_bytes(buf_text(&text), text.len);
	if (text.ptr)
		explicit_bzero(text.ptr, text.cap);
	return true;
}

static bool parse_mirror(const char *text, struct mirror *m, char **host, struct err *e)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text || !equals[1])
		return err_set(
		    e, ERR_USAGE, "--mirror: expected HOST[:PORT]=URL, found \"%s\"", text);
	*host = own_bytes(text, (size_t)(equals - text));
	*m = (struct mirror){.host = *host, .url = equals + 1};
	return true;
}

/* "500K": a number and, perhaps, K, M or G. */
static bool read_rate(const char *text, uint64_t *rate, struct err *e)
{
	static const char units[] = "KMG";
	struct slice number = slice_of(text ? text : "0");
	const char *unit = number.len ? strchr(units, number.ptr[number.len - 1]) : NULL;
	uint64_t factor = 1;

	for (const char *u = units; unit && u <= unit; u++)
		factor *= 1000;
	number.len -= unit ? 1 : 0;
	if (slice_u64(number, RATE_MAX, rate) && (*rate || !text)) {
		*rate *= factor;
		return true;
	}
	return err_set(e, ERR_USAGE,
	    "--limit-rate: expected bytes a second such as 500K or 20M, found \"%s\"", text);
}

/* The first file of settings that is there; one that was named must be. */
static bool read_settings(const char *named, struct settings **out, struct err *e)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	OWNED(buf_drop) struct buf own = BUF(PATH_TEXT_MAX);

	buf_addf(&own, "%s%s/sealift/config.yaml",
	    xdg && *xdg ? xdg
	    : home	? home
			: "",
	    xdg && *xdg ? "" : "/.config");
	const char *const paths[] = {buf_text(&own), "/etc/sealift/config.yaml"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		OWNED(buf_drop) struct buf text = BUF(0);
		const char *path = named ? named : paths[i];
		if (file_read(path, SETTINGS_MAX, &text, e))
			return settings_read(buf_slice(&text), path, out, e);
		if (named || e->kind != ERR_MISSING)
			return err_in(e, "--config");
		err_clear(e);
	}
	return true;
}

static bool open_registries(struct network *n, const struct network_options *o,
    const struct texts *mirrors, struct watch *watch, struct err *e)
{
	OWNED(drop_any) struct mirror *list = own_array(mirrors->count, sizeof(*list));
	char **hosts = own_array(mirrors->count, sizeof(*hosts));
	bool ok = true;

	for (size_t i = 0; ok && i < mirrors->count; i++)
		ok = parse_mirror(mirrors->items[i], &list[i], &hosts[i], e);
	const struct registry_config config = {
	    .http = n->http,
	    .username = o->username,
	    .password = n->password,
	    .auth_file = o->auth_file,
	    .plain_http = o->plain_http,
	    .retries = number_or(o->retries, RETRIES_DEFAULT),
	    .retries_said = o->retries.given,
	    .retry_base_ms = number_or(o->retry_wait, RETRY_WAIT_DEFAULT),
	    .retry_total_ms = (uint64_t)number_or(o->retry_total, 0) * 1000,
	    .retry_after_most_ms = (uint64_t)number_or(o->retry_after_max, 0) * 1000,
	    .mirrors = list,
	    .mirror_count = mirrors->count,
	    .watch = watch,
	};
	ok = ok && registries_new(&config, &n->registries, e);
	for (size_t i = 0; i < mirrors->count; i++)
		free(hosts[i]);
	free(hosts);
	return ok;
}

bool network_open(const struct network_options *o, const struct texts *mirrors,
    struct watch *watch, struct network *out, struct err *e)
{
	OWNED(network_drop)
	struct network n = {
	    .http = {.ca_file = o->ca_file,
		.cert_file = o->cert_file,
		.key_file = o->key_file,
		.insecure = o->insecure},
	    .jobs = number_or(o->jobs, JOBS_DEFAULT),
	    .watch = watch,
	};

	if (n.jobs < 1 || n.jobs > JOBS_MAX)
		return err_set(
		    e, ERR_USAGE, "--jobs: expected 1 to %d, found %zu", JOBS_MAX, n.jobs);
	if (!read_settings(o->config, &n.settings, e)
	    || !read_rate(o->limit_rate, &n.http.bytes_a_second, e))
		return false;
	n.http.settings = n.settings;
	if (n.http.bytes_a_second)
		n.http.bytes_a_second = n.http.bytes_a_second / n.jobs + 1;
	mirrors_not_read(watch);
	if (!http_start(e) || !read_password(&n, o, e)
	    || !open_registries(&n, o, mirrors, watch, e))
		return false;
	n.workers = own_array(n.jobs, sizeof(struct http *));
	for (size_t i = 0; i < n.jobs; i++)
		n.workers[i] = http_new(&n.http);
	*out = STEAL(n);
	return true;
}

void network_drop(struct network *n)
{
	for (size_t i = 0; n->workers && i < n->jobs; i++)
		http_free(n->workers[i]);
	free(n->workers);
	registries_free(n->registries);
	settings_free(n->settings);
	if (n->password)
		explicit_bzero(n->password, strlen(n->password));
	free(n->password);
	*n = (struct network){0};
}
