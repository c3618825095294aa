// SPDX-License-Identifier: MIT
/* historyd.h — historyd's core: gives each message its seq, stores it once, and says so after the
 * fsync.
 *
 * A turn of the shell: any number of historyd_step and historyd_request, then one historyd_flush,
 * which commits everything at once and only then lets answers and deliveries out. "An ack means
 * stored" is a property of that one function. Not here: RocksDB (store/rocks.c), sockets and the
 * clock (main.c). Next: log.h. */
#ifndef PARLOR_HISTORYD_HISTORYD_H
#define PARLOR_HISTORYD_HISTORYD_H

#include "historyd/store.h"
#include "proto/topology.h"

struct historyd;

struct historyd_options {
	uint64_t shard, shards; /* 0 shards: not said */
	struct str cluster;     /* empty: of 0.1.0, which had none; copied */
	uint64_t seed;          /* of the hash tables */
	/* Of this start, random and unlike any other's; 0: rooms remember no epochs. A room notes
	 * each epoch with its first message in it. So when an older copy of the data has taken the
	 * place of what clients have seen, their seqs are told from those given since. */
	uint64_t epoch;
	uint32_t restores;  /* of the store */
	uint64_t rooms_max; /* room logs kept in memory; the least recently used is put away */
};

/* The answers to one request message. */
struct response {
	uint64_t requester; /* as given to historyd_request */
	struct batch events;
};

struct historyd_out {
	struct batch down; /* to every gateway */
	struct response *responses;
	size_t response_count, response_cap;
};
void historyd_out_reset(struct historyd_out *out);
void historyd_out_free(struct historyd_out *out);

struct historyd *historyd_open(const struct historyd_options *options, struct store *store);
void historyd_close(struct historyd *h);

/* One message from a gateway: posts, taken in the order in which it first published them. `now_ms`
 * is a clock that nobody sets, for the leases of gateways, here and in the rest; `utc_ms` is the
 * wall clock, which stamps the messages. */
void historyd_step(struct historyd *h, uint64_t now_ms, uint64_t utc_ms,
		   const struct bus_source *source, struct str message);

/* A gateway's or roomd's connection is gone, as numbered in the source of what it carried. */
void historyd_pipe_closed(struct historyd *h, uint32_t pipe);

/* One message of requests from a roomd. It has exactly one answer, which carries `requester` and is
 * empty when the message was not ours. */
void historyd_request(struct historyd *h, uint64_t now_ms, const struct bus_source *source,
		      struct str message, uint64_t requester);

/* Commits what the turn gathered and puts its results into `out`. When the store refuses, nothing
 * is acked: deliveries are withheld (the gateways will send the posts again), requests get
 * ERR_UNAVAILABLE, and all room logs in memory are forgotten so that they are read anew. Returns
 * the store's word. `out` must be reset. */
enum err historyd_flush(struct historyd *h, uint64_t now_ms, struct historyd_out *out);

/* While false (disk nearly full, store closed) posts are left unanswered and requests that write
 * get ERR_UNAVAILABLE. To be called between turns. A change makes the core read everything anew, as
 * it must after the store was reopened, and each gateway begin again with its posts. */
void historyd_set_writable(struct historyd *h, bool is_writable);

/* Leases of gateways; call about once a second. */
void historyd_tick(struct historyd *h, uint64_t now_ms);

/* Answers a message of page_ask requests from the store alone. Touches no state of the core, so
 * that the shell can run it on its reading thread with a reader of its own. False: the message was
 * not ours, or comes from one who knows another topology. */
NODISCARD
bool historyd_read(struct store *store, const struct topology *whole, struct bus_reader *reader,
		   struct str message, struct batch *responses);

/* What it knows of the whole; for the envelopes of its messages, for historyd_read and for the log.
 * Lives as long as h; what historyd_read needs of it does not change. */
const struct topology *historyd_topology(const struct historyd *h);

/* Ends the process unless all is as it must be between two turns: for tests. */
void historyd_check(const struct historyd *h);

/* Counted since the start, and what there is now: each is a metric of that name. */
#define HISTORYD_STATS(S)                                                                     \
	S(rooms_in_memory, GAUGE, "room logs in memory")                                      \
	S(gateways, GAUGE, "gateways heard of")                                               \
	S(messages_stored_total, COUNTER, "messages stored")                                  \
	S(messages_repeated_total, COUNTER, "messages that were stored before")               \
	S(messages_refused_total, COUNTER, "messages not stored")                             \
	S(messages_left_total, COUNTER,                                                       \
	  "messages left unanswered, to be sent again in their order")                        \
	S(clock_behind_ms, GAUGE,                                                             \
	  "the most by which the clock was behind the times of messages, in the last second") \
	S(bus_bad_total, COUNTER, "messages of the bus that were not ours")                   \
	S(bus_unknown_total, COUNTER,                                                         \
	  "bus events of no known kind, or not for their sender to say")                      \
	S(bus_misfits_total, COUNTER, "messages of the bus from who knows another topology")  \
	S(bus_gaps_total, COUNTER, "gaps noticed on links of the bus")

struct historyd_stats {
#define S(name, kind, help) uint64_t name;
	HISTORYD_STATS(S)
#undef S
	uint64_t commits, commit_failures; /* the store counts its own too, as metrics */
};
void historyd_stats(const struct historyd *h, struct historyd_stats *stats);

#endif
