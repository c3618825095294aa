// SPDX-License-Identifier: MIT
/* script.c — see script.h. */
#include "tests/fuzz/script.h"

enum { SMALL_END = 128, HEARD_END = SMALL_END + SCRIPT_NUMBERS, ANY_KIND = 0x80, RECORDS_MAX = 5 };

uint8_t script_byte(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->at++;
}

uint64_t script_number(struct script *s)
{
	uint8_t n = script_byte(s);
	if (n < SMALL_END)
		return n;
	if (n >= HEARD_END)
		return n == UINT8_MAX ? UINT64_MAX : (uint64_t)1 << (n - HEARD_END);
	size_t back = (size_t)(n - SMALL_END) + 1;
	return back > s->heard_count ? 0 : s->heard[(s->heard_count - back) % SCRIPT_NUMBERS];
}

struct str script_bytes(struct script *s)
{
	size_t len = script_byte(s);
	len = len << 8 | script_byte(s);
	if (len > s->left)
		len = s->left;
	struct str bytes = str_of((const char *)s->at, len);
	s->at += len;
	s->left -= len;
	return bytes;
}

struct str script_name(struct script *s, size_t max)
{
	static const struct str names[] = {
		{"ann", 3}, {"bob", 3}, {"eve", 3}, {"main", 4},
		{"den", 3}, {"c1", 2},  {"", 0},    {"0123456789abcdef", 16},
	};
	uint8_t n = script_byte(s);
	struct str name = n == UINT8_MAX ? script_bytes(s) : names[n % ARRAY_LEN(names)];
	return str_of(name.ptr, name.len < max ? name.len : max);
}

/* ---- events ---- */

#define TAKE_U(field) rec.field = script_number(s);
#define TAKE_S(field, max) rec.field = script_name(s, max);
#define TAKE_L(field, record, max)
#define R(name)                                                                 \
	static void put_##name(struct script *s, struct buf *b)                 \
	{                                                                       \
		struct rec_##name rec;                                          \
		RECORD_##name(TAKE_U, TAKE_S, TAKE_L) bus_pack_##name(b, &rec); \
	}
BUS_RECORDS(R)
#undef R

static void take_list(struct script *s, struct buf *b, struct list *list,
		      void (*put)(struct script *s, struct buf *b))
{
	buf_reset(b);
	*list = (struct list){.count = script_byte(s) % (RECORDS_MAX + 1)};
	for (uint32_t i = 0; i < list->count; i++)
		put(s, b);
	list->packed = buf_view(b);
}

#define FILL_U(field) e->field = script_number(s);
#define FILL_S(field, max) e->field = script_name(s, max);
#define FILL_L(field, record, max)   \
	CHECK(lists < SCRIPT_LISTS); \
	take_list(s, &s->lists[lists++], &e->field, put_##record);
#define E(number, name, from, to, meaning)            \
	case EV_##name: {                             \
		struct ev_##name *e = &ev.as.name;    \
		FIELDS_##name(FILL_U, FILL_S, FILL_L) \
	} break;

static void put_event(struct script *s, enum ev_type type, struct batch *batch)
{
	size_t lists = 0;
	struct bus_event ev = {.type = type};
	switch (type) {
		BUS_EVENTS(E)
	}
	(void)lists;
	bus_put(batch, &ev);
}
#undef E

void script_event(struct script *s, enum service from, enum service to, struct batch *batch)
{
	size_t count;
	size_t fitting = 0;
	const struct bus_row *rows = bus_rows(&count);
	uint8_t kind = script_byte(s);
	if (kind >= ANY_KIND) {
		put_event(s, rows[(kind - ANY_KIND) % count].type, batch);
		return;
	}
	const struct bus_row *fits[UINT8_MAX] = {0};
	CHECK(count <= ARRAY_LEN(fits));
	for (size_t i = 0; i < count; i++)
		if ((rows[i].from == from && rows[i].to == to) || rows[i].to == SERVICE_ANY)
			fits[fitting++] = &rows[i];
	CHECK(fitting > 0);
	put_event(s, fits[kind % fitting]->type, batch);
}

/* ---- what was said ---- */

static void keep(struct script *s, uint64_t number)
{
	size_t count = s->heard_count < SCRIPT_NUMBERS ? s->heard_count : SCRIPT_NUMBERS;
	for (size_t i = 0; i < count; i++)
		if (s->heard[i] == number)
			return;
	s->heard[s->heard_count++ % SCRIPT_NUMBERS] = number;
}

#define KEEP_U(field) keep(s, e->field);
#define KEEP_S(field, max)
#define KEEP_L(field, record, max)
#define E(number, name, from, to, meaning)               \
	case EV_##name: {                                \
		const struct ev_##name *e = &ev.as.name; \
		(void)e;                                 \
		FIELDS_##name(KEEP_U, KEEP_S, KEEP_L)    \
	} break;

void script_hear(struct script *s, const struct batch *batch)
{
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	struct buf message = {0};
	if (batch->count == 0)
		return;
	bus_put_header(&message, &(struct envelope){.from = SERVICE_GATEWAY});
	buf_str(&message, buf_view(&batch->bytes));
	bus_reader_init(&reader, SERVICE_ANY);
	CHECK(bus_open(&reader, buf_view(&message), &env));
	while (bus_next(&reader, &ev))
		switch (ev.type) {
			BUS_EVENTS(E)
		}
	CHECK(!reader.in.bad);
	bus_reader_free(&reader);
	buf_free(&message);
}
#undef E

void script_free(struct script *s)
{
	for (size_t i = 0; i < SCRIPT_LISTS; i++)
		buf_free(&s->lists[i]);
}
