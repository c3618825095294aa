// SPDX-License-Identifier: MIT
/* rate.h — how much one connection may ask for: events, and bytes of them, in two buckets. */
#ifndef PARLOR_GATEWAY_CORE_RATE_H
#define PARLOR_GATEWAY_CORE_RATE_H

#include "gateway/core/state.h"

/* Takes one event of so many bytes out of the session's buckets; returns 0, or the milliseconds
 * until there is enough for it again. Who is refused far too much is closed. */
uint64_t rate_take(struct gateway *g, struct session *s, size_t bytes);

/* What the bucket of bytes holds at most. */
uint32_t rate_burst_bytes(const struct gateway_options *o);

#endif
