// SPDX-License-Identifier: MIT
/* shell_handover.h — polls that reach the wrong gateway.
 *
 * Gateways that share a port get new connections as the kernel likes, but a session of long-polling
 * lives in one of them. Each sid names its gateway, so whoever accepts a connection looks at its
 * first line, without taking it off the socket, and passes the socket on to the gateway that it is
 * for (SCM_RIGHTS, over an abstract UNIX socket named by port and gateway). Not here: gateways on
 * other machines, which a load balancer must tell apart by the same sid. */
#ifndef PARLOR_GATEWAY_SHELL_HANDOVER_H
#define PARLOR_GATEWAY_SHELL_HANDOVER_H

#include "proto/base.h"

#include <uv.h>

enum { HANDOVER_PEERS_MAX = 64 };

struct handover;
struct handover_peer { /* another gateway, while we have something to pass to it */
	uint64_t id;
	int fd; /* -1: not connected */
};

/* One that passes sockets to us. */
struct handover_source {
	struct handover *all;
	uv_poll_t poll;
	int fd;
	struct handover_source *next;
};

struct handover {         /* zeroed at first, but for what the caller sets */
	uint64_t id;      /* this gateway */
	const char *path; /* of the requests that are looked at */
	void (*adopt)(void *ctx, int fd);
	void *ctx;
	uint64_t passed, taken, dropped;

	uint64_t port;
	uv_loop_t *loop;
	uv_poll_t poll;
	int fd;
	struct handover_peer peers[HANDOVER_PEERS_MAX];
	size_t peer_count;
	struct handover_source *sources;
};

/* Takes what other gateways of this port pass to this one. False with a sentence in `error`; then
 * nothing is passed. */
NODISCARD
bool handover_open(struct handover *h, uv_loop_t *loop, uint64_t port, char *error,
		   size_t error_len);
void handover_close(struct handover *h);

/* A connection was accepted and has said something, or nothing yet: adopts it or passes it on. */
void handover_accept(struct handover *h, int fd);

#endif
