// SPDX-License-Identifier: MIT
/* gateway.h — the gateway's core: browsers' events in, the bus's events out, and back.
 *
 * A pure state machine. A turn of the shell: any number of calls that bring something in (a frame,
 * a message of the bus, the time), then one gateway_flush, which moves every reader's cursor; after
 * it the shell carries `out` out and resets it. Not here: sockets, libwebsockets, HTTP, the clock
 * (see main.c, shell/lws.c). Next: session.h, view.h. */
#ifndef PARLOR_GATEWAY_CORE_GATEWAY_H
#define PARLOR_GATEWAY_CORE_GATEWAY_H

#include "gateway/core/claims.h"
#include "gateway/core/options.def"
#include "proto/arena.h"
#include "proto/topology.h"

struct gateway;
struct session; /* one client connection */

enum { BURST_MAX = 1000000, RESERVED_NAMES_MAX = 64 };

/* Who may join: guests, who may have a key; bearers of a token; or both. */
enum auth_mode { AUTH_GUESTS, AUTH_TOKENS, AUTH_BOTH };

struct gateway_options {
	uint64_t id, epoch; /* as in the envelopes this gateway sends */
	uint32_t roomd_shards, historyd_shards;
	uint64_t seed; /* of the hash tables */
#define O(field, ...) uint64_t field;
	GATEWAY_OPTIONS(O)
#undef O
	uint64_t in_flight_max; /* requests of a connection before it is read no further */
	bool guest_keys_required;
	enum auth_mode auth;
	/* Unless auth is AUTH_GUESTS: whether a token is to be believed, and what it says, in the
	 * arena. NULL, or why not. */
	const char *(*check_token)(void *ctx, struct str token, struct arena *arena,
				   struct claims *claims);
	void *token_ctx;
	struct str reserved[RESERVED_NAMES_MAX]; /* usernames for nobody; not copied */
	size_t reserved_count;
	struct str address; /* where other gateways reach this one, or empty; not copied */
};
void gateway_options_default(struct gateway_options *o);

/* Why a connection is closed by us: WebSocket close codes. */
enum close_code {
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002, /* not masked */
	CLOSE_POLICY = 1008,   /* far over its rate, or sent more than it was read */
	CLOSE_TOO_LARGE = 1009,
	CLOSE_NO_JOIN = 4001,
	CLOSE_SILENT = 4002,
	CLOSE_TOKEN = 4003,   /* it has ended, or is not to be believed */
	CLOSE_STALLED = 4008, /* takes nothing, or does not end a message */
};

/* How events are written for a client: one set of events, two ways to spell them. */
enum wire {
	WIRE_NATIVE,   /* {"event":…,"data":…} */
	WIRE_SOCKETIO, /* Socket.IO packets, each a message of Engine.IO: 42["event",…] */
	WIRES
};

/* What to do with one client connection, in this order. */
enum client_op_kind {
	CLIENT_SEND,   /* these finished WebSocket frames; see gateway_blocked */
	CLIENT_CLOSE,  /* with this code; gateway_disconnect follows as for any close */
	CLIENT_PING,   /* a WebSocket ping */
	CLIENT_PAUSE,  /* read nothing more from it (backpressure) */
	CLIENT_RESUME, /* read again */
	CLIENT_LOOK,   /* has it taken anything since it was blocked or last looked at? If so,
			* gateway_progress */
};
struct client_op {
	enum client_op_kind kind;
	uint16_t code;
	uint32_t len;
	const char *ptr; /* until gateway_out_reset or the next call that brings something in */
	void *conn;
};

struct gateway_out {
	struct batch roomd[SHARDS_MAX];    /* to the `up` endpoint of each shard */
	struct batch historyd[SHARDS_MAX]; /* likewise */
	struct batch read[SHARDS_MAX];     /* requests to the `read` endpoint of each historyd */
	struct client_op *ops;
	size_t op_count, op_cap;
	struct arena arena; /* holds what ops point to */
};
void gateway_out_reset(struct gateway_out *out);
void gateway_out_reset_ops(struct gateway_out *out); /* and keeps what is for the bus */
void gateway_out_free(struct gateway_out *out);

