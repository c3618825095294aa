// SPDX-License-Identifier: MIT
/* metrics_http.h — a service's metrics over HTTP, for services that have no HTTP server of their
 * own. The gateway answers /metrics by itself.
 *
 * nng's server answers on its own threads from a text that the service refreshes once a second, so
 * that counting stays free of locks. For a private network, like the bus. */
#ifndef PARLOR_PROTO_METRICS_HTTP_H
#define PARLOR_PROTO_METRICS_HTTP_H

#include "proto/metrics.h"

struct metrics_http;

/* Serves GET /metrics at "host:port". NULL with a sentence in `error` when it cannot. */
struct metrics_http *metrics_http_open(const char *address, char *error, size_t error_len);
void metrics_http_close(struct metrics_http *m); /* NULL is fine */

/* Makes what is counted now the text that is served. */
void metrics_http_refresh(struct metrics_http *m, const struct metrics *metrics);

#endif
