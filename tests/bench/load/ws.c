// SPDX-License-Identifier: MIT
/* ws.c — see ws.h. */
#include "tests/bench/load/ws.h"

void ws_request(struct buf *out, uint16_t port, struct str path)
{
	buf_printf(out,
		   "GET " STR_FMT " HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\n"
		   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		   "Sec-WebSocket-Version: 13\r\n\r\n",
		   STR_ARG(path), port);
}

size_t ws_response(struct str bytes)
{
	static const char upgraded[] = "HTTP/1.1 101";
	const char *end = memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	if (bytes.len < sizeof upgraded || memcmp(bytes.ptr, upgraded, sizeof upgraded - 1) != 0)
		return SIZE_MAX;
	return (size_t)(end - bytes.ptr) + 4;
}

static void put_header(struct buf *out, unsigned opcode, size_t len)
{
	unsigned char header[10] = {(unsigned char)(0x80u | opcode)};
	size_t width = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;
	header[1] = (unsigned char)(0x80u | (width == 0 ? len : width == 2 ? 126 : 127));
	for (size_t i = 0; i < width; i++)
		header[2 + i] = (unsigned char)(len >> 8 * (width - 1 - i));
	buf_append(out, header, 2 + width);
}

void ws_put(struct buf *out, unsigned opcode, struct str payload, uint32_t mask)
{
	unsigned char key[4];
	memcpy(key, &mask, sizeof key);
	put_header(out, opcode, payload.len);
	buf_append(out, key, sizeof key);
	char *to = buf_space(out, payload.len);
	for (size_t i = 0; i < payload.len; i++)
		to[i] = (char)((unsigned char)payload.ptr[i] ^ key[i & 3]);
	out->len += payload.len;
}

size_t ws_next(struct str bytes, struct ws_frame *frame)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	if (bytes.len < 2)
		return 0;
	size_t len = p[1] & 0x7fu;
	size_t width = len == 126 ? 2 : len == 127 ? 8 : 0;
	if (bytes.len < 2 + width)
		return 0;
	if (width) {
		len = 0;
		for (size_t i = 0; i < width; i++)
			len = len << 8 | p[2 + i];
	}
	if (bytes.len - 2 - width < len)
		return 0;
	*frame = (struct ws_frame){
		.opcode = p[0] & 0x0fu,
		.is_odd = (p[0] & 0xf0u) != 0x80u || (p[1] & 0x80u) || (p[0] & 0x0fu) == 0,
		.payload = str_of(bytes.ptr + 2 + width, len),
	};
	return 2 + width + len;
}