struct gateway *gateway_open(const struct gateway_options *options, uint64_t now_ms);
void gateway_close(struct gateway *g);

/* Walks everything and ends the process where an invariant is broken; for tests, between calls. */
void gateway_check(struct gateway *g);

/* A client has connected. `conn` is the shell's and comes back in the ops. `is_batched`: it speaks
 * parlor.v1 (native only). The session lives until gateway_disconnect, which the shell calls
 * exactly once, whoever closed. */
struct session *gateway_connect(struct gateway *g, uint64_t now_ms, void *conn, enum wire wire,
				bool is_batched);
/* Its connection had a session before, whose allowance is spent: it begins with that of a moment,
 * so that leaving and coming gives nobody more. */
void gateway_spend(const struct gateway *g, struct session *s);
void gateway_disconnect(struct gateway *g, uint64_t now_ms, struct session *s,
			struct gateway_out *out);

/* False: guests only, and a token that comes along with a connection is passed over like any other
 * word of the request. */
bool gateway_takes_tokens(const struct gateway *g);

/* What a token says, in the arena: NULL, or why it is not taken, for people. */
NODISCARD
const char *gateway_token_read(const struct gateway *g, struct str token, struct arena *arena,
			       struct claims *claims);

/* A client has shown a token as it connected; the claims are copied. Or one that is not taken: it
 * is told so, and closed. */
void gateway_bear(struct gateway *g, uint64_t now_ms, struct session *s,
		  const struct claims *claims);
void gateway_reject(struct gateway *g, uint64_t now_ms, struct session *s, const char *why,
		    struct gateway_out *out);

/* One whole text frame of the client. */
void gateway_frame(struct gateway *g, uint64_t now_ms, struct session *s, struct str text,
		   struct gateway_out *out);

/* One EVENT packet of a Socket.IO client: the JSON array `["event",data]`, and the id of the ack it
 * wants. */
void gateway_packet(struct gateway *g, uint64_t now_ms, struct session *s, bool has_id, uint64_t id,
		    struct str array, struct gateway_out *out);

/* Any other sign of life: a pong. */
void gateway_on_activity(struct gateway *g, uint64_t now_ms, struct session *s);

/* The socket would not take all of a CLIENT_SEND. The shell keeps the rest (and whatever ops follow
 * for this connection), writes it when it can, and then calls gateway_writable. Until then the core
 * sends no more than answers there: a cursor, a page or a list waits. When session_bytes are owed
 * it reads nothing more, so what the shell must keep is bounded: by session_bytes, one greeting (a
 * list and PIECE_BYTES_MAX) and what a turn answers. */
void gateway_blocked(struct gateway *g, uint64_t now_ms, struct session *s);
void gateway_writable(struct gateway *g, uint64_t now_ms, struct session *s,
		      struct gateway_out *out);

/* A blocked one has taken some bytes. One that takes nothing for stall_ms is closed. */
void gateway_progress(struct gateway *g, uint64_t now_ms, struct session *s);

/* To be asked for each newcomer: true when sessions_bytes are owed, or another gateway with this id
 * is served, and it is to be refused. */
NODISCARD
bool gateway_is_full(struct gateway *g);

/* One message from the bus, and where it came in. Bytes that are not ours, and what comes from one
 * who knows another topology, are counted and dropped. */
void gateway_step(struct gateway *g, uint64_t now_ms, const struct bus_source *source,
		  struct str message, struct gateway_out *out);

void gateway_tick(struct gateway *g, uint64_t now_ms, struct gateway_out *out);
uint64_t gateway_next_due(const struct gateway *g); /* UINT64_MAX: never */

/* The end of a turn: everything that clients should see now. Returns true when there is more than
 * fits a turn, so that the shell should come back without waiting. */
bool gateway_flush(struct gateway *g, uint64_t now_ms, struct gateway_out *out);

