// SPDX-License-Identifier: MIT
/* roomd.h — roomd's core: who is in which room, who types, who may use a name, who is invited
 * where.
 *
 * A pure state machine: messages and the time go in, events for the bus come out. All of its state
 * is soft and is rebuilt from the gateways after a restart; what must last is stored by historyd
 * before it takes effect. Not here: sockets and the clock (main.c). Next: state.h. */
#ifndef PARLOR_ROOMD_ROOMD_H
#define PARLOR_ROOMD_ROOMD_H

#include "proto/topology.h"

struct roomd;

struct roomd_options {
	uint64_t id, epoch;    /* as in the envelopes this roomd sends */
	uint64_t roomd_shards; /* 0: whatever the gateways say */
	uint32_t historyd_shards;
	uint64_t seed; /* of the hash tables */
};

/* What should be sent. The shell carries it out after each call and resets it with roomd_out_reset.
 */
struct roomd_out {
	struct batch down;            /* to every gateway */
	struct batch ask[SHARDS_MAX]; /* requests to the historyd shards */
};
void roomd_out_reset(struct roomd_out *out);
void roomd_out_free(struct roomd_out *out);

/* The options are copied. The first SETTLE_MS after the start nothing is answered or announced, so
 * that the gateways can say who is there before anyone new is let in. */
struct roomd *roomd_open(const struct roomd_options *options, uint64_t now_ms);
void roomd_close(struct roomd *r);

/* One message from the bus, and where it came in: events of a gateway, or answers of a historyd
 * (its sequence is 0). Bytes that are not ours, and what comes from one who knows another topology,
 * are counted and dropped. */
void roomd_step(struct roomd *r, uint64_t now_ms, const struct bus_source *source,
		struct str message, struct roomd_out *out);

/* A gateway's connection is gone, as numbered in the source of what it carried. */
void roomd_pipe_closed(struct roomd *r, uint32_t pipe);

/* Whatever is due by now: leases, typing that ends, requests to repeat. */
void roomd_tick(struct roomd *r, uint64_t now_ms, struct roomd_out *out);

/* When roomd_tick next wants to be called; UINT64_MAX for never. */
uint64_t roomd_next_due(const struct roomd *r);

/* What its heartbeat says: ready once it has settled, unless another roomd with this id is served;
 * and which historyds it does not reach. */
struct ev_heartbeat roomd_heartbeat(const struct roomd *r, uint64_t now_ms);

/* What it knows of the whole; for the envelopes of its messages and for the log. Lives as long as
 * r. */
const struct topology *roomd_topology(const struct roomd *r);

/* Walks all of it and CHECKs what always holds between two calls. For tests. */
void roomd_check(struct roomd *r);

/* Counted since the start, and what there is now: each is a metric of that name. */
#define ROOMD_STATS(S)                                                                       \
	S(rooms, GAUGE, "rooms with a member")                                               \
	S(users, GAUGE, "users with a connection")                                           \
	S(members, GAUGE, "users in rooms")                                                  \
	S(gateways, GAUGE, "gateways heard of")                                              \
	S(bus_bad_total, COUNTER, "messages of the bus that were not ours")                  \
	S(bus_unknown_total, COUNTER,                                                        \
	  "bus events of no known kind, or not for their sender to say")                     \
	S(bus_misfits_total, COUNTER, "messages of the bus from who knows another topology") \
	S(bus_gaps_total, COUNTER, "gaps noticed on links of the bus")                       \
	S(bus_resyncs_total, COUNTER, "resyncs after a gap or a restart")                    \
	S(gateways_lapsed_total, COUNTER, "gateways that fell silent")

struct roomd_stats {
#define S(name, kind, help) uint64_t name;
	ROOMD_STATS(S)
#undef S
};
void roomd_stats(const struct roomd *r, struct roomd_stats *stats);

#endif
