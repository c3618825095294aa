// SPDX-License-Identifier: MIT
/* world.h — Parlor in one process: the three cores, a bus that loses, disks that fail, and a clock
 * that is only a number.
 *
 * The world plays every shell: it carries outboxes to inboxes with the delays and faults that the
 * seed says, and steps the cores. Everything follows from the seed, so a run can be told again to
 * the byte. Not here: who chats (people.c), what must hold (promises.c). */
#ifndef PARLOR_TESTS_SIM_WORLD_H
#define PARLOR_TESTS_SIM_WORLD_H

#include "gateway/core/gateway.h"
#include "historyd/historyd.h"
#include "proto/link.h"
#include "roomd/roomd.h"
#include "tests/sim/plan.h"
#include "tests/support/store_memory.h"

enum { NODES_MAX = 8, CONN_ROOM_BYTES = 64 * 1024 };

struct world;
struct conn; /* a client's connection, the gateway's end and the client's */

/* What happens to one client; called with frames' payloads in order. */
struct conn_events {
	void (*text)(void *client, struct str payload);
	void (*closed)(void *client, uint16_t code);
};

struct node {
	enum service service;
	uint32_t index;
	bool is_up;
	uint64_t life;       /* counts starts; what was sent to an earlier life is lost */
	uint64_t resume_ms;  /* stopped until then, as by SIGSTOP; or when it last was */
	uint64_t restart_ms; /* when it comes back after a crash */
	struct link_out up[2][NODES_MAX]; /* a gateway's links to roomds [0] and historyds [1] */
	struct link_out down;
	union {
		struct gateway *gateway;
		struct roomd *roomd;
		struct historyd *historyd;
	};
	struct store_memory *disk; /* historyd's; outlives it */
	uint64_t put_back_ms;      /* when an older copy took its place; 0: never */
	int64_t utc_skew_ms;       /* how wrong its clock is; its steady clock never is */
	uint64_t disk_full_until, disk_unreadable_until;
	uint64_t disk_retry_ms; /* the store failed and is opened again then; 0: it works */
	struct inbox *inbox;
	bool is_due;                    /* something came in this turn */
	struct gateway_out gateway_out; /* the one of its kind is used */
	struct roomd_out roomd_out;
	struct historyd_out historyd_out;
};

struct world {
	struct rng rng;
	struct rng aside; /* for epochs */
	uint64_t now_ms;
	struct faults faults;
	bool is_checking; /* each core walks its own state after each of its turns */
	uint32_t gateways, roomds, historyds;
	struct node gateway[NODES_MAX], roomd[NODES_MAX], historyd[NODES_MAX];
	uint64_t cut_until[3 * NODES_MAX][3 * NODES_MAX]; /* from node, to node */
	uint64_t last_arrival[3 * NODES_MAX][3 * NODES_MAX][3];
	struct parcel *heap;
	size_t heap_count, heap_cap;
	uint64_t order;
	struct conn *conns;
	uint64_t tell_from_ms, tell_to_ms; /* the part of the story to print */
	uint64_t next_fault_ms;
	uint64_t put_backs, crashes, pauses, cuts, drops, messages, disk_faults;
	uint64_t overflow_max; /* the most that a shell had to keep for one connection */
};

void world_open(struct world *w, uint64_t seed, const struct plan *plan);
void world_close(struct world *w);

/* Runs to `until_ms`: delivers, ticks, fails as the faults say. */
void world_run(struct world *w, uint64_t until_ms);

/* Ends all faults: everything that is down comes back, nothing is cut, no clock jumps. */
void world_calm(struct world *w);

void world_crash(struct world *w, struct node *n, uint64_t down_ms);

/* historyd stops, if it runs, and its disk is what it was when the copy was taken. */
void world_put_back(struct world *w, struct node *n, struct store_memory *copy, bool is_raised);

/* Connects a client to a gateway; NULL when that is down. The client's end lasts until `closed` was
 * called or conn_close. */
struct conn *conn_open(struct world *w, uint32_t gateway, enum wire wire, bool is_batched,
		       void *client, const struct conn_events *events);
/* One frame: JSON, or on the Socket.IO wire the EVENT packet `2[id][…]`. */
void conn_send(struct world *w, struct conn *c, struct str text);
/* How many texts the client has sent, and the gateway has read. */
uint64_t conn_sent(const struct conn *c);
uint64_t conn_read(const struct conn *c);
uint32_t conn_gateway(const struct conn *c); /* which it is at */
/* Whether its gateway stood still at any time since then. */
bool conn_was_paused(const struct conn *c, uint64_t since_ms);
void conn_stall(struct conn *c, bool is_stalled); /* the client reads nothing while it is */
void conn_close(struct world *w, struct conn *c);

void world_tell(const struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
