// SPDX-License-Identifier: MIT
/* state.h — what historyd's core remembers. Inside the core only; historyd.h is the face. */
#ifndef PARLOR_HISTORYD_STATE_H
#define PARLOR_HISTORYD_STATE_H

#include "historyd/gateways.h"
#include "historyd/inbox.h"
#include "historyd/log.h"

/* What the results of a turn will add to the statistics once they are out. */
struct tally {
	uint64_t stored, repeated, refused;
};

struct historyd {
	struct turn turn;
	struct tally tally;
	struct room_logs logs;
	struct inboxes inboxes;
	struct gateways gateways;
	struct topology topology;
	struct link roomds[SHARDS_MAX]; /* who asks; only their identities are followed */
	struct bus_reader reader;
	struct buf scratch;
	bool is_writable;
	bool is_doubtful; /* a commit failed and none has succeeded since */
	uint64_t held_ms; /* since the last tick: see clock_behind_ms */
	struct historyd_stats totals;
};

/* One received message while its events are handled. */
struct message {
	struct historyd *h;
	uint64_t utc_ms;
	struct bus_source source;
	struct envelope env;
	struct gateway *gateway;        /* NULL unless it is a gateway's */
	struct turn_response *response; /* NULL unless it is a message of requests */
};

/* Whether a room, or the invitations of a user, are kept here. */
bool message_owns(struct message *m, struct str name);

NODISCARD
enum err message_find_log(struct message *m, struct str room, struct room_log **log);

/* ---- the events: a row of bus.def for historyd without its function does not link ---- */

#define HANDLE_ANY(name)
#define HANDLE_GATEWAY(name)
#define HANDLE_ROOMD(name)
#define HANDLE_HISTORYD(name) void on_##name(struct message *m, const struct ev_##name *in);
BUS_EVENTS(DECLARE_ROW)
#undef HANDLE_ANY
#undef HANDLE_GATEWAY
#undef HANDLE_ROOMD
#undef HANDLE_HISTORYD

#endif
