// SPDX-License-Identifier: MIT
/* giveup.h — gives up requests that clients have waited for long enough. Not here: when the next
 * one is due (request.h). */
#ifndef PARLOR_GATEWAY_CORE_GIVEUP_H
#define PARLOR_GATEWAY_CORE_GIVEUP_H

#include "gateway/core/state.h"

void giveup_tick(struct gateway *g);

#endif
