// SPDX-License-Identifier: MIT
/* bus_read.c — the decoders that the compiler makes of bus.def. The msgpack is msgpack-c's; before
 * it may unpack, bus_item_bytes() has walked the bytes once and refused every count that the
 * message cannot hold, because msgpack-c allocates by the count that it reads. */
#include "proto/bus.h"

#include <msgpack.h>

static uint64_t big_endian(const unsigned char *at, size_t len)
{
	uint64_t n = 0;
	for (size_t i = 0; i < len; i++)
		n = n << 8 | at[i];
	return n;
}

/* What stands behind a msgpack tag: `bytes` of payload, or `items` to follow; false for a tag we
 * never send. */
static bool item_extent(const unsigned char *at, size_t left, size_t *bytes, size_t *items)
{
	unsigned char tag = at[0];
	size_t width = 0; /* of the length that follows the tag */
	*items = 0;
	if (tag <= 0x7f || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3) {
		*bytes = 1;
	} else if (tag >= 0x90 && tag <= 0x9f) {
		*bytes = 1;
		*items = tag & 0x0fu;
	} else if (tag >= 0xa0 && tag <= 0xbf) {
		*bytes = 1u + (tag & 0x1fu);
	} else if (tag >= 0xcc && tag <= 0xd3) { /* integers of 1, 2, 4, 8 bytes */
		*bytes = 1u + (1u << ((tag - 0xccu) & 3u));
	} else if (tag >= 0xd9 && tag <= 0xdb) {
		width = (size_t)1 << (tag - 0xd9u);
	} else if (tag == 0xdc || tag == 0xdd) {
		width = tag == 0xdc ? 2 : 4;
	} else {
		return false;
	}
	if (width) {
		if (left < 1 + width)
			return false;
		uint64_t n = big_endian(at + 1, width);
		*bytes = 1 + width;
		if (tag >= 0xdc)
			*items = n;
		else
			*bytes += n;
	}
	return *bytes <= left;
}

/* Bytes of the one msgpack item at the start of `s`, all that it contains included; 0 when it is
 * not whole or holds anything but integers, text and arrays. No recursion, nothing allocated. */
static size_t bus_item_bytes(struct str s)
{
	size_t at = 0;
	size_t wanted = 1;
	while (wanted) {
		size_t bytes;
		size_t items;
		if (at >= s.len)
			return 0;
		if (!item_extent((const unsigned char *)s.ptr + at, s.len - at, &bytes, &items))
			return 0;
		at += bytes;
		if (items > s.len - at)
			return 0;
		wanted += items - 1;
	}
	return at;
}

void bus_reader_init(struct bus_reader *r)
{
	*r = (struct bus_reader){.zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE)};
	CHECK(r->zone != NULL);
}

void bus_reader_free(struct bus_reader *r)
{
	msgpack_zone_free(r->zone);
	*r = (struct bus_reader){0};
}

/* The next array of the message, or NULL at its end or in garbage. */
static const msgpack_object_array *next_array(struct bus_reader *r, msgpack_object *item)
{
	struct str rest = str_of(r->message.ptr + r->at, r->message.len - r->at);
	if (rest.len == 0)
		return NULL;
	size_t bytes = bus_item_bytes(rest);
	size_t off = 0;
	msgpack_zone_clear(r->zone);
	if (!bytes ||
	    msgpack_unpack(rest.ptr, bytes, &off, r->zone, item) != MSGPACK_UNPACK_SUCCESS ||
	    item->type != MSGPACK_OBJECT_ARRAY || item->via.array.size == 0) {
		r->bad = true;
		return NULL;
	}
	r->at += bytes;
	return &item->via.array;
}

