// SPDX-License-Identifier: MIT
/* bus_write.c — the encoders that the compiler makes of bus.def, and batches of what they write.
 * The msgpack is msgpack-c's. */
#include "proto/bus.h"
#include "proto/msgpack_out.h"

static void pack_list(msgpack_packer *p, const struct list *list)
{
	msgpack_pack_array(p, list->count);
	pack_append(p->data, list->packed.ptr, list->packed.len);
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

#define R(name)                                                                \
	void bus_pack_##name(struct buf *b, const struct rec_##name *v)        \
	{                                                                      \
		msgpack_packer p;                                              \
		pack_begin(&p, b, 0 RECORD_##name(COUNT_U, COUNT_S, COUNT_L)); \
		RECORD_##name(PACK_U, PACK_S, PACK_L)                          \
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

#define E(number, name, from, to, meaning)                                             \
	void bus_put_##name(struct batch *b, const struct ev_##name *v)                \
	{                                                                              \
		batch_count(b);                                                        \
		msgpack_packer p;                                                      \
		pack_begin(&p, &b->bytes, 1 FIELDS_##name(COUNT_U, COUNT_S, COUNT_L)); \
		msgpack_pack_uint64(&p, (number));                                     \
		FIELDS_##name(PACK_U, PACK_S, PACK_L)                                  \
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
	pack_begin(&p, b, 11);
	msgpack_pack_uint64(&p, BUS_MAJOR);
	msgpack_pack_uint64(&p, BUS_MINOR);
	msgpack_pack_uint64(&p, env->from);
	msgpack_pack_uint64(&p, env->id);
	msgpack_pack_uint64(&p, env->epoch);
	msgpack_pack_uint64(&p, env->seq);
	msgpack_pack_uint64(&p, env->replica);
	msgpack_pack_uint64(&p, env->roomds);
	msgpack_pack_uint64(&p, env->historyds);
	pack_str(&p, env->cluster);
	msgpack_pack_uint64(&p, env->to);
}
