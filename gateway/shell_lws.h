// SPDX-License-Identifier: MIT
/* shell_lws.h — libwebsockets: it reads HTTP and WebSocket frames, checks UTF-8, answers pings;
 * here its callbacks become calls of shell_http.h and shell_conn.h, and an upgrade is allowed or
 * refused.
 *
 * Its own listening, timers and keep-alive pings are not used: see shell_listen.h, and the core for
 * silence. Traps of version 4.1.6 are told where they are avoided. */
#ifndef PARLOR_GATEWAY_SHELL_LWS_H
#define PARLOR_GATEWAY_SHELL_LWS_H

#include "gateway/shell_eio.h"
#include "gateway/shell_http.h"
#include "gateway/shell_native.h"

#include <uv.h>

struct server {
	struct lws_context *context;
	struct conns *conns;
	struct native *native;
	struct eio_shell *eio;
	struct http *http;
	const char *const *origins; /* "https://chat.example", or "*"; none: the same host */
	size_t origin_count;
	uint64_t sockets_max;
	uint64_t sockets; /* now, those that speak HTTP included */
	uint64_t accepted, refused, refused_origins;
	uint64_t complaint_ms; /* when the last line about a refused origin was logged */
};

/* Fields above `sockets` are set by the caller. False when libwebsockets will not start. */
NODISCARD
bool server_open(struct server *s, uv_loop_t *loop);

/* Takes an accepted socket, or closes it when there are too many. */
void server_adopt(struct server *s, int fd);

/* Closes all; the loop must run on until nothing is left in it. */
void server_close(struct server *s);

#endif
