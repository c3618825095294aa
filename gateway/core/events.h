// SPDX-License-Identifier: MIT
/* events.h — what clients may ask for, from the rows of events.def: a struct an event with its
 * fields as they are handed to its handler, and the rows themselves.
 *
 * Not here: reading JSON and the fields (json_in.h), the handlers (client.h). */
#ifndef PARLOR_GATEWAY_CORE_EVENTS_H
#define PARLOR_GATEWAY_CORE_EVENTS_H

#include "gateway/core/events.def"
#include "gateway/core/json_text.h"
#include "proto/bus.h"

#define WHOLE_MAX (JSON_WHOLE_END - 1)

struct client_event;
struct membership;

enum client_event_type {
#define C(name, flags, ack, meaning) CLIENT_##name,
	CLIENT_EVENTS(C)
#undef C
};

enum client_event_flag {
	EVENT_MEMBER = 1, /* only from members of its room: else not_joined */
	EVENT_NAMED = 2,  /* needs a name that is held, so it waits for joins under way */
	EVENT_RETRY = 4,  /* may be sent again when nobody knows whether it was done */
	EVENT_WRITES = 8, /* only where a token, if one was shown, lets its bearer write */
};

enum client_field_flag {
	FIELD_OPTIONAL = 1, /* may be absent or null */
	FIELD_CLEAN = 2,    /* no control characters */
	FIELD_OR_NEXT = 4,  /* not together with the field of the next row */
};

enum client_field_kind { FIELD_USER, FIELD_ROOM, FIELD_BODY, FIELD_TEXT, FIELD_NUMBER };

/* What a client asked for. `event` is what its ack or error goes to; `member` is the session's
 * membership of the room, for EVENT_MEMBER. Texts last as long as the event. */
#define IN_TEXT(name, ...) struct str name;
#define IN_NUMBER(name, ...)                \
	uint64_t name; /* or `otherwise` */ \
	bool has_##name;
#define C(name, flags, ack, meaning)                                     \
	struct in_##name {                                               \
		struct client_event *event;                              \
		struct membership *member;                               \
		IN_##name(IN_TEXT, IN_TEXT, IN_TEXT, IN_TEXT, IN_NUMBER) \
	};
CLIENT_EVENTS(C)
#undef C
#undef IN_TEXT
#undef IN_NUMBER

union client_in {
	struct {
		struct client_event *event;
		struct membership *member;
	} to; /* how all of them begin */
#define C(name, flags, ack, meaning) struct in_##name name;
	CLIENT_EVENTS(C)
#undef C
};

struct client_field_row {
	const char *name, *meaning;
	enum client_field_kind kind;
	unsigned flags;
	uint64_t min, max;           /* of TEXT and NUMBER */
	uint64_t otherwise;          /* a number that is not given */
	uint16_t offset, has_offset; /* in union client_in */
};

struct client_event_row {
	const char *name, *ack, *meaning;
	unsigned flags;
	size_t field_count;
	const struct client_field_row *fields;
};

enum {
#define C(name, flags, ack, meaning) +1
	CLIENT_EVENT_COUNT = 0 CLIENT_EVENTS(C)
#undef C
};

const struct client_event_row *client_event_row(enum client_event_type type);

/* False: there is no such event. */
NODISCARD
bool client_event_named(struct str name, enum client_event_type *type);

#endif
