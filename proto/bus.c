// SPDX-License-Identifier: MIT
/* bus.c — what the compiler makes of bus.def: encoders, decoders, JSON. The msgpack is msgpack-c's.
 * Before it may unpack, bus_item_bytes() has walked the bytes once and refused every count that the
 * message cannot hold, because msgpack-c allocates by the count that it reads. */
#include "proto/bus.h"
#include "proto/json_out.h"

#include <msgpack.h>

static const char *const codes[] = {
#define E(symbol, code, text) code,
	PARLOR_ERRORS(E)
#undef E
};
static const char *const texts[] = {
#define E(symbol, code, text) text,
	PARLOR_ERRORS(E)
#undef E
};

const char *err_code(enum err e)
{
	return codes[e];
}

const char *err_text(enum err e)
{
	return texts[e];
}

enum err err_from_wire(uint64_t number)
{
	return number < ARRAY_LEN(codes) ? (enum err)number : ERR_INTERNAL;
}

const char *service_name(enum service s)
{
	static const char *const names[] = {"any", "gateway", "roomd", "historyd"};
	return names[s];
}

/* ---- writing ---- */

static int append(void *b, const char *bytes, size_t len)
{
	buf_append(b, bytes, len);
	return 0;
}

static void pack_str(msgpack_packer *p, struct str s)
{
	msgpack_pack_str(p, s.len);
	msgpack_pack_str_body(p, s.ptr, s.len);
}

static void pack_list(msgpack_packer *p, const struct list *list)
{
	msgpack_pack_array(p, list->count);
	if (!list->items) {
		append(p->data, list->packed.ptr, list->packed.len);
		return;
	}
	const msgpack_object *items = list->items;
	for (uint32_t i = 0; i < list->count; i++)
		msgpack_pack_object(p, items[i]);
}

#define COUNT_U(field) +1
#define COUNT_S(field, max) +1
#define COUNT_L(field, record, max) +1
#define PACK_U(field) msgpack_pack_uint64(&p, v->field);
#define PACK_S(field, max)            \
	CHECK(v->field.len <= (max)); \
	pack_str(&p, v->field);
#define PACK_L(field, record, max)      \
	CHECK(v->field.count <= (max)); \
	pack_list(&p, &v->field);

