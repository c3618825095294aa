// SPDX-License-Identifier: MIT
/* eio.h — Engine.IO's transports: the requests of long-polling, with CORS, and WebSockets.
 * What they carry is eio.c's. */
#ifndef PARLOR_GATEWAY_SHELL_EIO_H
#define PARLOR_GATEWAY_SHELL_EIO_H

#include "gateway/engineio/eio.h"
#include "gateway/shell/conn.h"
#include "gateway/shell/http_conn.h"

struct poll; /* one request under way */

struct eio_shell { /* set by the caller */
	struct eio *eio;
	struct conns *conns;
	const char *path; /* "/socket.io/" */
	struct http_self self;
	void (*now)(void *ctx, uint64_t now_ms); /* tells the application the time */
	void *now_ctx;
	struct relay_shell *relay; /* NULL: there are no other gateways */
};

/* What the origin of a request may do. */
enum origin_rule {
	ORIGIN_NONE,    /* no browser, or the same host: no headers are needed */
	ORIGIN_LISTED,  /* may come, with its cookies */
	ORIGIN_ANY,     /* may come, as anybody may */
	ORIGIN_REFUSED, /* may not */
};

/* Tells the application the time, and returns it. */
uint64_t eio_shell_now(const struct eio_shell *shell);

/* Connects the transports to `shell->eio`. */
void eio_shell_init(struct eio_shell *shell);

/* One request for the path: its head is there, and a POST's whole body. It is answered now or when
 * there is something to say. */
void poll_request(struct eio_shell *shell, struct http_conn *c, enum origin_rule rule);
void poll_respond(struct poll *p, const struct eio_response *a);

/* What the session's own gateway answers; NULL: it is out of reach. */
void poll_relayed(struct poll *p, const struct eio_response *a);

/* An upgrade for the path. False: it has been refused. Otherwise eio_shell_socket follows once the
 * WebSocket is there, with the query as it stood in the target, and the token
 * that the request showed. */
NODISCARD
bool eio_shell_upgrade(struct eio_shell *shell, struct http_conn *c);
struct conn *eio_shell_socket(struct eio_shell *shell, struct lws *wsi, struct str query,
			      struct str token);

#endif
