// SPDX-License-Identifier: MIT
/* private.h — newRoom, and the invitation after the join that it includes. */
#ifndef PARLOR_GATEWAY_CORE_PRIVATE_H
#define PARLOR_GATEWAY_CORE_PRIVATE_H

#include "gateway/core/state.h"

void private_answered(struct gateway *g, const struct ev_private_answer *ev);
void private_invite_answered(struct gateway *g, const struct ev_invite_answer *ev);

#endif
