// SPDX-License-Identifier: MIT
/* metrics_http.h — a service's metrics over HTTP, on a port of their own: each process is reachable
 * by itself, and clients do not reach them.
 *
 * nng's server takes requests on its own threads; the service answers them when it next looks, so
 * counting stays free of locks, and one whose loop stands still says nothing instead of what was.
 * For a private network, like the bus. */
#ifndef PARLOR_PROTO_SHELL_METRICS_HTTP_H
#define PARLOR_PROTO_SHELL_METRICS_HTTP_H

#include "proto/shell/metrics.h"

struct metrics_http;

/* Serves GET /metrics at "host:port", until the process ends; nothing (NULL) when that is empty.
 * False with a sentence in `error` when it cannot. */
bool metrics_http_open(struct metrics_http **opened, const char *address, char *error,
		       size_t error_len);

/* Answers who waits with what is counted now; to be called at least once a second. */
void metrics_http_look(struct metrics_http *m, const struct metrics *metrics); /* NULL is fine */

#endif
