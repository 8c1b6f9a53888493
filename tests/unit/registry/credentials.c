#include "registry/authfile.h"
#include "registry/credentials.h"

#include "base/own.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* user:p:ss */
#define AUTH "{\"auth\":\"dXNlcjpwOnNz\"}"

struct row {
	const char *json;
	const char *host;
	const char *username; /* NULL: nothing is found */
	const char *password;
};

static const struct row rows[] = {
    /* Every shape of a key. */
    {"{\"auths\":{\"h.example\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"h.example:5000\":" AUTH "}}", "h.example:5000", "user", "p:ss"},
    {"{\"auths\":{\"https://h.example\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"https://h.example/\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"https://h.example/v1/\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"http://h.example/v2/\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"h.example/\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"H.Example\":" AUTH "}}", "h.example", "user", "p:ss"},
    {"{\"auths\":{\"[::1]:5000\":" AUTH "}}", "[::1]:5000", "user", "p:ss"},
    {"{\"auths\":{\"https://index.docker.io/v1/\":" AUTH "}}", "docker.io", "user", "p:ss"},
    /* Parts of a host, the longest first (CRD-05). */
    {"{\"auths\":{\"q.io\":{\"auth\":\"b3RoZXI6eA==\"},\"q.io/ns\":" AUTH "}}", "q.io/ns/repo",
	"user", "p:ss"},
    {"{\"auths\":{\"q.io/ns/repo\":" AUTH ",\"q.io/ns\":{\"auth\":\"b3RoZXI6eA==\"}}}",
	"q.io/ns/repo", "user", "p:ss"},
    {"{\"auths\":{\"q.io\":" AUTH "}}", "q.io/ns/repo", "user", "p:ss"},
    {"{\"auths\":{\"q.io/n\":" AUTH "}}", "q.io/ns/repo", NULL, NULL},
    {"{\"auths\":{\"q.io/ns/rep\":" AUTH "}}", "q.io/ns/repo", NULL, NULL},
    {"{\"auths\":{\"q.io/ns/repo/x\":" AUTH "}}", "q.io/ns/repo", NULL, NULL},
    /* Hosts that are others. */
    {"{\"auths\":{\"h.example:5000\":" AUTH "}}", "h.example", NULL, NULL},
    {"{\"auths\":{\"h.example\":" AUTH "}}", "h.example:443", NULL, NULL},
    {"{\"auths\":{\"h.example.evil\":" AUTH "}}", "h.example", NULL, NULL},
    {"{\"auths\":{\"h.example/team\":" AUTH "}}", "h.example", NULL, NULL},
    {"{\"auths\":{\"https://evil/h.example\":" AUTH "}}", "h.example", NULL, NULL},
    /* The exact spelling wins, wherever it stands. */
    {"{\"auths\":{\"https://h.example/v1/\":{\"auth\":\"b3RoZXI6eA==\"},\"h.example\":" AUTH
     "}}",
	"h.example", "user", "p:ss"},
    /* What an entry may look like. */
    {"{\"auths\":{\"h\":{\"auth\":\"dXNlcjpwOnNz\\n\"}}}", "h", "user", "p:ss"},
    {"{\"auths\":{\"h\":{\"auth\":\"dXNlcjo\"}}}", "h", "user", ""},
    {"{\"auths\":{\"h\":{\"auth\":\"OnB3\"}}}", "h", "", "pw"},
    {"{\"auths\":{\"h\":{\"auth\":\"dXNlcjpwdwAAAA==\"}}}", "h", "user", "pw"},
    {"{\"auths\":{\"h\":{\"username\":\"robot$x\",\"password\":\"p w\"}}}", "h", "robot$x",
	"p w"},
    {"{\"auths\":{\"h\":{}}}", "h", NULL, NULL},
    {"{\"auths\":{}}", "h", NULL, NULL},
    {"{\"auths\":null}", "h", NULL, NULL},
    {"{\"credsStore\":\"desktop\"}", "h", NULL, NULL},
    {"", "h", NULL, NULL},
    {" \n", "h", NULL, NULL},
};

Test(credentials, CRD_03_CRD_06_rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		OWNED(login_drop) struct login l = {0};
		struct err e = {0};
		bool found = true;
		cr_expect(
		    authfile_read(slice_of(rows[i].json), "file", rows[i].host, &l, &found, &e),
		    "row %zu: %s", i, e.text);
		cr_expect_eq(found, rows[i].username != NULL, "row %zu", i);
		if (!found || !rows[i].username)
			continue;
		cr_expect_str_eq(l.username, rows[i].username, "row %zu", i);
		cr_expect_str_eq(l.password, rows[i].password, "row %zu", i);
	}
}

Test(credentials, CRD_06_tokens)
{
	OWNED(login_drop) struct login l = {0};
	struct err e = {0};
	bool found = false;

	cr_assert(authfile_read(
	    slice_of("{\"auths\":{\"h\":{\"identitytoken\":\"it\",\"registrytoken\":\"rt\"}}}"),
	    "file", "h", &l, &found, &e));
	cr_expect(found);
	cr_expect_str_eq(l.identity_token, "it");
	cr_expect_str_eq(l.registry_token, "rt");
	cr_expect_null(l.password);
}

