// SPDX-License-Identifier: MIT
/* gateways.h — which gateways are heard, and whether what they say arrives whole.
 *
 * historyd needs no repair of its own when a message of a gateway is lost: the gateway sends its
 * posts again until they are acked. So a gap is only counted; what is dropped are repetitions and
 * words of an earlier life of a gateway, which would put messages in an order that nobody sent.
 * Next: historyd.c. */
#ifndef PARLOR_HISTORYD_GATEWAYS_H
#define PARLOR_HISTORYD_GATEWAYS_H

#include "proto/link.h"
#include "proto/table.h"

enum { GATEWAYS_MAX = 4096 }; /* a stranger who invents ids must not fill the memory */

struct gateways {
	struct table table;
	uint64_t gaps; /* since the start */
};

void gateways_init(struct gateways *all, uint64_t seed);
void gateways_free(struct gateways *all);

/* False when the message is to be dropped. */
NODISCARD
bool gateways_receive(struct gateways *all, const struct envelope *env, uint64_t now_ms);

/* Forgets the gateways whose lease has run out. */
void gateways_tick(struct gateways *all, uint64_t now_ms);

#endif
