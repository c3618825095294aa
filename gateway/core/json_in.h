// SPDX-License-Identifier: MIT
/* json_in.h — reading what a client sent: JSON (jansson's), and fields with their limits.
 *
 * Field readers are sticky: after the first field that is wrong all others return nothing, and the
 * handler looks once, at the end, at `error`. Strings last as long as the event. */
#ifndef PARLOR_GATEWAY_CORE_JSON_IN_H
#define PARLOR_GATEWAY_CORE_JSON_IN_H

#include "gateway/core/events.def"
#include "gateway/core/gateway.h"

#include <jansson.h>

enum client_event_type {
#define C(name) CLIENT_##name,
	CLIENT_EVENTS(C)
#undef C
};

enum { WHY_MAX = 200 };

struct client_event {
	enum client_event_type type;
	bool has_id;
	uint64_t id;
	json_t *root; /* owned */
	const json_t *data;
	const struct gateway_options *limits;
	struct arena *arena;
	enum err error;
	char why[WHY_MAX]; /* the error for people, with the field's name; may be empty */
};

/* Reads {"event":…,"data":…,"id":…}. On an error `error` and `why` say what is wrong, `has_id` and
 * `id` are filled in as far as they could be found. Always call client_event_free. */
void client_event_read(struct client_event *e, struct str text,
		       const struct gateway_options *limits, struct arena *arena);

/* Likewise ["event",data]; has_id and id are the caller's to set. */
void client_event_read_array(struct client_event *e, struct str array,
			     const struct gateway_options *limits, struct arena *arena);
void client_event_free(struct client_event *e);

/* Says what is wrong, unless something was wrong before. */
void client_event_fail(struct client_event *e, enum err error, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A username or room name: normalized, within its limit, clean. */
struct str field_user(struct client_event *e, const char *name);
struct str field_room(struct client_event *e, const char *name);

/* Any text of 1 to max bytes. A missing one is an empty str when it is optional. */
struct str field_text(struct client_event *e, const char *name, size_t max, bool is_optional);

/* A whole number from 0 to 2^53-1; false when it is not there. */
bool field_number(struct client_event *e, const char *name, uint64_t *n);

#endif
