// SPDX-License-Identifier: MIT
/* giveup.h — requests that clients have waited for long enough. When the next is due, request.h
 * says. */
#ifndef PARLOR_GATEWAY_CORE_GIVEUP_H
#define PARLOR_GATEWAY_CORE_GIVEUP_H

#include "gateway/core/state.h"

void giveup_tick(struct gateway *g);

#endif
