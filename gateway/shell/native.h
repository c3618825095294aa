// SPDX-License-Identifier: MIT
/* native.h — a WebSocket of the native protocol (/ws) as a session of the core. */
#ifndef PARLOR_GATEWAY_SHELL_NATIVE_H
#define PARLOR_GATEWAY_SHELL_NATIVE_H

#include "gateway/shell/conn.h"

struct native { /* zeroed at first, but for what the caller sets */
	struct gateway *core;
	struct gateway_out *out;
};

/* The connection is established; `is_batched`: it speaks parlor.v1. `token`: that it showed, or
 * empty. */
struct conn *native_open(struct conns *all, struct lws *wsi, bool is_batched, struct str token);

#endif