/* Tells all clients to reconnect elsewhere (goingAway). */
void gateway_drain(struct gateway *g, uint64_t now_ms, uint64_t reconnect_after_ms,
		   struct gateway_out *out);

enum readiness {
	GATEWAY_READY,    /* all shards are up and ready */
	GATEWAY_DEGRADED, /* some are not; rooms on the others work */
	GATEWAY_WAITING,  /* nothing can be served, or another gateway with this id is served */
};

/* Appends what is missing as JSON strings, with a reason where one is known:
 * "roomd-0","historyd-1: another shard answers at this place of the list","roomd-1 to
 * historyd-0". */
enum readiness gateway_readiness(const struct gateway *g, struct buf *missing);

/* What it knows of the whole; for the envelopes of its messages and for the log. Lives as long as
 * g. */
const struct topology *gateway_topology(const struct gateway *g);

/* Counted since the start, and what there is now. */
#define GATEWAY_STATS(S)                                                                        \
	S(sessions, GAUGE, "client connections")                                                \
	S(users, GAUGE, "distinct users with a connection here")                                \
	S(rooms, GAUGE, "rooms with a member here")                                             \
	S(frames_in_total, COUNTER, "frames received from clients")                             \
	S(errors_total, COUNTER, "error replies to clients")                                    \
	S(rate_limited_total, COUNTER, "events refused for their rate")                         \
	S(joins_total, COUNTER, "completed joins")                                              \
	S(posts_total, COUNTER, "messages sent on to historyd")                                 \
	S(posts_retried_total, COUNTER, "messages published again")                             \
	S(posts_unavailable_total, COUNTER, "messages given up after 5 s")                      \
	S(acks_total, COUNTER, "messages acked to their writer")                                \
	S(deliveries_total, COUNTER, "messages handed to readers")                              \
	S(pages_total, COUNTER, "history pages asked of historyd")                              \
	S(lists_asked_total, COUNTER, "presence lists asked of roomd")                          \
	S(lists_delayed_total, COUNTER, "such that were put off, coming too soon")              \
	S(blocked_total, COUNTER, "times that a reader fell behind")                            \
	S(owed_bytes, GAUGE, "kept for clients that take none, and of their input")             \
	S(newcomers_refused_total, COUNTER, "clients refused because too much is owed")         \
	S(parked_total, COUNTER, "pages to be read again for clients that could not take them") \
	S(overrates_total, COUNTER, "clients closed far over their rate")                       \
	S(stalled_total, COUNTER, "readers closed because they took nothing")                   \
	S(bus_bad_total, COUNTER, "messages of the bus that were not ours")                     \
	S(bus_unknown_total, COUNTER,                                                           \
	  "bus events of no known kind, or not for their sender to say")                        \
	S(bus_gaps_total, COUNTER, "gaps noticed on links of the bus")                          \
	S(bus_misfits_total, COUNTER, "messages of the bus from who knows another topology")    \
	S(bus_resyncs_total, COUNTER, "resyncs after a gap or a restart")                       \
	S(resets_total, COUNTER, "rooms begun anew because historyd went back")
/* The other gateways, as roomd tells of them. */
struct directory;
const struct directory *gateway_directory(const struct gateway *g);

#define COUNT(symbol, code, text, when) +1
enum { ERR_KINDS = 0 PARLOR_ERRORS(COUNT), CLOSE_KINDS = 8 };
#undef COUNT

/* The code of a kind of close that the gateway decided, as text. */
const char *gateway_close_name(size_t kind);

/* The shell closes a client by its own decision, of which the core knows nothing. */
void gateway_count_close(struct gateway *g, enum close_code code);

struct gateway_stats {
#define S(name, kind, help) uint64_t name;
	GATEWAY_STATS(S)
#undef S
	uint64_t errors_by_code[ERR_KINDS];
	uint64_t closed_by_code[CLOSE_KINDS];
};
const struct gateway_stats *gateway_stats(
	struct gateway *g); /* kept up to date, lives as long as g */

#endif
