/*
 * Whom a connection believes and what it shows of itself (PROTOCOL 13, TLS).
 */
#pragma once

#include "registry/transfer.h"

/* What one host has for itself, read once a worker. */
struct identity;
void identities_free(struct identity *first);

/* Tells libcurl, before each hop, what holds for the host of url: the authorities of the
 * system, of the command line and of the host together (TLS-01), the host's own certificate,
 * both also out of Helm's list for the files of a chart repository (HLM-04),
 * and whether it is verified, which the command line says of r's home alone (TLS-06). */
bool tls_set(
    struct http *h, const struct http_request *r, const char *url, struct err *e) MUST_CHECK;
