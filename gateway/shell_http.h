// SPDX-License-Identifier: MIT
/* shell_http.h — everything that is not the WebSocket: the web client's files, /healthz, /readyz,
 * /metrics.
 *
 * The files are read once, at the start, and served from memory: a path is looked up in a table, so
 * that no request can reach the file system. Only GET and HEAD without a body are answered;
 * libwebsockets reads the requests. */
#ifndef PARLOR_GATEWAY_SHELL_HTTP_H
#define PARLOR_GATEWAY_SHELL_HTTP_H

#include "gateway/gateway.h"
#include "proto/metrics.h"
#include "proto/table.h"

#include <libwebsockets.h>

struct http {
	const struct gateway *core;
	const struct metrics *metrics;
	uint64_t id;        /* of this gateway, for X-Parlor-Gateway */
	bool is_draining;   /* not ready any more */
	struct table files; /* by path, "/app.js" */
};

/* What is left to be sent of one answer; zeroed when there is none. */
struct http_answer {
	struct str left;
	char *owned; /* holds `left`, or NULL when a file does */
};

/* Reads the files of the web client below `dir`, or none when it is "". False with a sentence in
 * `error`. */
NODISCARD
bool http_open(struct http *h, const char *dir, char *error, size_t error_len);
void http_close(struct http *h);

/* Answers the request that libwebsockets has read. What these return is what its callback should
 * return. */
int http_request(struct http *h, struct http_answer *a, struct lws *wsi, struct str path);
int http_writable(struct http_answer *a, struct lws *wsi);
void http_answer_free(struct http_answer *a);

/* Refuses an upgrade with this status and one line of text; returns what the callback should
 * return. */
int http_refuse(const struct http *h, struct lws *wsi, unsigned status, const char *text);

#endif
