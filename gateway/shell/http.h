// SPDX-License-Identifier: MIT
/* http.h — everything that is neither a WebSocket nor Engine.IO: the web client's files,
 * /healthz, /readyz. Only GET and HEAD are answered; a body is not looked at. */
#ifndef PARLOR_GATEWAY_SHELL_HTTP_H
#define PARLOR_GATEWAY_SHELL_HTTP_H

#include "gateway/core/gateway.h"
#include "gateway/http/status.h"
#include "gateway/shell/files.h"
#include "gateway/shell/http_conn.h"

struct http {
	const struct gateway *core;
	struct http_self self;
	bool is_draining; /* not ready any more */
	struct files files;
};

/* Answers a request for the path, whose escapes are undone. */
void http_request(const struct http *h, struct http_conn *c, struct str path);

/* Answers with this status and one line of text. */
void http_reject(const struct http *h, struct http_conn *c, unsigned status, const char *text);

#endif
