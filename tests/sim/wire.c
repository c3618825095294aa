// SPDX-License-Identifier: MIT
/* wire.c — what a gateway says, read off the wire: native JSON objects or Socket.IO's packets. What
 * it means to a client is in hearing.c and answers.c. */
#include "tests/sim/wire.h"

#include <jansson.h>

struct str text_of(const json_t *object, const char *name)
{
	const json_t *field = json_object_get(object, name);
	return json_is_string(field) ? str_of(json_string_value(field), json_string_length(field))
				     : (struct str){0};
}

uint64_t number_of(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

/* What stands beside msgHistory's data. */
static void read_beside(struct heard *h, const json_t *object)
{
	h->has_more = json_is_true(json_object_get(object, "more"));
	h->is_reset = json_is_true(json_object_get(object, "reset"));
	h->epoch = number_of(object, "epoch");
}

static bool read_native(struct str text, struct heard *h)
{
	h->root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	h->event = text_of(h->root, "event");
	h->room = text_of(h->root, "room");
	h->data = json_object_get(h->root, "data");
	h->id = number_of(h->root, "id");
	read_beside(h, h->root);
	return h->data && h->event.len;
}

/* `42["event",data,…]`: the room stands in the data, or behind it. */
static bool read_event(struct heard *h)
{
	const json_t *name = json_array_get(h->root, 0);
	const json_t *third = json_array_get(h->root, 2);
	if (!json_is_string(name))
		return false;
	h->event = str_from(json_string_value(name));
	h->data = json_array_get(h->root, 1);
	if (json_is_string(third))
		h->room = str_from(json_string_value(third));
	else
		h->room = text_of(third ? third : h->data, "room");
	read_beside(h, third);
	return h->data != NULL;
}

/* `43<id>[data]`, or `43<id>[{"error":…}]`. */
static bool read_ack(struct heard *h)
{
	const json_t *first = json_array_get(h->root, 0);
	const json_t *error = json_object_get(first, "error");
	h->event = error ? STR("error") : STR("ack");
	h->data = error ? error : first;
	return h->id && json_array_size(h->root) == 1;
}

static bool read_socketio(struct str text, struct heard *h)
{
	size_t at = 2;
	if (text.len < 3 || text.ptr[0] != '4' || (text.ptr[1] != '2' && text.ptr[1] != '3'))
		return false;
	for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
		h->id = h->id * 10 + (uint64_t)(text.ptr[at] - '0');
	h->root = json_loadb(text.ptr + at, text.len - at, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(h->root))
		return false;
	return text.ptr[1] == '2' ? at == 2 && read_event(h) : read_ack(h);
}

bool wire_read(enum wire wire, struct str text, struct heard *h)
{
	*h = (struct heard){0};
	return wire == WIRE_SOCKETIO ? read_socketio(text, h) : read_native(text, h);
}
