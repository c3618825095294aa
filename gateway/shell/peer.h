// SPDX-License-Identifier: MIT
/* peer.h — the TCP connection behind a client's socket: that socket itself or, where TLS is ended
 * in this process (shell/tls.h), another one, which belongs to a thread of its own. Then the two
 * sides share a struct peer. Here is what the loop must know of TCP itself: whether the client has
 * taken anything, and whether it has everything. */
#ifndef PARLOR_GATEWAY_SHELL_PEER_H
#define PARLOR_GATEWAY_SHELL_PEER_H

#include "proto/base.h"

#include <stdatomic.h>

/* Freed, and its TCP socket closed, by whichever of the two sides drops it last. */
struct peer {
	atomic_uint sides;
	atomic_bool has_all; /* set by the thread: the client has confirmed all that it was given */
	int tcp_fd;
};

/* For two sides. */
struct peer *peer_new(int tcp_fd);
void peer_drop(struct peer *p); /* NULL: nothing to do */

/* `p` is NULL where `fd` is the TCP socket itself. */

/* Low bits of the number of bytes that the client has confirmed. */
uint32_t peer_acked(const struct peer *p, int fd);

/* Whether the client has confirmed all that was written to `fd`. `is_reset`: it has reset the
 * connection. */
bool peer_has_all(const struct peer *p, int fd, bool is_reset);

/* Likewise for a TCP socket, where up to `slack` bytes behind the answer need no confirmation. */
bool tcp_has_all(int fd, bool is_reset, int slack);

#endif
