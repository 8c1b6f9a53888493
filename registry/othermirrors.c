#include "registry/othermirrors.h"

#include "base/file.h"
#include "base/own.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	CONF_MAX = 1024 * 1024,
	HOSTS_LOOKED_AT = 1000,
};

#define CONTAINERD "/etc/containerd/certs.d"

/* Whether a registries.conf says anything of single registries: "[[registry]]". */
static bool has_registries(const char *path)
{
	OWNED(buf_drop) struct buf text = BUF(CONF_MAX);
	struct err ignored = {0};
	struct slice line;

	if (!file_read(path, CONF_MAX, &text, &ignored))
		return false;
	struct slice rest = buf_slice(&text);
	while (text.len && slice_cut(&rest, '\n', &line)) {
		if (slice_starts(slice_trim(line), "[[registry"))
			return true;
	}
	return false;
}

static bool tell(struct watch *watch, const char *path)
{
	watch_warn(watch,
	    "%s names mirrors or other places of registries, and is not read; say "
	    "--mirror HOST=URL",
	    path);
	return true;
}

static bool tell_podman(struct watch *watch, const char *home)
{
	static const char system[] = "/etc/containers/registries.conf";
	OWNED(buf_drop) struct buf own = BUF(4096);

	buf_addf(&own, "%s/.config/containers/registries.conf", home ? home : "");
	if (home && *home && has_registries(buf_text(&own)))
		return tell(watch, buf_text(&own));
	return has_registries(system) && tell(watch, system);
}

void mirrors_not_read(struct watch *watch)
{
	DIR *folder = tell_podman(watch, getenv("HOME")) ? NULL : opendir(CONTAINERD);
	const struct dirent *entry;
	bool told = false;

	for (int i = 0; folder && !told && i < HOSTS_LOOKED_AT && (entry = readdir(folder));
	     i++) {
		OWNED(buf_drop) struct buf path = BUF(4096);
		buf_addf(&path, CONTAINERD "/%s/hosts.toml", entry->d_name);
		told = entry->d_name[0] != '.' && access(buf_text(&path), F_OK) == 0
		       && tell(watch, buf_text(&path));
	}
	if (folder)
		(void)closedir(folder);
}
