// SPDX-License-Identifier: MIT
/* listen.h — the gateway's listening socket.
 *
 * Our own and not libwebsockets', which hides that a port is in use, takes a whole backlog in one
 * go while everybody else waits, spins when descriptors run out, and cannot stop listening. */
#ifndef PARLOR_GATEWAY_SHELL_LISTEN_H
#define PARLOR_GATEWAY_SHELL_LISTEN_H

#include "proto/base.h"

#include <uv.h>

typedef void accept_fn(void *ctx, int fd);

struct listener {
	uv_poll_t poll;
	int fd;
	bool is_waiting; /* descriptors ran out; listener_retry */
	bool is_paused;
	accept_fn *on_accept;
	void *ctx;
	char address[64]; /* "127.0.0.1:8080", as it came out */
	uint64_t port;    /* likewise */
};

/* Several gateways of one user may share a port, and the kernel spreads the clients over them; any
 * other user of the port makes this fail. False with a sentence in `error`. */
NODISCARD
bool listener_open(struct listener *l, uv_loop_t *loop, const char *host, uint64_t port,
		   char *error, size_t error_len);

/* Listens again after descriptors had run out. About once a second will do. */
void listener_retry(struct listener *l);

/* Accepts nobody for now, or again. */
void listener_pause(struct listener *l, bool is_paused);

/* Takes who is waiting already, then no one. */
void listener_close(struct listener *l);

#endif
