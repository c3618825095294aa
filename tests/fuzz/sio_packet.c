// SPDX-License-Identifier: MIT
/* sio_packet.c — fuzz target: a Socket.IO client over a WebSocket that says anything. The first
 * byte of each line says whether it is text or bytes; lines are the frames. */
#include "gateway/socketio/sio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_send(void *ctx, struct eio_socket *ws, struct str frames)
{
	(void)ctx, (void)ws, (void)frames;
}

static void on_pause(void *ctx, struct eio_socket *ws, bool is_paused)
{
	(void)ctx, (void)ws, (void)is_paused;
}

static void on_close(void *ctx, struct eio_socket *ws)
{
	(void)ctx, (void)ws;
}

static void on_connected(void *ctx, struct sio_client *c, size_t namespace, struct str auth)
{
	(void)ctx, (void)c;
	CHECK(namespace < 2 && auth.len > 0);
}

static bool on_event(void *ctx, struct sio_client *c, const struct sio_event *ev)
{
	(void)ctx;
	CHECK(c->is_connected[ev->namespace]);
	CHECK(ev->array.len >= 2 && memchr(" \t\n\r[", ev->array.ptr[0], 5));
	for (size_t i = 0; i < ev->attachment_count; i++)
		CHECK(ev->attachments[i].len <= 1000);
	if (ev->array.ptr[1] == '7') /* some end it from within */
		sio_end(c);
	return ev->array.ptr[1] != '8';
}

static void on_detached(void *ctx, struct sio_client *c, size_t namespace)
{
	(void)ctx;
	CHECK(!c->is_connected[namespace]);
}

static void ignore(void *ctx, struct sio_client *c)
{
	(void)ctx, (void)c;
}

/* Nobody guesses here, and each run is to be the same. */
static void count_up(void *bytes, size_t len)
{
	static unsigned char next;
	memset(bytes, ++next, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct eio eio;
	static struct sio sio;
	struct eio_socket ws = {0};
	struct eio_query q;
	if (size < 1)
		return 0;
	eio_open(&eio, &(struct eio_options){
			       .payload_max = 1000, .sessions_max = 10, .random = count_up});
	eio.transport =
		(struct eio_transport){.send = on_send, .pause = on_pause, .close = on_close};
	sio = (struct sio){.app = {.connected = on_connected,
				   .event = on_event,
				   .on_activity = ignore,
				   .blocked = ignore,
				   .writable = ignore,
				   .on_detached = on_detached,
				   .closed = ignore}};
	sio_open(&sio, &eio,
		 &(struct sio_options){.namespaces = {"/", "/custom"},
				       .namespace_count = 2,
				       .connect_ms = 1000,
				       .packet_max = 1000});
	eio_query_read(&q, data[0] & 1 ? STR("EIO=3&transport=websocket")
				       : STR("EIO=4&transport=websocket"));
	eio_socket_open(&eio, 1, &q, &ws);
	for (size_t at = 1; at < size && ws.session;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;
		if (len)
			eio_socket_receive(&eio, 2, &ws,
					   str_of((const char *)data + at + 1, len - 1),
					   data[at] == 'b');
		at += len + 1;
	}
	eio_close(&eio);
	CHECK(TAILQ_EMPTY(&sio.waiting));
	return 0;
}
