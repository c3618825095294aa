// SPDX-License-Identifier: MIT
/* front.h — what stands between the network and the server: how many clients there may be, the
 * socket that they come to, and TLS when a certificate is given. */
#ifndef PARLOR_GATEWAY_SHELL_FRONT_H
#define PARLOR_GATEWAY_SHELL_FRONT_H

#include "gateway/shell/listen.h"
#include "gateway/shell/options.h"
#include "gateway/shell/server.h"
#include "gateway/shell/tls.h"

struct front {
	struct listener listener;
	struct server *server;
	struct tls *tls; /* NULL: clients come without */
	struct tls_stats tls_stats;
};

/* How many clients there may be, if so many are wanted; makes the system allow so many descriptors,
 * and no more: libwebsockets allocates by that limit, which is a billion in some containers. */
uint64_t front_allow(uint64_t wanted, bool is_tls);

/* False with a sentence in `error`. */
NODISCARD
bool front_open(struct front *f, const struct options *o, uv_loop_t *loop, struct server *server,
		char *error, size_t error_len);

/* At the end of each turn; and now and then. */
void front_turn(struct front *f);
void front_look(struct front *f);

/* The end: gives nobody to the server any more; ends all connections, while the loop must run on;
 * frees what is left when it has. */
void front_stop(struct front *f);
void front_close(struct front *f);
void front_free(struct front *f);

#endif
