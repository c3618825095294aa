// SPDX-License-Identifier: MIT
/* lws.h — libwebsockets, for WebSockets alone: it says 101, reads frames, checks UTF-8,
 * answers pings; here its callbacks become calls of shell/conn.h.
 *
 * It never sees a request as it came: whatever could be refused has been, and what it is given is
 * a head of our own. Its listening, timers and keep-alive pings are not used either: see
 * shell/listen.h, and the core for silence. Traps of version 4.1.6 are told where they are avoided.
 */
#ifndef PARLOR_GATEWAY_SHELL_LWS_H
#define PARLOR_GATEWAY_SHELL_LWS_H

#include "gateway/shell/eio.h"
#include "gateway/shell/native.h"

#include <uv.h>

struct lws_shell {
	struct conns *conns; /* set by the caller, with the next one */
	struct eio_shell *eio;
	uint64_t *sockets; /* counted here */
	struct http_self self;
	struct lws_context *context;
	struct lws_upgrade *upgrade; /* while libwebsockets takes it over */
};

/* What a request asked for; views. */
struct lws_upgrade {
	bool is_eio; /* or native */
	struct str query;
	struct str token; /* that it shows, or empty */
	struct str key;
	struct str subprotocol; /* as chosen; empty: none */
	struct str behind;      /* what came behind the head */
	struct peer *peer;      /* of a client that came by TLS, or NULL */
	bool is_taken;
};

/* False when libwebsockets will not start. */
NODISCARD
bool lws_shell_open(struct lws_shell *s, uv_loop_t *loop);

/* Makes the socket a WebSocket, or closes it; takes its peer. */
void lws_shell_adopt(struct lws_shell *s, int fd, struct lws_upgrade *u);

/* Closes all; the loop must run on until nothing is left in it. */
void lws_shell_close(struct lws_shell *s);

#endif
