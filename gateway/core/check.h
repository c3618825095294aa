// SPDX-License-Identifier: MIT
/* check.h — the parts of gateway_check. */
#ifndef PARLOR_GATEWAY_CORE_CHECK_H
#define PARLOR_GATEWAY_CORE_CHECK_H

#include "gateway/core/state.h"

/* What is asked of the services. */
void check_requests(struct gateway *g);

/* Rooms, memberships, who is there, and the queues that they stand in. Returns how many of the
 * users here are in a room by roomd's word. */
size_t check_views(const struct gateway *g);

#endif