bool bus_open(struct bus_reader *r, struct str message, struct envelope *env)
{
	r->message = message;
	r->at = 0;
	r->bad = false;
	msgpack_object item;
	const msgpack_object_array *header = next_array(r, &item);
	r->bad = true;
	if (!header || header->size < 6)
		return false;
	for (uint32_t i = 0; i < 6; i++)
		if (header->ptr[i].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return false;
	uint64_t from = header->ptr[2].via.u64;
	if (header->ptr[0].via.u64 != BUS_MAJOR || from < SERVICE_GATEWAY ||
	    from > SERVICE_HISTORYD)
		return false;
	*env = (struct envelope){
		.minor = header->ptr[1].via.u64,
		.from = (enum service)from,
		.id = header->ptr[3].via.u64,
		.epoch = header->ptr[4].via.u64,
		.seq = header->ptr[5].via.u64,
	};
	r->bad = false;
	return true;
}

static bool take_u64(const msgpack_object *o, uint64_t *out)
{
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	*out = o->via.u64;
	return true;
}

static bool take_str(const msgpack_object *o, size_t max, struct str *out)
{
	if (o->type != MSGPACK_OBJECT_STR || o->via.str.size > max)
		return false;
	*out = str_of(o->via.str.ptr, o->via.str.size);
	return true;
}

/* How many fields a row has. */
#define COUNT_U(field) +1
#define COUNT_S(field, max) +1
#define COUNT_L(field, record, max) +1

typedef bool record_fn(const msgpack_object *o);

static bool take_list(const msgpack_object *o, size_t max, record_fn *is_record, struct list *out)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > max)
		return false;
	for (uint32_t i = 0; i < o->via.array.size; i++)
		if (!is_record(&o->via.array.ptr[i]))
			return false;
	*out = (struct list){.count = o->via.array.size, .items = o->via.array.ptr};
	return true;
}

#define TAKE_U(field) &&take_u64(f++, &v->field)
#define TAKE_S(field, max) &&take_str(f++, (max), &v->field)
#define TAKE_L(field, record, max) &&take_list(f++, (max), is_rec_##record, &v->field)

#define R(name)                                                                          \
	static bool take_rec_##name(const msgpack_object *o, struct rec_##name *v)       \
	{                                                                                \
		const uint32_t wanted = 0 RECORD_##name(COUNT_U, COUNT_S, COUNT_L);      \
		if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size < wanted)       \
			return false;                                                    \
		const msgpack_object *f = o->via.array.ptr;                              \
		return true RECORD_##name(TAKE_U, TAKE_S, TAKE_L);                       \
	}                                                                                \
	static bool is_rec_##name(const msgpack_object *o)                               \
	{                                                                                \
		struct rec_##name v;                                                     \
		return take_rec_##name(o, &v);                                           \
	}                                                                                \
	struct rec_##name bus_##name##_at(const struct list *list, uint32_t index)       \
	{                                                                                \
		CHECK(index < list->count && list->items);                               \
		struct rec_##name v;                                                     \
		CHECK(take_rec_##name((const msgpack_object *)list->items + index, &v)); \
		return v;                                                                \
	}
BUS_RECORDS(R)
#undef R

#define E(number, name, from, to, meaning)                                                       \
	static bool take_ev_##name(const msgpack_object *f, uint32_t count, struct ev_##name *v) \
	{                                                                                        \
		const uint32_t wanted = 0 FIELDS_##name(COUNT_U, COUNT_S, COUNT_L);              \
		return count >= wanted FIELDS_##name(TAKE_U, TAKE_S, TAKE_L);                    \
	}
BUS_EVENTS(E)
#undef E

bool bus_next(struct bus_reader *r, struct bus_event *ev)
{
	msgpack_object item;
	const msgpack_object_array *array;
	while ((array = next_array(r, &item)) != NULL) {
		uint64_t number;
		if (!take_u64(&array->ptr[0], &number)) {
			r->bad = true;
			return false;
		}
		bool taken = false;
		switch (number) {
#define E(number, name, from, to, meaning)                                             \
	case (number):                                                                 \
		ev->type = EV_##name;                                                  \
		taken = take_ev_##name(array->ptr + 1, array->size - 1, &ev->as.name); \
		break;
			BUS_EVENTS(E)
#undef E
		default: /* a newer sender's event */
			r->unknown++;
			continue;
		}
		r->bad = !taken;
		return taken;
	}
	return false;
}
