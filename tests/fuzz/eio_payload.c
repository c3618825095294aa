// SPDX-License-Identifier: MIT
/* eio_payload.c — fuzz target: payloads of long-polling as a stranger may send them. What is read
 * as packets must come out the same when it is written and read again. */
#include "gateway/engineio/payload.h"
#include "gateway/wire/ws_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes what was read as a server would; returns the number of packets. */
static size_t collect(unsigned revision, bool is_octets, struct str body, struct buf *frames)
{
	struct eio_payload p;
	struct eio_packet packet;
	size_t count = 0;
	eio_payload_read(&p, revision, is_octets, body);
	while (eio_payload_next(&p, &packet)) {
		struct buf payload = {0};
		if (packet.is_binary && revision == 3)
			BUF_LIT(&payload, "\4");
		buf_str(&payload, packet.data);
		frame_put(frames, packet.is_binary ? FRAME_BINARY : FRAME_TEXT, buf_view(&payload));
		buf_free(&payload);
		count++;
	}
	bool is_bad = p.bad;
	eio_payload_free(&p);
	return is_bad ? 0 : count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	unsigned revision = data[0] & 1 ? 3 : 4;
	bool is_octets = data[0] & 2;
	struct str body = str_of((const char *)data + 1, size - 1);
	struct buf frames = {0};
	struct buf written = {0};
	struct buf again = {0};
	size_t count = collect(revision, is_octets, body, &frames);
	if (count) {
		enum eio_binary binary = data[0] & 4 ? EIO_BASE64 : EIO_OCTETS;
		bool is_written_octets =
			eio_payload_write(&written, revision, binary, buf_view(&frames));
		CHECK(collect(revision, is_written_octets, buf_view(&written), &again) == count);
		CHECK(str_equal(buf_view(&frames), buf_view(&again)));
	}
	buf_free(&frames);
	buf_free(&written);
	buf_free(&again);
	return 0;
}