Test(credentials, CRD_01_CRD_06_what_cannot_be_read_is_named)
{
	static const char *const bad[] = {
	    "{",
	    "{\"auths\":{\"h\":{\"auth\":\"%%%\"}}}",
	    "{\"auths\":{\"h\":{\"auth\":\"dXNlcg==\"}}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		OWNED(login_drop) struct login l = {0};
		struct err e = {0};
		bool found = false;
		cr_expect_not(authfile_read(
		    slice_of(bad[i]), "/home/me/config.json", "h", &l, &found, &e));
		cr_expect_eq(e.kind, ERR_FORMAT, "row %zu", i);
		cr_expect_not_null(strstr(e.text, "/home/me/config.json"), "%s", e.text);
		cr_expect_null(strstr(e.text, "dXNlcg"), "a secret in: %s", e.text);
	}
}

/* A folder of auth files, and an environment that points nowhere else. */
static char folder[64];

static void put(const char *name, const char *user)
{
	char path[128];
	char text[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (char *slash = strchr(path + strlen(folder) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	FILE *f = fopen(path, "w");
	cr_assert_not_null(f);
	(void)snprintf(text, sizeof(text),
	    "{\"auths\":{\"h\":{\"username\":\"%s\",\"password\":\"x\"}}}", user);
	(void)fputs(text, f);
	(void)fclose(f);
}

static void env(const char *name, const char *below)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, below);
	(void)setenv(name, path, 1);
}

static void clean_environment(void)
{
	static const char *const names[] = {"REGISTRY_AUTH_FILE", "DOCKER_CONFIG",
	    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_AUTH_CONFIG", "HELM_REGISTRY_CONFIG",
	    "HELM_REPOSITORY_CONFIG", "HELM_CONFIG_HOME"};

	(void)strcpy(folder, "/tmp/sealift-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unsetenv(names[i]);
	env("HOME", "home");
}

static void remove_folder(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_expect_eq(system(command), 0);
}

/* Whose login is found for "h"; "" for none. */
static const char *who(const char *auth_file, char out[32])
{
	struct credentials *c = credentials_new(NULL, NULL, auth_file, NULL);
	OWNED(login_drop) struct login l = {0};
	OWNED(buf_drop) struct buf looked = BUF(4096);
	struct err e = {0};
	bool found = false;

	cr_expect(credentials_find(c, &(struct credential_ask){.host = "h", .path = ""}, &l,
		      &found, &looked, &e),
	    "%s", e.text);
	(void)snprintf(out, 32, "%s", found ? l.username : "");
	cr_expect(looked.len > 0);
	credentials_free(c);
	return out;
}

TestSuite(places, .init = clean_environment, .fini = remove_folder);

Test(places, CRD_01_CRD_02_order)
{
	char out[32];
	char named[128];

	cr_expect_str_eq(who(NULL, out), "");
	put("home/.docker/config.json", "docker-home");
	cr_expect_str_eq(who(NULL, out), "docker-home");
	put("home/.config/containers/auth.json", "podman-home");
	cr_expect_str_eq(who(NULL, out), "podman-home");
	env("XDG_CONFIG_HOME", "config");
	put("config/containers/auth.json", "podman-config");
	cr_expect_str_eq(who(NULL, out), "podman-config");
	env("XDG_RUNTIME_DIR", "run");
	put("run/containers/auth.json", "podman-run");
	cr_expect_str_eq(who(NULL, out), "podman-run");
	env("DOCKER_CONFIG", "docker");
	put("docker/config.json", "docker-config");
	cr_expect_str_eq(who(NULL, out), "docker-config");
	env("REGISTRY_AUTH_FILE", "named.json");
	put("named.json", "named");
	cr_expect_str_eq(who(NULL, out), "named");
	put("given.json", "given");
	(void)snprintf(named, sizeof(named), "%s/given.json", folder);
	cr_expect_str_eq(who(named, out), "given");
}

Test(places, CRD_02_a_file_that_is_named_and_absent)
{
	struct credentials *c = credentials_new(NULL, NULL, "/nowhere/auth.json", NULL);
	OWNED(login_drop) struct login l = {0};
	OWNED(buf_drop) struct buf looked = BUF(4096);
	struct err e = {0};
	bool found = false;

	cr_expect_not(credentials_find(
	    c, &(struct credential_ask){.host = "h", .path = ""}, &l, &found, &looked, &e));
	cr_expect_not_null(strstr(e.text, "/nowhere/auth.json"), "%s", e.text);
	credentials_free(c);
}

Test(places, a_login_of_the_command_line_is_one_hosts)
{
	struct credentials *c = credentials_new("me", "secret-word", NULL, NULL);
	OWNED(login_drop) struct login l = {0};
	OWNED(login_drop) struct login again = {0};
	OWNED(login_drop) struct login other = {0};
	OWNED(buf_drop) struct buf looked = BUF(4096);
	struct err e = {0};
	bool found = false;

	cr_assert(credentials_find(
	    c, &(struct credential_ask){.host = "one", .path = ""}, &l, &found, &looked, &e));
	cr_expect(found);
	cr_expect_str_eq(l.password, "secret-word");
	cr_assert(credentials_find(c, &(struct credential_ask){.host = "one", .path = ""},
	    &again, &found, &looked, &e));
	cr_expect(found);
	cr_expect_not(credentials_find(c, &(struct credential_ask){.host = "two", .path = ""},
	    &other, &found, &looked, &e));
	cr_expect_eq(e.kind, ERR_DENIED);
	cr_expect_not_null(strstr(e.text, "--authfile"), "%s", e.text);
	cr_expect_null(strstr(e.text, "secret-word"));
	credentials_free(c);
}
