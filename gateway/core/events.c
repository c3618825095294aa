// SPDX-License-Identifier: MIT
/* events.c — see events.h. */
#include "gateway/core/events.h"

#include <stddef.h>

/* Where a field stands; `in` is the struct of the row's event. */
#define AT(field) .name = #field, .offset = offsetof(in, field)
#define ROW_USER(field, text) {AT(field), .kind = FIELD_USER, .meaning = (text)},
#define ROW_ROOM(field, text) {AT(field), .kind = FIELD_ROOM, .meaning = (text)},
#define ROW_BODY(field, text) {AT(field), .kind = FIELD_BODY, .meaning = (text)},
#define ROW_TEXT(field, which, least, most, text)              \
	{AT(field),      .kind = FIELD_TEXT, .flags = (which), \
	 .min = (least), .max = (most),      .meaning = (text)},
#define ROW_NUMBER(field, which, least, most, absent, text) \
	{AT(field),                                         \
	 .kind = FIELD_NUMBER,                              \
	 .flags = (which),                                  \
	 .min = (least),                                    \
	 .max = (most),                                     \
	 .otherwise = (absent),                             \
	 .has_offset = offsetof(in, has_##field),           \
	 .meaning = (text)},

const struct client_event_row *client_event_row(enum client_event_type type)
{
	const struct client_event_row *row = NULL;
	switch (type) {
#define C(event, which, its_ack, text)                                                          \
	case CLIENT_##event: {                                                                  \
		typedef struct in_##event in;                                                   \
		static const struct client_field_row fields[] = {                               \
			IN_##event(ROW_USER, ROW_ROOM, ROW_BODY, ROW_TEXT, ROW_NUMBER)};        \
		static const struct client_event_row this = {.name = #event,                    \
							     .flags = (which),                  \
							     .ack = (its_ack),                  \
							     .meaning = (text),                 \
							     .fields = fields,                  \
							     .field_count = ARRAY_LEN(fields)}; \
		row = &this;                                                                    \
		break;                                                                          \
	}
		CLIENT_EVENTS(C)
#undef C
	}
	CHECK(row);
	return row;
}

bool client_event_named(struct str name, enum client_event_type *type)
{
	static const struct str names[] = {
#define C(event, flags, ack, meaning) {#event, sizeof #event - 1},
		CLIENT_EVENTS(C)
#undef C
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_equal(names[i], name)) {
			*type = (enum client_event_type)i;
			return true;
		}
	}
	return false;
}
