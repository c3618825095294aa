// SPDX-License-Identifier: MIT
/* net.h — how the parts of the world reach each other: the bus with its losses (net.c), clients'
 * connections (conn.c). */
#ifndef PARLOR_TESTS_SIM_NET_H
#define PARLOR_TESTS_SIM_NET_H

#include "tests/sim/world.h"

enum channel { CHANNEL_BUS, CHANNEL_ASK, CHANNEL_READ };

void net_publish(struct world *w, struct node *from, struct node *to, struct link_out *link,
		 const struct batch *batch);
void net_broadcast(struct world *w, struct node *from, const struct batch *batch);
void net_ask(struct world *w, struct node *from, struct node *to, enum channel channel,
	     const struct batch *batch);
void net_response(struct world *w, struct node *from, uint64_t requester,
		  const struct batch *batch);
void net_heartbeats(struct world *w, struct node *n);
uint64_t net_heartbeat_ms(const struct world *w, const struct node *n); /* when the next is due */

void net_deliver(struct world *w); /* what has arrived, into inboxes */
void net_take_inbox(struct world *w, struct node *n);
uint64_t net_next_ms(const struct world *w);
void net_cut_some(struct world *w);
void net_isolate_some(struct world *w);
void net_cut(struct world *w, struct node *a, struct node *b, uint64_t ms); /* both ways */
void net_died(struct world *w, const struct node *n); /* its connections are closed */
void net_forget(struct world *w, struct node *n);     /* it died: its inbox goes */
void net_free(struct world *w);

/* A client's text on its way to its gateway, behind what was sent before. */
void net_client_text(struct world *w, struct conn *c, uint64_t *last_ms, struct str text);

void conn_arrived(struct world *w, struct conn *c, struct str text);
void conn_read_unread(struct world *w, struct node *gateway);
void conn_carry_out(struct world *w, struct node *gateway, struct gateway_out *out);
void conn_gateway_died(struct world *w, struct node *gateway);
bool conn_is_quiet(const struct world *w, const struct node *gateway);
void conn_free_all(struct world *w);

uint64_t world_utc_ms(const struct world *w, const struct node *n);

#endif
