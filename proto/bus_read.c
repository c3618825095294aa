// SPDX-License-Identifier: MIT
/* bus_read.c — the decoders that the compiler makes of bus.def, over the cursor of msgpack_in.h.
 * What is bad in one place makes the rest of the message bad. */
#include "proto/bus.h"

/* What stands behind a msgpack tag: `bytes` of payload, or `items` to follow; false for a tag we
 * never send. */
static bool item_extent(const unsigned char *at, size_t remaining, size_t *bytes, size_t *items)
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
		if (remaining < 1 + width)
			return false;
		uint64_t n = big_endian(at + 1, width);
		*bytes = 1 + width;
		if (tag >= 0xdc)
			*items = n;
		else
			*bytes += n;
	}
	return *bytes <= remaining;
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

void bus_reader_init(struct bus_reader *r, enum service self)
{
	*r = (struct bus_reader){.self = self, .starts = mem_alloc(STARTS_MAX * sizeof *r->starts)};
}

void bus_reader_free(struct bus_reader *r)
{
	mem_free(r->starts);
	*r = (struct bus_reader){0};
}

/* ---- records, lists, events ---- */

/* Passes over what a newer sender has appended. */
static void skip_items(struct bus_reader *r, uint64_t count)
{
	for (; count && !r->in.bad; count--) {
		size_t bytes =
			bus_item_bytes(str_of(r->in.bytes.ptr + r->in.at, cursor_left(&r->in)));
		r->in.at += bytes;
		r->in.bad = bytes == 0;
	}
}

/* An array of at least `wanted` fields; *more is how many follow these. */
static void take_fields(struct bus_reader *r, uint64_t wanted, uint64_t *more)
{
	uint64_t count = cursor_array(&r->in);
	if (count < wanted)
		r->in.bad = true;
	*more = r->in.bad ? 0 : count - wanted;
}

/* How many fields a row has. */
#define COUNT_U(field) +1
#define COUNT_S(field, max) +1
#define COUNT_L(field, record, max) +1

typedef void skip_record_fn(struct bus_reader *r);

static struct list take_list(struct bus_reader *r, size_t max, skip_record_fn *skip_record)
{
	uint64_t count = cursor_array(&r->in);
	if (count > max)
		r->in.bad = true;
	if (r->in.bad)
		return (struct list){0};
	CHECK(count <= STARTS_MAX - r->start_count);
	uint32_t *starts = r->starts + r->start_count;
	r->start_count += count;
	size_t from = r->in.at;
	for (uint64_t i = 0; i < count && !r->in.bad; i++) {
		starts[i] = (uint32_t)(r->in.at - from);
		skip_record(r);
	}
	return (struct list){
		.count = (uint32_t)count,
		.packed = str_of(r->in.bytes.ptr + from, r->in.at - from),
		.starts = starts,
	};
}

#define TAKE_U(field) v->field = cursor_u64(&r->in);
#define TAKE_S(field, max) v->field = cursor_str(&r->in, (max));
#define TAKE_L(field, record, max) v->field = take_list(r, (max), skip_rec_##record);

/* Likewise from an older sender, which does not know the last fields: `count` are there, what is
 * missing is zero. Its own code, so that the usual case looks at the count once. */
#define TAKE_IF_U(field) v->field = count ? count--, cursor_u64(&r->in) : 0;
#define TAKE_IF_S(field, max) \
	v->field = count ? count--, cursor_str(&r->in, (max)) : (struct str){0};
