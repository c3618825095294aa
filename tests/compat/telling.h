// SPDX-License-Identifier: MIT
/* telling.h — what stands in the kept bytes: in each field a value that tells which field it is,
 * and all widths that msgpack has. keep.c writes them, the tests expect them. */
#ifndef PARLOR_TESTS_COMPAT_TELLING_H
#define PARLOR_TESTS_COMPAT_TELLING_H

#include "proto/arena.h"
#include "proto/bus.h"

#include <stdio.h>

enum {
	TELLING_RECORDS = 2,  /* in each list */
	TELLING_RECORD = 100, /* number of the first of them, as events have numbers */
	TELLING_TEXT_MAX = 400
};

static inline uint64_t telling_number(uint64_t row, unsigned field)
{
	static const unsigned shifts[] = {0, 4, 12, 24, 48};
	return row << shifts[field % ARRAY_LEN(shifts)] | (field & 1);
}

static inline struct str telling_text(struct arena *a, const char *row, uint64_t number,
				      const char *field, size_t max)
{
	char text[TELLING_TEXT_MAX];
	size_t len = (size_t)snprintf(text, sizeof text, "%s %" PRIu64 " %s", row, number, field);
	size_t wanted = strcmp(field, "body") == 0 ? 300 : strcmp(field, "user") == 0 ? 40 : len;
	CHECK(len < sizeof text && wanted < sizeof text);
	while (len < wanted)
		text[len++] = '.';
	return arena_copy(a, str_of(text, len < max ? len : max));
}

#define TELL_U(field) v.field = telling_number(row, i++);
#define TELL_S(field, max) v.field = telling_text(a, name, row, #field, (max)), i++;
#define TELL_L(field, record, max) v.field = telling_list_##record(a), i++;

#define R(record)                                                                             \
	static inline struct rec_##record telling_rec_##record(struct arena *a, uint64_t row) \
	{                                                                                     \
		static const char name[] = #record;                                           \
		struct rec_##record v;                                                        \
		unsigned i = 0;                                                               \
		RECORD_##record(TELL_U, TELL_S, TELL_L);                                      \
		(void)i, (void)a, (void)name;                                                 \
		return v;                                                                     \
	}                                                                                     \
	static inline struct list telling_list_##record(struct arena *a)                      \
	{                                                                                     \
		struct buf b = {0};                                                           \
		for (unsigned n = 0; n < TELLING_RECORDS; n++) {                              \
			struct rec_##record v = telling_rec_##record(a, TELLING_RECORD + n);  \
			bus_pack_##record(&b, &v);                                            \
		}                                                                             \
		struct str packed = arena_copy(a, buf_view(&b));                              \
		buf_free(&b);                                                                 \
		return (struct list){.count = TELLING_RECORDS, .packed = packed};             \
	}
BUS_RECORDS(R)
#undef R

static inline void telling_put(struct batch *to, struct arena *a, enum ev_type type)
{
	switch (type) {
#define E(number, event, from, to_, meaning)            \
	case (number): {                                \
		static const char name[] = #event;      \
		const uint64_t row = (number);          \
		struct ev_##event v;                    \
		unsigned i = 0;                         \
		FIELDS_##event(TELL_U, TELL_S, TELL_L); \
		(void)i, (void)name, (void)row;         \
		bus_put_##event(to, &v);                \
		break;                                  \
	}
		BUS_EVENTS(E)
#undef E
	}
}

static const struct envelope telling_self = {
	.from = SERVICE_HISTORYD, .id = 61, .epoch = 0x0123456789abcdef, .seq = 70000};

#endif
