// SPDX-License-Identifier: MIT
/* ops.h — carrying out what the core wants done with its clients: the ops of a turn, sorted
 * by client, so that each is written to once. What a client is connected by is its class's to know.
 */
#ifndef PARLOR_GATEWAY_SHELL_OPS_H
#define PARLOR_GATEWAY_SHELL_OPS_H

#include "gateway/core/gateway.h"

#include <sys/queue.h>

struct client_end;
STAILQ_HEAD(client_end_list, client_end);

struct client_class {
	bool (*is_open)(struct client_end *end); /* takes anything at all */
	/* The frames last until ops.send_posted is called. */
	void (*send)(struct client_end *end, struct str frames, uint64_t now_ms);
	void (*pause)(struct client_end *end, bool is_paused); /* read no more of it */
	void (*look)(struct client_end *end, uint64_t now_ms); /* CLIENT_LOOK */
	void (*close)(struct client_end *end, uint16_t code, uint64_t now_ms);
	struct str ping; /* the frame for CLIENT_PING; empty: it has heartbeats of its own */
};

/* The shell's end of a session, first in whatever struct stands for it; what the core knows as
 * `conn`. */
struct client_end {
	const struct client_class *class;
	STAILQ_ENTRY(client_end) touched;
	uint32_t first_op, last_op; /* while the ops of a turn are carried out */
	bool is_touched;
};

/* Zeroed at first. */
struct ops {
	void (*send_posted)(void *ctx); /* what classes have kept for later; NULL: they do not */
	void *ctx;

	/* Scratch memory. */
	uint32_t *next_op; /* of the same client, for each op of the turn */
	size_t next_cap;
	char *scratch;
	size_t scratch_len, scratch_cap;
};

void ops_carry_out(struct ops *ops, const struct gateway_out *out, uint64_t now_ms);
void ops_free(struct ops *ops);

#endif