#define TAKE_IF_L(field, record, max) \
	v->field = count ? count--, take_list(r, (max), skip_rec_##record) : (struct list){0};

#define R(name)                                                                                   \
	static void take_old_rec_##name(struct bus_reader *r, uint64_t count,                     \
					struct rec_##name *v)                                     \
	{                                                                                         \
		RECORD_##name(TAKE_IF_U, TAKE_IF_S, TAKE_IF_L)                                    \
	}                                                                                         \
	static void take_rec_##name(struct bus_reader *r, struct rec_##name *v)                   \
	{                                                                                         \
		const uint64_t known = 0 RECORD_##name(COUNT_U, COUNT_S, COUNT_L);                \
		uint64_t count = cursor_array(&r->in);                                            \
		if (count < known) {                                                              \
			take_old_rec_##name(r, count, v);                                         \
			return;                                                                   \
		}                                                                                 \
		RECORD_##name(TAKE_U, TAKE_S, TAKE_L) skip_items(r, count - known);               \
	}                                                                                         \
	static void skip_rec_##name(struct bus_reader *r)                                         \
	{                                                                                         \
		struct rec_##name v;                                                              \
		take_rec_##name(r, &v);                                                           \
	}                                                                                         \
	struct rec_##name bus_##name##_at(const struct list *list, uint32_t index)                \
	{                                                                                         \
		CHECK(index < list->count && list->starts);                                       \
		struct bus_reader r = {.in = {.bytes = list->packed, .at = list->starts[index]}}; \
		struct rec_##name v;                                                              \
		take_rec_##name(&r, &v);                                                          \
		CHECK(!r.in.bad);                                                                 \
		return v;                                                                         \
	}
BUS_RECORDS(R)
#undef R

/* One event's lists always find room in `starts`. */
#define ROOM_U(field)
#define ROOM_S(field, max)
#define ROOM_L(field, record, max) +(max)
#define E(number, name, from, to, meaning) \
	_Static_assert(0 FIELDS_##name(ROOM_U, ROOM_S, ROOM_L) <= STARTS_MAX, #name);
BUS_EVENTS(E)
#undef E

/* The event's number has been read; `count` fields follow it. */
#define E(number, name, from, to, meaning)                                                        \
	static void take_old_ev_##name(struct bus_reader *r, uint64_t count, struct ev_##name *v) \
	{                                                                                         \
		FIELDS_##name(TAKE_IF_U, TAKE_IF_S, TAKE_IF_L)                                    \
	}                                                                                         \
	static void take_ev_##name(struct bus_reader *r, uint64_t count, struct ev_##name *v)     \
	{                                                                                         \
		const uint64_t known = 0 FIELDS_##name(COUNT_U, COUNT_S, COUNT_L);                \
		if (count < known) {                                                              \
			take_old_ev_##name(r, count, v);                                          \
			return;                                                                   \
		}                                                                                 \
		FIELDS_##name(TAKE_U, TAKE_S, TAKE_L) skip_items(r, count - known);               \
	}
BUS_EVENTS(E)
#undef E

/* What an older sender's header ends before is zero. */
static void take_since_minor_2(struct bus_reader *r, uint64_t count, struct envelope *env)
{
	env->replica = count > 0 ? cursor_u64(&r->in) : 0;
	env->roomds = count > 1 ? cursor_u64(&r->in) : 0;
	env->historyds = count > 2 ? cursor_u64(&r->in) : 0;
	env->cluster = count > 3 ? cursor_str(&r->in, CLUSTER_MAX) : (struct str){0};
	env->to = count > 4 ? cursor_u64(&r->in) : 0;
	skip_items(r, count > 5 ? count - 5 : 0);
}

bool bus_open(struct bus_reader *r, struct str message, struct envelope *env)
{
	r->in = (struct cursor){.bytes = message};
	uint64_t more;
	take_fields(r, 6, &more);
	uint64_t major = cursor_u64(&r->in);
	uint64_t minor = cursor_u64(&r->in);
	uint64_t from = cursor_u64(&r->in);
	uint64_t id = cursor_u64(&r->in);
	uint64_t epoch = cursor_u64(&r->in);
	uint64_t seq = cursor_u64(&r->in);
	struct envelope whole;
	take_since_minor_2(r, more, &whole);
	if (major != BUS_MAJOR || from < SERVICE_GATEWAY || from > SERVICE_HISTORYD)
		r->in.bad = true;
	if (r->in.bad)
		return false;
	r->from = (enum service)from;
	*env = (struct envelope){
		.minor = minor,
		.from = (enum service)from,
		.id = id,
		.epoch = epoch,
		.seq = seq,
		.replica = whole.replica,
		.roomds = whole.roomds,
		.historyds = whole.historyds,
		.cluster = whole.cluster,
		.to = whole.to,
	};
	return true;
}

/* Whether a row's `from` and `to` let the sender say it to whoever reads. */
static inline bool may_be_said(const struct bus_reader *r, enum service from, enum service to)
{
	return r->self == SERVICE_ANY ||
	       ((to == SERVICE_ANY || to == r->self) && (from == SERVICE_ANY || from == r->from));
}

bool bus_next(struct bus_reader *r, struct bus_event *ev)
{
	while (!r->in.bad && r->in.at < r->in.bytes.len) {
		uint64_t fields;
		r->start_count = 0;
		take_fields(r, 1, &fields);
		uint64_t number = cursor_u64(&r->in);
		if (r->in.bad)
			return false;
		switch (number) {
#define E(number, name, from, to, meaning)                         \
	case (number):                                             \
		if (!may_be_said(r, SERVICE_##from, SERVICE_##to)) \
			break;                                     \
		ev->type = EV_##name;                              \
		take_ev_##name(r, fields, &ev->as.name);           \
		return !r->in.bad;
			BUS_EVENTS(E)
#undef E
		default: /* a newer sender's event */
			break;
		}
		skip_items(r, fields);
		r->unknown += !r->in.bad;
	}
	return false;
}
