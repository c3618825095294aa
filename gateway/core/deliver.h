// SPDX-License-Identifier: MIT
/* deliver.h — moving cursors: messages, pages and own acks to the members of a room. */
#ifndef PARLOR_GATEWAY_CORE_DELIVER_H
#define PARLOR_GATEWAY_CORE_DELIVER_H

#include "gateway/core/state.h"

void deliver_view(struct gateway *g, struct view *v);
void deliver_membership(struct gateway *g, struct membership *m);
void deliver_own_ack(struct gateway *g, struct membership *m, uint64_t seq, uint64_t time_ms,
		     const struct request *post);
void deliver_page(struct gateway *g, struct membership *m, const struct ev_page *page);
void deliver_acks_passed(struct gateway *g, struct membership *m); /* up to the cursor */
void deliver_all_acks(struct gateway *g, struct membership *m);    /* it ends: stored means acked */
void deliver_tick(struct gateway *g);
uint64_t deliver_next_due(const struct gateway *g); /* UINT64_MAX: never */

#endif
