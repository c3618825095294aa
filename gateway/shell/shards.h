// SPDX-License-Identifier: MIT
/* shards.h — the gateway's ports on the bus: up, down and (historyd) read of every shard, and
 * its own tap. What comes in goes to the core at once; what the core wants to say goes out at the
 * end of the turn. */
#ifndef PARLOR_GATEWAY_SHELL_SHARDS_H
#define PARLOR_GATEWAY_SHELL_SHARDS_H

#include "gateway/core/gateway.h"
#include "proto/shell/service.h"

#include <uv.h>

struct shard_port {
	struct port *port;
	uv_poll_t poll; /* of ports that receive */
	struct shards *all;
	struct bus_source source;
};

struct shards {
	struct gateway *core;
	struct gateway_out *out;
	struct service_main *main;
	uint32_t roomd_count, historyd_count;
	uint64_t posts_us, asks_us; /* no posts, nothing else is published before */
	struct shard_port roomd_up[SHARDS_MAX], roomd_down[SHARDS_MAX];
	struct shard_port historyd_up[SHARDS_MAX], historyd_down[SHARDS_MAX],
		historyd_read[SHARDS_MAX];
};

/* core, out and main are set by the caller. */
void shards_open(struct shards *s, uv_loop_t *loop, const struct address_list *roomds,
		 const struct address_list *historyds);

/* Publishes what the core wants sent, and takes it out of `out`. An isolated message of the bus
 * costs both sides ten times what one more event in it does, and each message of posts a commit of
 * historyd. So what is published buys the next ones some waiting, for each event in it: at a
 * hundred events a second hardly one waits, from a thousand on they travel together. Returns the
 * time until which something was kept, 0 when nothing was. */
uint64_t shards_send(struct shards *s, uint64_t now_us);

/* To every shard that has not heard of this gateway for a while. */
void shards_heartbeat(struct shards *s, bool is_ready, uint64_t now_ms);

/* Takes nothing more; the loop must run once more. The ports are left to the system: see
 * port_close. */
void shards_stop(struct shards *s);

#endif
