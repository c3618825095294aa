// SPDX-License-Identifier: MIT
/* server.h — who may connect, and where each request goes: limits, hosts and origins, and the
 * paths. Requests are read and answered in shell/http_conn.h; WebSockets go on to shell/lws.h. */
#ifndef PARLOR_GATEWAY_SHELL_SERVER_H
#define PARLOR_GATEWAY_SHELL_SERVER_H

#include "gateway/http/origin.h"
#include "gateway/shell/eio.h"
#include "gateway/shell/http.h"
#include "gateway/shell/lws.h"

/* Whose pages may connect. None is listed: those of the same host. */
struct origins {
	struct http_origin *listed;
	size_t count;
	bool is_any;
};

struct server {
	struct lws_shell lws; /* with what it speaks to, set by the caller */
	struct http *http;
	struct origins origins;
	const char *const *hosts; /* the names that are served; none: any */
	size_t host_count;
	bool is_tls; /* clients come by TLS */
	uint64_t sockets_max;
	uint64_t stall_ms; /* until an answer that nobody reads is given up */
	uint64_t sockets;  /* now, those that speak HTTP included */
	uint64_t accepted, refused, refused_origins;
	uint64_t error_log_ms; /* when the last line about a refused origin was logged */
	struct http_conns conns;
};

/* Fields above `sockets` are set by the caller. False when libwebsockets will not start. */
NODISCARD
bool server_open(struct server *s, uv_loop_t *loop);

/* Takes an accepted socket with its peer, or closes it when there are too many. */
void server_adopt(struct server *s, int fd, struct peer *peer);

/* At the end of each turn; and when that has something to do next. */
void server_tidy(struct server *s, uint64_t now_ms);
uint64_t server_next_due(const struct server *s);

/* Closes all; the loop must run on until nothing is left in it. */
void server_close(struct server *s);

#endif
