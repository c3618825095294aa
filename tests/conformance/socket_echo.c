// SPDX-License-Identifier: MIT
/* socket_echo.c — see echo.h. */
#include "tests/conformance/echo.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const namespaces[] = {"/", "/custom"};

/* `<type>[<attachments>-][<namespace>,][<id>]` and the JSON. */
static void send_packet(struct sio_client *c, char type, size_t namespace, struct str id,
			const json_t *array, const struct sio_event *with)
{
	struct buf head = {0};
	char *json = json_dumps(array, JSON_COMPACT);
	size_t count = with ? with->attachment_count : 0;
	char binary = type == '2' ? '5' : '6';
	CHECK(json);
	buf_append(&head, count ? &binary : &type, 1);
	if (count)
		buf_printf(&head, "%zu-", count);
	if (namespace)
		buf_printf(&head, "%s,", namespaces[namespace]);
	buf_str(&head, id);
	sio_send(c, buf_view(&head), str_from(json), with ? with->attachments : NULL, count);
	buf_free(&head);
	free(json);
}

static void on_connected(void *ctx, struct sio_client *c, size_t namespace, struct str auth)
{
	(void)ctx;
	json_t *array = json_array();
	json_t *object = json_loadb(auth.ptr, auth.len, 0, NULL);
	json_array_append_new(array, json_string("auth"));
	json_array_append_new(array, object ? object : json_object());
	send_packet(c, '2', namespace, (struct str){0}, array, NULL);
	json_decref(array);
}

static bool on_event(void *ctx, struct sio_client *c, const struct sio_event *ev)
{
	(void)ctx;
	json_t *array = json_loadb(ev->array.ptr, ev->array.len, 0, NULL);
	const char *name = json_string_value(json_array_get(array, 0));
	if (!array)
		return false;
	if (name && strcmp(name, "message") == 0) {
		json_array_set_new(array, 0, json_string("message-back"));
		send_packet(c, '2', ev->namespace, (struct str){0}, array, ev);
	} else if (name && strcmp(name, "message-with-ack") == 0) {
		json_array_remove(array, 0);
		send_packet(c, '3', ev->namespace, ev->id, array, ev);
	}
	json_decref(array);
	return true;
}

static void ignore(void *ctx, struct sio_client *c)
{
	(void)ctx, (void)c;
}

static void on_detached(void *ctx, struct sio_client *c, size_t namespace)
{
	(void)ctx, (void)c, (void)namespace;
}

void socket_echo_open(struct sio *sio, struct eio *eio)
{
	sio->app = (struct sio_app){.connected = on_connected,
				    .event = on_event,
				    .on_activity = ignore,
				    .blocked = ignore,
				    .writable = ignore,
				    .on_detached = on_detached,
				    .closed = ignore};
	sio_open(sio, eio,
		 &(struct sio_options){.namespaces = {namespaces[0], namespaces[1]},
				       .namespace_count = ARRAY_LEN(namespaces),
				       .connect_ms = 1000,
				       .packet_max = 1000000});
}
