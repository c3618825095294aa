// SPDX-License-Identifier: MIT
/* ws.h — as much of WebSocket (RFC 6455) as a client needs that meets only servers it knows: the
 * handshake's request, masked frames out, frames in. No fragments, no extensions.
 *
 * A library would do, but what the generator spends on receiving it cannot offer as load.
 * Not here: sockets (client.h). */
#ifndef PARLOR_BENCH_WS_H
#define PARLOR_BENCH_WS_H

#include "proto/base.h"

enum ws_opcode {
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

struct ws_frame {
	unsigned opcode;
	bool is_odd; /* a fragment, compressed or masked: nothing that was agreed on */
	struct str payload;
};

void ws_request(struct buf *out, uint16_t port, struct str path);

/* The bytes of the answer's head once it is complete and says 101; 0: not complete; SIZE_MAX: a
 * refusal. */
size_t ws_response(struct str bytes);

void ws_put(struct buf *out, unsigned opcode, struct str payload, uint32_t mask);

/* The first frame in `bytes`: its whole length, or 0 when it is not complete. */
size_t ws_next(struct str bytes, struct ws_frame *frame);

#endif
