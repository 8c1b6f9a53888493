/*
 * Where logins are kept: the files of docker, podman and helm, in the order in which they are
 * looked at (PROTOCOL CRD-01, CRD-02, CRD-11, CRD-12).
 */
#pragma once

#include "base/buf.h"

/* The files, one a line; a file that was named is the only one, and the folder that a person
 * chose by $DOCKER_CONFIG comes before the usual ones.  named may be NULL. */
void authplaces(const char *named, struct buf *paths);

/* Helm's list of chart repositories, repositories.yaml. */
void authplaces_repositories(struct buf *path);
