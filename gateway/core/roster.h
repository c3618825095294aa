// SPDX-License-Identifier: MIT
/* roster.h — what each roomd shard knows from this gateway, so that it can be sent again after a
 * restart. Not here: sending it (repair.h). */
#ifndef PARLOR_GATEWAY_CORE_ROSTER_H
#define PARLOR_GATEWAY_CORE_ROSTER_H

#include "gateway/core/state.h"

/* The shard was told, or need not be any more. Harmless when it is so already. */
void roster_add(struct gateway *g, uint32_t shard, enum registration_kind kind,
		struct registration *registration);
void roster_remove(struct gateway *g, uint32_t shard, enum registration_kind kind,
		   struct registration *registration);

#endif
