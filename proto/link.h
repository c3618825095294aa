// SPDX-License-Identifier: MIT
/* link.h — noticing what a lossy bus lost.
 *
 * nng's pub/sub drops silently when a queue is full, so no promise may rest on it. Three things
 * make loss visible: a gap in the sequence of the envelopes shows a lost message, a new epoch a
 * restart, and silence longer than the lease a death. A second process with the same id is kept
 * off. What to do about it is the receiver's. Heartbeats are ordinary envelopes, so the last
 * message before a silence is missed after a second at the latest. Pure: no sockets here, time is
 * an argument. Next: busio.h. */
#ifndef PARLOR_PROTO_LINK_H
#define PARLOR_PROTO_LINK_H

#include "proto/topology.h"

enum {
	HEARTBEAT_MS = 1000,
	LEASE_MS = 5000,
	RESYNC_MS = 250,      /* between two resyncs, and twice that each time … */
	RESYNC_MS_MAX = 2000, /* … up to so much, while losses go on */
};

/* The receiving end: what is known of one sender. Zeroed means that it has never been heard. */
struct link {
	uint64_t epoch;
	uint64_t seq;   /* of its last envelope */
	uint64_t minor; /* likewise: what the sender knows */
	uint64_t active_ms;
	bool up;          /* heard within the lease */
	bool ready;       /* as its last heartbeat said */
	uint64_t missing; /* likewise, of a roomd: the historyds that it does not reach, a bit each
			   */
	uint32_t pipe, closed;     /* its connection, or 0; the last of them that was closed */
	enum topology_fault fault; /* what came last at this place did not fit, and why */
};

/* Two processes with one id must not take turns: who was heard first is served while its connection
 * and its lease last, another is not. False: this is another. To be asked before link_receive.
 * `pipe` 0 asks nothing. */
NODISCARD
bool link_admits(struct link *l, const struct envelope *env, uint32_t pipe, uint64_t now_ms);

/* This connection is gone; its process may still say things that are on their way. */
void link_pipe_closed(struct link *l, uint32_t pipe);

enum link_result {
	LINK_NEXT,  /* in order: handle it */
	LINK_NEW,   /* first word of this sender, or after a restart or a lapsed lease: resync, then
		       handle it */
	LINK_GAP,   /* something was lost before it: resync, then handle it */
	LINK_STALE, /* of an earlier epoch, or a repetition: drop it */
};
enum link_result link_receive(struct link *l, const struct envelope *env, uint64_t now_ms);

/* True once, when the sender's lease has run out. */
bool link_lapsed(struct link *l, uint64_t now_ms);

/* When to resync. That is traffic too, so one loss after the other must not each bring it about:
 * they are made good together. Zeroed at first. */
struct link_resync {
	uint64_t next_ms; /* not before */
	uint32_t wait_ms;
	bool is_wanted;
};
bool link_resync_due(const struct link_resync *r, uint64_t now_ms);
void link_resync_begin(struct link_resync *r, uint64_t now_ms); /* now */

/* The sending end of one link. */
struct link_out {
	struct envelope next;  /* who we are; `seq` is the one last used */
	uint64_t heartbeat_ms; /* when the last heartbeat went */
};
/* Also while other messages flow: only a heartbeat says whether its sender is ready. */
static inline bool link_heartbeat_due(const struct link_out *l, uint64_t now_ms)
{
	return now_ms >= l->heartbeat_ms + HEARTBEAT_MS;
}

#endif
