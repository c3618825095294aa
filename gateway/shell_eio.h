// SPDX-License-Identifier: MIT
/* shell_eio.h — Engine.IO's transports over libwebsockets: the requests of long-polling, with CORS,
 * and WebSockets. What they carry is eio.c's. */
#ifndef PARLOR_GATEWAY_SHELL_EIO_H
#define PARLOR_GATEWAY_SHELL_EIO_H

#include "gateway/eio.h"
#include "gateway/shell_conn.h"

struct poll; /* one HTTP request under way */

struct eio_shell { /* set by the caller */
	struct eio *eio;
	struct conns *conns;
	const char *path;                        /* "/socket.io/" */
	uint64_t id;                             /* of this gateway, for X-Parlor-Gateway */
	void (*now)(void *ctx, uint64_t now_ms); /* tells the application the time */
	void *now_ctx;
};

/* What the origin of a request may do. */
enum origin_rule {
	ORIGIN_NONE,    /* no browser, or the same host: no headers are needed */
	ORIGIN_LISTED,  /* may come, with its cookies */
	ORIGIN_ANY,     /* may come, as anybody may */
	ORIGIN_REFUSED, /* may not */
};

/* Connects the transports to `shell->eio`. */
void eio_shell_init(struct eio_shell *shell);

/* libwebsockets has read the header of a request for the path. These return what its callback
 * should. The poll lasts until poll_closed; it is NULL when the request was refused outright. */
int poll_begin(struct eio_shell *shell, struct lws *wsi, enum origin_rule rule, const char *origin,
	       struct poll **poll);
int poll_body(struct poll *p, struct str piece);
int poll_body_end(struct poll *p);
int poll_writable(struct poll *p);
void poll_closed(struct poll *p);

/* An upgrade for the path: zero, and then eio_shell_socket once it is established. Otherwise it has
 * been refused. */
int eio_shell_upgrade(struct eio_shell *shell, struct lws *wsi);
struct conn *eio_shell_socket(struct eio_shell *shell, struct lws *wsi);

#endif
