// SPDX-License-Identifier: MIT
/* topology.h — all shards as one service knows them: how many there are of each kind, which one it
 * is, to which cluster it belongs; and whether a message comes from a service that knows the same.
 *
 * Lists of addresses, their order and length, and ids are written by people, and a wrong one splits
 * a room's history for good. So they are checked with every envelope and never believed. What does
 * not fit is not acted on, is counted, and the last of it is kept for the log. Pure. Not here: that
 * two processes have one id (link.h). Next: link.h. */
#ifndef PARLOR_PROTO_TOPOLOGY_H
#define PARLOR_PROTO_TOPOLOGY_H

#include "proto/bus.h"

/* Where a message came in. */
struct bus_source {
	enum service kind; /* of the place in our own list that we dialled; ANY: we were dialled */
	uint32_t shard;    /* the place */
	uint32_t pipe;     /* which connection carried it, unlike any other's; 0: not known */
};

/* Why something is not taken. Numbers of the bus: see `refused` in bus.def. */
#define TOPOLOGY_FAULTS(F)                                                \
	F(FITS, "fits")                                                   \
	F(WRONG_PLACE, "another shard answers at this place of the list") \
	F(WRONG_TARGET, "it was meant for another shard")                 \
	F(WRONG_COUNT, "the two know different numbers of shards")        \
	F(WRONG_CLUSTER, "the two are of different clusters")             \
	F(TWIN, "another process with the same id is being served")       \
	F(WRONG_SHARD, "the name belongs to another shard")

enum topology_fault {
#define F(symbol, text) TOPOLOGY_##symbol,
	TOPOLOGY_FAULTS(F)
#undef F
};
const char *topology_fault_text(enum topology_fault fault);
enum topology_fault topology_fault_from_wire(uint64_t number); /* WRONG_PLACE if not ours */

/* The last envelope that did not fit. */
struct topology_misfit {
	enum topology_fault fault;
	struct bus_source source;
	struct envelope env; /* its cluster points to the text below */
	char cluster[CLUSTER_MAX + 1];
};

struct topology {
	enum service kind; /* who we are */
	uint64_t id;
	uint64_t roomds, historyds; /* shards; 0: not known */
	size_t cluster_len;         /* 0: not known */
	char cluster[CLUSTER_MAX];
	uint64_t misfits; /* since the start */
	struct topology_misfit last;
	uint64_t refused_ms; /* when a sender was told last */
};

/* Whether this envelope, which came in at `source`, fits. Changes nothing. */
enum topology_fault topology_check(const struct topology *t, const struct bus_source *source,
				   const struct envelope *env);

/* Likewise, and keeps what does not fit. */
enum topology_fault topology_admit(struct topology *t, const struct bus_source *source,
				   const struct envelope *env);

/* Keeps a fault that was found elsewhere. */
void topology_note(struct topology *t, enum topology_fault fault, const struct bus_source *source,
		   const struct envelope *env);

/* The cluster is this one from now on. At most CLUSTER_MAX bytes. */
void topology_learn_cluster(struct topology *t, struct str cluster);

/* Puts what we know into an envelope of ours; the cluster points into `t`. */
void topology_sign(const struct topology *t, struct envelope *env);

/* Whether the name (of a room, or of a user) belongs to shard `id` of so many; true while it is not
 * known how many there are. */
bool topology_owns(uint64_t shards, uint64_t id, struct str name);

/* Tells the sender that it is not taken, not too often. */
void topology_reject(struct topology *t, struct batch *to, const struct envelope *env,
		     enum topology_fault fault, uint64_t now_ms);

/* Whether this is about us, in our present life. */
bool topology_is_rejected(const struct topology *t, uint64_t epoch, const struct ev_refused *ev);

/* The last misfit as fields of a log line: what did not fit, both sides. */
void topology_print(const struct topology *t, struct buf *b);

#endif
