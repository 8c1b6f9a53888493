#include "registry/authplaces.h"

#include "base/own.h"

#include <stdlib.h>
#include <unistd.h>

/* One more line, when there is such a folder. */
static bool add(struct buf *paths, const char *folder, const char *rest)
{
	if (!folder || !*folder)
		return false;
	buf_adds(paths, paths->len ? "\n" : "");
	buf_adds(paths, folder);
	buf_adds(paths, rest);
	return true;
}

static void add_podman(struct buf *paths, const char *home)
{
	if (!add(paths, getenv("XDG_RUNTIME_DIR"), "/containers/auth.json")) {
		buf_adds(paths, paths->len ? "\n" : "");
		buf_addf(paths, "/run/containers/%u/auth.json", (unsigned)getuid());
	}
	if (!add(paths, getenv("XDG_CONFIG_HOME"), "/containers/auth.json"))
		(void)add(paths, home, "/.config/containers/auth.json");
}

/* The file that a variable names, else the one in Helm's folder. */
static void add_helm(struct buf *paths, const char *variable, const char *rest)
{
	OWNED(buf_drop) struct buf below = BUF(256);

	buf_addf(&below, "/helm%s", rest);
	if (!add(paths, getenv(variable), "") && !add(paths, getenv("HELM_CONFIG_HOME"), rest)
	    && !add(paths, getenv("XDG_CONFIG_HOME"), buf_text(&below))) {
		buf_clear(&below);
		buf_addf(&below, "/.config/helm%s", rest);
		(void)add(paths, getenv("HOME"), buf_text(&below));
	}
}

void authplaces(const char *named, struct buf *paths)
{
	const char *home = getenv("HOME");

	if (add(paths, named, "") || add(paths, getenv("REGISTRY_AUTH_FILE"), ""))
		return;
	const bool chosen = add(paths, getenv("DOCKER_CONFIG"), "/config.json");
	add_podman(paths, home);
	if (!chosen)
		(void)add(paths, home, "/.docker/config.json");
	(void)add(paths, home, "/.dockercfg");
	add_helm(paths, "HELM_REGISTRY_CONFIG", "/registry/config.json");
}

void authplaces_repositories(struct buf *path)
{
	add_helm(path, "HELM_REPOSITORY_CONFIG", "/repositories.yaml");
}
