// SPDX-License-Identifier: MIT
/* ws_frame.c — see wire/ws_frame.h. */
#include "gateway/wire/ws_frame.h"

enum { WIDTH_2 = 126, WIDTH_8 = 127 };

size_t frame_header(char *header, unsigned opcode, size_t payload_bytes)
{
	header[0] = (char)(0x80u | opcode);
	if (payload_bytes < WIDTH_2) {
		header[1] = (char)payload_bytes;
		return 2;
	}
	size_t width = payload_bytes <= UINT16_MAX ? 2 : 8;
	header[1] = width == 2 ? WIDTH_2 : WIDTH_8;
	for (size_t i = 0; i < width; i++)
		header[2 + i] = (char)(payload_bytes >> 8 * (width - 1 - i) & 255);
	return 2 + width;
}

void frame_put(struct buf *b, unsigned opcode, struct str payload)
{
	char header[FRAME_HEADER_MAX];
	buf_append(b, header, frame_header(header, opcode, payload.len));
	buf_str(b, payload);
}

bool frame_next(struct str *frames, struct frame_view *f)
{
	if (frames->len == 0)
		return false;
	const unsigned char *head = (const unsigned char *)frames->ptr;
	size_t len = head[1];
	size_t width = len == WIDTH_2 ? 2 : len == WIDTH_8 ? 8 : 0;
	if (width) {
		len = 0;
		for (size_t i = 0; i < width; i++)
			len = len << 8 | head[2 + i];
	}
	CHECK(2 + width + len <= frames->len); /* they are ours */
	*f = (struct frame_view){.is_binary = (head[0] & 15) == FRAME_BINARY,
				 .payload = str_of(frames->ptr + 2 + width, len)};
	*frames = str_of(frames->ptr + 2 + width + len, frames->len - 2 - width - len);
	return true;
}
