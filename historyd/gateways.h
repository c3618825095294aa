// SPDX-License-Identifier: MIT
/* gateways.h — the links of the gateways: which are accepted, whether messages are missing, and
 * whose posts are taken.
 *
 * A gateway publishes its posts in the order in which its clients sent them, and they are stored in
 * that order or not at all. A post that is not taken, because it was lost or cannot be decided now,
 * stops its gateway: what follows is dropped until posts_begin says that all unanswered posts
 * follow, in their order. So whatever is taken, everything sent before it has been taken. A stopped
 * gateway is sent posts_ask. Repetitions, and messages of an earlier life of a gateway, are dropped
 * too. Next: historyd.c. */
#ifndef PARLOR_HISTORYD_GATEWAYS_H
#define PARLOR_HISTORYD_GATEWAYS_H

#include "proto/link.h"
#include "proto/table.h"

enum { GATEWAYS_MAX = 4096 }; /* a stranger who invents ids must not fill the memory */

struct gateway;

struct gateways {
	struct table table;
	bool has_stopped; /* some gateway may have to be asked */
	uint64_t gaps;    /* since the start */
};

void gateways_init(struct gateways *all, uint64_t seed);
void gateways_free(struct gateways *all);

/* Whose message this is, which came by this connection; NULL when it is to be dropped: *is_twin
 * when another process with that id is served. Lasts until gateways_tick. */
NODISCARD
struct gateway *gateways_receive(struct gateways *all, const struct envelope *env, uint32_t pipe,
				 uint64_t now_ms, bool *is_twin);
void gateways_pipe_closed(struct gateways *all, uint32_t pipe);

/* False: the gateway has to begin again before its posts into this room are taken. */
bool gateway_is_taken(const struct gateways *all, const struct gateway *gateway, struct str room);

/* Something that the gateway said was not taken: some post, or one into this room. */
void gateway_stop(struct gateways *all, struct gateway *gateway);
void gateway_stop_room(struct gateways *all, struct gateway *gateway, struct str room);
void gateways_stop_all(struct gateways *all);

void gateway_begin(struct gateway *gateway);

/* Asks those that have stopped to begin again, each so often. */
void gateways_ask(struct gateways *all, struct batch *down);

/* Forgets the gateways whose lease has run out. */
void gateways_tick(struct gateways *all, uint64_t now_ms);

/* Ends the process unless all is as it must be between two turns. */
void gateways_check(const struct gateways *all, bool is_writable);

#endif
