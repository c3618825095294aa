// SPDX-License-Identifier: MIT
/* json_in.h — reading what a client sent: JSON (jansson's), which event it is, and its fields by
 * their rows in events.def. The first error stays. */
#ifndef PARLOR_GATEWAY_CORE_JSON_IN_H
#define PARLOR_GATEWAY_CORE_JSON_IN_H

#include "gateway/core/events.h"
#include "gateway/core/gateway.h"

#include <jansson.h>

enum { WHY_MAX = 200 };

struct client_event {
	enum client_event_type type;
	bool has_id;
	uint64_t id;
	json_t *root; /* owned */
	const json_t *data;
	struct str room; /* which it names, once its fields are read */
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

/* Fills in the event's own struct in *in. False when a field is wrong: e->error and e->why say
 * which, as its first one. */
NODISCARD
bool client_fields_read(struct client_event *e, union client_in *in);

/* The room that the event names, read alone: what is wrong with other fields does not matter.
 * Empty when there is none. */
struct str client_fields_room(const struct client_event *e);

#endif
