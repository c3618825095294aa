// SPDX-License-Identifier: MIT
/* dialect.h — how one server wants to be spoken to. A dialect is a file dialect_NAME.c and a row in
 * dialect.c. */
#ifndef PARLOR_BENCH_DIALECT_H
#define PARLOR_BENCH_DIALECT_H

#include "tests/bench/load/load.h"

struct dialect {
	const char *name;
	unsigned opcode; /* of the frames it sends */

	/* The path of the WebSocket; the client's room and name may be part of it. */
	void (*path)(const struct client *c, struct buf *out);
	/* The WebSocket is open. Calls load_joined if nothing more is needed to be in the room;
	 * else the workload calls enter, now or later. */
	void (*open)(struct client *c);
	void (*enter)(struct client *c);
	void (*say)(struct client *c, struct str body, uint64_t id);
	/* A page of history; NULL: it has none. */
	void (*ask_page)(struct client *c, uint64_t before, uint64_t limit);
	/* One frame. */
	void (*take)(struct client *c, struct str payload);
};

/* NULL: no such. */
#define DIALECTS "parlor|bun|socketio|nats"
const struct dialect *dialect_at(size_t index); /* in this order */

extern const struct dialect dialect_parlor, dialect_bun, dialect_socketio, dialect_nats;

#endif
