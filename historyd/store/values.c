// SPDX-License-Identifier: MIT
/* values.c — see values.h. Reading is a cursor over one flat array. After the first fault every
 * further read gives zeros; the caller looks once, at the end. */
#include "historyd/store/values.h"
#include "proto/msgpack_in.h"
#include "proto/msgpack_out.h"

/* ---- writing ---- */

static void put_big_endian(char *at, uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		at[i] = (char)(unsigned char)(n >> 8 * (7 - i));
}

static void pack_epochs(msgpack_packer *p, const struct store_room *facts)
{
	char bytes[EPOCHS_MAX * EPOCH_BYTES];
	CHECK(facts->epoch_count <= EPOCHS_MAX);
	for (uint32_t i = 0; i < facts->epoch_count; i++) {
		put_big_endian(bytes + (size_t)i * EPOCH_BYTES, facts->epochs[i].epoch);
		put_big_endian(bytes + (size_t)i * EPOCH_BYTES + 8, facts->epochs[i].first);
	}
	pack_str(p, str_of(bytes, (size_t)facts->epoch_count * EPOCH_BYTES));
}

void value_pack_room(struct buf *b, const struct store_room *facts)
{
	msgpack_packer p;
	pack_begin(&p, b, 7);
	pack_str(&p, facts->owner);
	pack_str(&p, facts->guest);
	pack_str(&p, facts->authors[0]);
	pack_str(&p, facts->authors[1]);
	msgpack_pack_uint64(&p, facts->has_more_authors);
	msgpack_pack_uint64(&p, facts->restores);
	pack_epochs(&p, facts);
}

void value_pack_cid(struct buf *b, uint64_t seq, uint64_t time_ms)
{
	msgpack_packer p;
	pack_begin(&p, b, 2);
	msgpack_pack_uint64(&p, seq);
	msgpack_pack_uint64(&p, time_ms);
}

void value_pack_format(struct buf *b, const struct store_format *format)
{
	msgpack_packer p;
	pack_begin(&p, b, 7);
	msgpack_pack_uint64(&p, format->version);
	msgpack_pack_uint64(&p, format->shard);
	msgpack_pack_uint64(&p, format->shards);
	msgpack_pack_uint64(&p, format->losses);
	msgpack_pack_uint64(&p, format->has_mark);
	msgpack_pack_uint64(&p, format->restores);
	pack_str(&p, format->cluster);
}

/* ---- reading ---- */

struct value {
	struct cursor in;
	uint64_t fields; /* of the array, not yet read */
};

static struct value read_array(struct str bytes)
{
	struct value v = {.in = {.bytes = bytes}};
	v.fields = cursor_array(&v.in);
	return v;
}

static void next_field(struct value *v)
{
	if (v->fields == 0)
		v->in.bad = true;
	else
		v->fields--;
}

static uint64_t read_number(struct value *v)
{
	next_field(v);
	return cursor_u64(&v->in);
}

static struct str read_text(struct value *v, size_t max)
{
	next_field(v);
	return cursor_str(&v->in, max);
}

/* Fields that older writers do not know. */
static uint64_t read_later_number(struct value *v)
{
	return v->fields ? read_number(v) : 0;
}

static struct str read_later_text(struct value *v, size_t max)
{
	return v->fields ? read_text(v, max) : (struct str){0};
}

static void read_epochs(struct value *v, struct store_room *facts)
{
	struct cursor in = {.bytes = read_later_text(v, EPOCHS_MAX * EPOCH_BYTES)};
	v->in.bad |= in.bytes.len % EPOCH_BYTES != 0;
	facts->epoch_count = v->in.bad ? 0 : (uint32_t)(in.bytes.len / EPOCH_BYTES);
	for (uint32_t i = 0; i < facts->epoch_count; i++) {
		facts->epochs[i].epoch = cursor_big_endian(&in, 8);
		facts->epochs[i].first = cursor_big_endian(&in, 8);
	}
}

bool value_read_room(struct str value, struct store_room *facts)
{
	struct value v = read_array(value);
	facts->owner = read_text(&v, USER_MAX);
	facts->guest = read_text(&v, USER_MAX);
	facts->authors[0] = read_text(&v, USER_MAX);
	facts->authors[1] = read_text(&v, USER_MAX);
	facts->has_more_authors = read_number(&v) != 0;
	facts->restores = (uint32_t)read_later_number(&v);
	read_epochs(&v, facts);
	return !v.in.bad;
}

bool value_read_chat(struct str value, struct rec_chat *chat, bool *is_packed)
{
	struct value v = read_array(value);
	chat->seq = read_number(&v);
	chat->time = read_number(&v);
	chat->user = read_text(&v, USER_MAX);
	chat->cid = read_text(&v, CID_MAX);
	chat->body = read_text(&v, BODY_MAX);
	*is_packed = v.fields == 0 && cursor_left(&v.in) == 0;
	return !v.in.bad;
}

bool value_read_cid(struct str value, uint64_t *seq, uint64_t *time_ms)
{
	struct value v = read_array(value);
	*seq = read_number(&v);
	*time_ms = read_number(&v);
	return !v.in.bad;
}

bool value_read_invitation(struct str value, struct rec_invitation *invitation)
{
	struct value v = read_array(value);
	invitation->room = read_text(&v, ROOM_MAX);
	invitation->user = read_text(&v, USER_MAX);
	return !v.in.bad;
}

bool value_read_format(struct str value, struct store_format *format)
{
	struct value v = read_array(value);
	format->version = read_number(&v);
	format->shard = read_number(&v);
	format->shards = read_number(&v);
	format->losses = read_number(&v);
	format->has_mark = read_later_number(&v) != 0;
	format->restores = read_later_number(&v);
	format->cluster = read_later_text(&v, CLUSTER_MAX);
	return !v.in.bad;
}
