// SPDX-License-Identifier: MIT
/* ws_frame.h — the bytes of WebSocket frames, and nothing of what they say. */
#ifndef PARLOR_GATEWAY_WIRE_WS_FRAME_H
#define PARLOR_GATEWAY_WIRE_WS_FRAME_H

#include "proto/base.h"

enum { FRAME_HEADER_MAX = 10, FRAME_TEXT = 0x1, FRAME_BINARY = 0x2 };

/* Writes the header of a whole, unmasked frame; returns its bytes, FRAME_HEADER_MAX at most. */
size_t frame_header(char *header, unsigned opcode, size_t payload_bytes);

/* Appends a whole frame. */
void frame_put(struct buf *b, unsigned opcode, struct str payload);

struct frame_view {
	bool is_binary;
	struct str payload;
};

/* Takes the first of some finished frames of our own off `frames`; false when there is none left.
 */
NODISCARD
bool frame_next(struct str *frames, struct frame_view *f);

#endif
