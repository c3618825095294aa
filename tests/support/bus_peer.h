// SPDX-License-Identifier: MIT
/* bus_peer.h — the other end of the bus for unit tests: puts a sender's events into messages, and
 * finds events in what a core wants to send. */
#ifndef PARLOR_TESTS_SUPPORT_BUS_PEER_H
#define PARLOR_TESTS_SUPPORT_BUS_PEER_H

#include "proto/topology.h"

struct bus_peer {
	struct envelope self; /* seq counts up with each message; keep it 0 with is_answering */
	bool is_answering;    /* its messages carry no sequence */
	struct batch batch;   /* put events here … */
	struct buf message;
};

/* Where another service that dialled it would hear it. */
static inline struct bus_source bus_peer_source(const struct bus_peer *p)
{
	return (struct bus_source){.kind = p->self.from, .shard = (uint32_t)p->self.id};
}

/* … and take them out as one message, valid until the next call. */
struct str bus_peer_message(struct bus_peer *p);
void bus_peer_free(struct bus_peer *p);

/* The n-th event (0: the first) of this type in a batch; false when there are fewer. What it points
 * to lasts until the next call. */
bool bus_find(const struct batch *batch, enum ev_type type, size_t n, struct bus_event *ev);
size_t bus_count(const struct batch *batch, enum ev_type type);

#endif
