// SPDX-License-Identifier: MIT
/* roomd.h — roomd's core: who is in which room, who types, who may use a name, who is invited
 * where.
 *
 * A pure state machine: messages and the time go in, events for the bus come out. All of its state
 * is soft and is rebuilt from the gateways after a restart; what must last is stored by historyd
 * before it takes effect. Not here: sockets and the clock (main.c). Next: room.h. */
#ifndef PARLOR_ROOMD_ROOMD_H
#define PARLOR_ROOMD_ROOMD_H

#include "proto/bus.h"

struct roomd;

struct roomd_options {
	uint32_t historyd_shards;
	uint64_t seed; /* of the hash tables */
};

/* What should be sent. The shell carries it out after each call and resets it with roomd_out_reset.
 */
struct roomd_out {
	struct batch down;            /* to every gateway */
	struct batch ask[SHARDS_MAX]; /* questions to the historyd shards */
};
void roomd_out_reset(struct roomd_out *out);
void roomd_out_free(struct roomd_out *out);

/* The options are copied. The first SETTLE_MS after the start nothing is answered or announced, so
 * that the gateways can say who is there before anyone new is let in. */
struct roomd *roomd_open(const struct roomd_options *options, uint64_t now_ms);
void roomd_close(struct roomd *r);

/* One message from the bus: events of a gateway, or answers of a historyd (its sequence is 0).
 * Bytes that are not ours are counted and dropped. */
void roomd_step(struct roomd *r, uint64_t now_ms, struct str message, struct roomd_out *out);

/* Whatever is due by now: leases, typing that ends, questions to repeat. */
void roomd_tick(struct roomd *r, uint64_t now_ms, struct roomd_out *out);

/* When roomd_tick next wants to be called; UINT64_MAX for never. */
uint64_t roomd_next_due(const struct roomd *r);

/* Ready to serve: it has settled. Goes into its heartbeat. */
bool roomd_is_ready(const struct roomd *r, uint64_t now_ms);

/* Walks all of it and CHECKs what always holds between two calls. For tests. */
void roomd_check(struct roomd *r);

struct roomd_stats {
	uint64_t rooms, users, members, gateways;                     /* now */
	uint64_t bad_messages, unknown_events, gaps, resyncs, lapsed; /* since the start */
};
void roomd_stats(const struct roomd *r, struct roomd_stats *stats);

#endif
