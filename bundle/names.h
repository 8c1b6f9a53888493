/*
 * The closed grammars of what a bundle calls its files, its channel and its labels.  They hold
 * where a bundle is written and again where it is read, so that no name becomes a path, a
 * device or an escape on the other side.  BUNDLE.md 1.3, 8.
 */
#pragma once

#include "base/buf.h"

enum {
	FILE_NAME_MAX = 100,
	CHART_FILE_MAX = 200,
	CHANNEL_MAX = 64,
	LABEL_KEY_MAX = 64,
	LABEL_VALUE_MAX = 256,
	LABELS_MAX = 64,
};

/* [A-Za-z0-9._-]{1,100}, not beginning with a dot or a dash, not ending with a dot, and no
 * name of a Windows device, with or without a suffix. */
bool name_is_file(struct slice name);

/* What a chart's archive is called outside, NAME-VERSION.tgz: as a file, with + in a version,
 * and longer. */
bool name_is_chart_file(struct slice name);

/* [A-Za-z0-9._-]{1,64}, beginning with a letter or digit. */
bool name_is_channel(struct slice name);

/* [A-Za-z0-9._/-]{1,64}, beginning with a letter or digit. */
bool name_is_label(struct slice key);

/* At most 256 bytes of printable ASCII. */
bool name_is_label_value(struct slice value);
