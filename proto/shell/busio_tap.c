// SPDX-License-Identifier: MIT
/* busio_tap.c — see busio.h: the tap, at the end that copies what passes, and at the end that reads
 * the copies. Not here: the ports that are copied (busio.c). */
#include "proto/shell/busio_nng.h"
#include "proto/shell/clock.h"
#include "proto/shell/listeners.h"

#include <msgpack.h>
#include <stdatomic.h>

struct tap {
	nng_socket socket;
	atomic_uint watchers;
	struct envelope self;
};

enum { TAP_VERSION = 1 };

/* Runs on a thread of nng's. */
static void on_watcher(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
	struct tap *t = arg;
	(void)pipe;
	if (event == NNG_PIPE_EV_ADD_POST)
		atomic_fetch_add(&t->watchers, 1);
	else if (event == NNG_PIPE_EV_REM_POST)
		atomic_fetch_sub(&t->watchers, 1);
}

struct tap *tap_open(const char *address, const struct envelope *self, char *error,
		     size_t error_len)
{
	struct tap *t = mem_alloc(sizeof *t);
	t->socket = busio_open(PORT_PUBLISH);
	t->self = *self;
	CHECK(nng_pipe_notify(t->socket, NNG_PIPE_EV_ADD_POST, on_watcher, t) == 0);
	CHECK(nng_pipe_notify(t->socket, NNG_PIPE_EV_REM_POST, on_watcher, t) == 0);
	if (!busio_attach(t->socket, address, ENDPOINT_TAP, true, error, error_len)) {
		tap_close(t);
		return NULL;
	}
	return t;
}

void tap_close(struct tap *t)
{
	if (!t)
		return;
	listeners_drop(t->socket);
	nng_close(t->socket);
	mem_free(t);
}

static int append(void *b, const char *bytes, size_t len)
{
	buf_append(b, bytes, len);
	return 0;
}

void tap_mirror(struct tap *t, const char *label, bool is_out, struct str header, struct str body)
{
	if (!t || atomic_load_explicit(&t->watchers, memory_order_relaxed) == 0)
		return;
	struct buf copy = {0}; /* not kept: historyd's reading thread taps too */
	msgpack_packer p;
	msgpack_packer_init(&p, &copy, append);
	msgpack_pack_array(&p, 6);
	msgpack_pack_uint64(&p, TAP_VERSION);
	msgpack_pack_uint64(&p, t->self.from);
	msgpack_pack_uint64(&p, t->self.id);
	msgpack_pack_uint64(&p, is_out);
	msgpack_pack_uint64(&p, clock_utc_us());
	msgpack_pack_str(&p, strlen(label));
	msgpack_pack_str_body(&p, label, strlen(label));
	nng_msg *msg;
	CHECK(nng_msg_alloc(&msg, 0) == 0);
	CHECK(nng_msg_append(msg, copy.ptr, copy.len) == 0);
	CHECK(nng_msg_append(msg, header.ptr, header.len) == 0);
	CHECK(nng_msg_append(msg, body.ptr, body.len) == 0);
	buf_free(&copy);
	if (nng_sendmsg(t->socket, msg, NNG_FLAG_NONBLOCK) != 0)
		nng_msg_free(msg);
}

bool tap_read(struct str message, struct tap_header *header, struct str *mirrored)
{
	enum { HEADER_BYTES_MAX = 256 };
	msgpack_unpacked item;
	size_t at = 0;
	size_t len = message.len < HEADER_BYTES_MAX ? message.len : HEADER_BYTES_MAX;
	msgpack_unpacked_init(&item);
	msgpack_unpack_return rc = msgpack_unpack_next(&item, message.ptr, len, &at);
	const msgpack_object *o = &item.data;
	bool is_ours = (rc == MSGPACK_UNPACK_SUCCESS || rc == MSGPACK_UNPACK_EXTRA_BYTES) &&
		       o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 6;
	for (uint32_t i = 0; is_ours && i < 5; i++)
		is_ours = o->via.array.ptr[i].type == MSGPACK_OBJECT_POSITIVE_INTEGER;
	if (is_ours) {
		const msgpack_object *f = o->via.array.ptr;
		is_ours = f[0].via.u64 == TAP_VERSION && f[1].via.u64 <= SERVICE_HISTORYD &&
			  f[5].type == MSGPACK_OBJECT_STR;
		if (is_ours) {
			*header = (struct tap_header){
				.service = (enum service)f[1].via.u64,
				.id = f[2].via.u64,
				.is_out = f[3].via.u64 != 0,
				.time_us = f[4].via.u64,
				.label = str_of(f[5].via.str.ptr, f[5].via.str.size),
			};
			*mirrored = str_of(message.ptr + at, message.len - at);
		}
	}
	msgpack_unpacked_destroy(&item);
	return is_ours;
}