#define R(name)                                                                     \
	void bus_pack_##name(struct buf *b, const struct rec_##name *v)             \
	{                                                                           \
		msgpack_packer p;                                                   \
		msgpack_packer_init(&p, b, append);                                 \
		msgpack_pack_array(&p, 0 RECORD_##name(COUNT_U, COUNT_S, COUNT_L)); \
		RECORD_##name(PACK_U, PACK_S, PACK_L)                               \
	}
BUS_RECORDS(R)
#undef R

static void batch_count(struct batch *b)
{
	size_t start = b->cut_count ? b->cuts[b->cut_count - 1] : 0;
	if (b->bytes.len - start >= BATCH_CUT_BYTES) {
		if (b->cut_count == b->cut_cap) {
			b->cut_cap = b->cut_cap ? b->cut_cap * 2 : 8;
			b->cuts = mem_resize(b->cuts, b->cut_cap * sizeof *b->cuts);
		}
		b->cuts[b->cut_count++] = b->bytes.len;
	}
	b->count++;
}

#define E(number, name, from, to, meaning)                                          \
	void bus_put_##name(struct batch *b, const struct ev_##name *v)             \
	{                                                                           \
		batch_count(b);                                                     \
		msgpack_packer p;                                                   \
		msgpack_packer_init(&p, &b->bytes, append);                         \
		msgpack_pack_array(&p, 1 FIELDS_##name(COUNT_U, COUNT_S, COUNT_L)); \
		msgpack_pack_uint64(&p, (number));                                  \
		FIELDS_##name(PACK_U, PACK_S, PACK_L)                               \
	}
BUS_EVENTS(E)
#undef E

void bus_put(struct batch *b, const struct bus_event *ev)
{
	switch (ev->type) {
#define E(number, name, from, to, meaning)       \
	case EV_##name:                          \
		bus_put_##name(b, &ev->as.name); \
		break;
		BUS_EVENTS(E)
#undef E
	}
}

void batch_reset(struct batch *b)
{
	buf_reset(&b->bytes);
	b->count = 0;
	b->cut_count = 0;
}

void batch_free(struct batch *b)
{
	buf_free(&b->bytes);
	mem_free(b->cuts);
	*b = (struct batch){0};
}

bool batch_piece(const struct batch *b, size_t n, struct str *piece)
{
	if (b->count == 0 || n > b->cut_count)
		return false;
	size_t start = n ? b->cuts[n - 1] : 0;
	size_t end = n < b->cut_count ? b->cuts[n] : b->bytes.len;
	*piece = str_of(b->bytes.ptr + start, end - start);
	return true;
}

void bus_put_header(struct buf *b, const struct envelope *env)
{
	msgpack_packer p;
	msgpack_packer_init(&p, b, append);
	msgpack_pack_array(&p, 6);
	msgpack_pack_uint64(&p, BUS_MAJOR);
	msgpack_pack_uint64(&p, BUS_MINOR);
	msgpack_pack_uint64(&p, env->from);
	msgpack_pack_uint64(&p, env->id);
	msgpack_pack_uint64(&p, env->epoch);
	msgpack_pack_uint64(&p, env->seq);
}

/* ---- reading ---- */

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

/* ---- showing ---- */

#define NAME_U(field) ", " #field
#define NAME_S(field, max) ", " #field
#define NAME_L(field, record, max) ", " #field "[]"

static const struct bus_row rows[] = {
#define E(number, name, from, to, meaning)      \
	{EV_##name,    #name,   SERVICE_##from, \
	 SERVICE_##to, meaning, &("" FIELDS_##name(NAME_U, NAME_S, NAME_L))[2]},
	BUS_EVENTS(E)
#undef E
};

const struct bus_row *bus_rows(size_t *count)
{
	*count = ARRAY_LEN(rows);
	return rows;
}

const struct bus_row *bus_row(enum ev_type type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].type == type)
			return &rows[i];
	return NULL;
}

#define JSON_U(field)                   \
	BUF_LIT(b, ",\"" #field "\":"); \
	buf_u64(b, v->field);
#define JSON_S(field, max)              \
	BUF_LIT(b, ",\"" #field "\":"); \
	json_out_str(b, v->field);
#define JSON_L(field, record, max)                                         \
	BUF_LIT(b, ",\"" #field "\":[");                                   \
	for (uint32_t i = 0; i < v->field.count; i++) {                    \
		struct rec_##record rec = bus_##record##_at(&v->field, i); \
		buf_append(b, ",", i ? 1 : 0);                             \
		json_rec_##record(b, &rec);                                \
	}                                                                  \
	BUF_LIT(b, "]");

#define R(name)                                                                \
	static void json_rec_##name(struct buf *b, const struct rec_##name *v) \
	{                                                                      \
		BUF_LIT(b, "{\"record\":\"" #name "\"");                       \
		RECORD_##name(JSON_U, JSON_S, JSON_L) BUF_LIT(b, "}");         \
	}
BUS_RECORDS(R)
#undef R

void bus_json(struct buf *b, const struct bus_event *ev)
{
	switch (ev->type) {
#define E(number, name, from, to, meaning)                   \
	case EV_##name: {                                    \
		const struct ev_##name *v = &ev->as.name;    \
		BUF_LIT(b, "\"event\":\"" #name "\"");       \
		FIELDS_##name(JSON_U, JSON_S, JSON_L) break; \
	}
		BUS_EVENTS(E)
#undef E
	}
}

#define FIND_U(field)
#define FIND_S(field, max)             \
	if (strcmp(name, #field) == 0) \
		return v->field;
#define FIND_L(field, record, max)

struct str bus_field(const struct bus_event *ev, const char *name)
{
	switch (ev->type) {
#define E(number, event, from, to, meaning)                   \
	case EV_##event: {                                    \
		const struct ev_##event *v = &ev->as.event;   \
		(void)v;                                      \
		FIELDS_##event(FIND_U, FIND_S, FIND_L) break; \
	}
		BUS_EVENTS(E)
#undef E
	}
	return (struct str){0};
}
