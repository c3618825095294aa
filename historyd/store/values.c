// SPDX-License-Identifier: MIT
/* values.c — see values.h. Reading is a cursor over one flat array and not msgpack-c's unpacker,
 * which allocates by the counts that it reads. After the first fault every further read gives
 * zeros; the caller looks once, at the end. */
#include "historyd/store/values.h"

#include <msgpack.h>

/* ---- writing ---- */

static int append(void *b, const char *bytes, size_t len)
{
	buf_append(b, bytes, len);
	return 0;
}

static void pack_array(msgpack_packer *p, struct buf *b, size_t count)
{
	msgpack_packer_init(p, b, append);
	msgpack_pack_array(p, count);
}

static void pack_text(msgpack_packer *p, struct str s)
{
	msgpack_pack_str(p, s.len);
	msgpack_pack_str_body(p, s.ptr, s.len);
}

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
	pack_text(p, str_of(bytes, (size_t)facts->epoch_count * EPOCH_BYTES));
}

void value_pack_room(struct buf *b, const struct store_room *facts)
{
	msgpack_packer p;
	pack_array(&p, b, 7);
	pack_text(&p, facts->owner);
	pack_text(&p, facts->guest);
	pack_text(&p, facts->authors[0]);
	pack_text(&p, facts->authors[1]);
	msgpack_pack_uint64(&p, facts->has_more_authors);
	msgpack_pack_uint64(&p, facts->restores);
	pack_epochs(&p, facts);
}

void value_pack_cid(struct buf *b, uint64_t seq, uint64_t time_ms)
{
	msgpack_packer p;
	pack_array(&p, b, 2);
	msgpack_pack_uint64(&p, seq);
	msgpack_pack_uint64(&p, time_ms);
}

void value_pack_format(struct buf *b, const struct store_format *format)
{
	msgpack_packer p;
	pack_array(&p, b, 7);
	msgpack_pack_uint64(&p, format->version);
	msgpack_pack_uint64(&p, format->shard);
	msgpack_pack_uint64(&p, format->shards);
	msgpack_pack_uint64(&p, format->losses);
	msgpack_pack_uint64(&p, format->has_mark);
	msgpack_pack_uint64(&p, format->restores);
	pack_text(&p, format->cluster);
}

/* ---- reading ---- */

struct cursor {
	struct str rest;
	uint32_t fields; /* of the array, not yet read */
	bool bad;
};

/* The next `len` bytes: the only way to the value's memory. NULL when there are not so many. */
static const unsigned char *take(struct cursor *c, uint64_t len)
{
	if (c->bad || len > c->rest.len) {
		c->bad = true;
		return NULL;
	}
	const char *at = c->rest.ptr;
	c->rest = str_of(at + len, c->rest.len - len);
	return (const unsigned char *)at;
}

static unsigned take_byte(struct cursor *c)
{
	const unsigned char *at = take(c, 1);
	return at ? *at : 0;
}

static uint64_t take_big_endian(struct cursor *c, size_t bytes)
{
	const unsigned char *at = take(c, bytes);
	uint64_t n = 0;
	for (size_t i = 0; at && i < bytes; i++)
		n = n << 8 | at[i];
	return n;
}

static struct cursor read_array(struct str value)
{
	struct cursor c = {.rest = value};
	unsigned tag = take_byte(&c);
	c.bad |= (tag & 0xf0) != 0x90;
	c.fields = tag & 0x0f;
	return c;
}

static void next_field(struct cursor *c)
{
	if (c->fields == 0)
		c->bad = true;
	else
		c->fields--;
}

static uint64_t read_number(struct cursor *c)
{
	next_field(c);
	unsigned tag = take_byte(c);
	if (tag <= 0x7f)
		return tag;
	if (tag >= 0xcc && tag <= 0xcf)
		return take_big_endian(c, (size_t)1 << (tag - 0xcc));
	c->bad = true;
	return 0;
}

/* A field that older writers do not know. */
static uint64_t read_later_number(struct cursor *c)
{
	return c->fields ? read_number(c) : 0;
}

static struct str read_text(struct cursor *c, size_t max)
{
	next_field(c);
	unsigned tag = take_byte(c);
	uint64_t len = tag & 0x1f;
	if (tag >= 0xd9 && tag <= 0xdb)
		len = take_big_endian(c, (size_t)1 << (tag - 0xd9));
	else if ((tag & 0xe0) != 0xa0)
		c->bad = true;
	c->bad |= len > max;
	const unsigned char *at = take(c, len);
	return at ? str_of((const char *)at, len) : (struct str){0};
}

static void read_epochs(struct cursor *c, struct store_room *facts)
{
	struct str bytes = {0};
	if (c->fields)
		bytes = read_text(c, EPOCHS_MAX * EPOCH_BYTES);
	struct cursor in = {.rest = bytes};
	c->bad |= bytes.len % EPOCH_BYTES != 0;
	facts->epoch_count = c->bad ? 0 : (uint32_t)(bytes.len / EPOCH_BYTES);
	for (uint32_t i = 0; i < facts->epoch_count; i++) {
		facts->epochs[i].epoch = take_big_endian(&in, 8);
		facts->epochs[i].first = take_big_endian(&in, 8);
	}
}

bool value_read_room(struct str value, struct store_room *facts)
{
	struct cursor c = read_array(value);
	facts->owner = read_text(&c, USER_MAX);
	facts->guest = read_text(&c, USER_MAX);
	facts->authors[0] = read_text(&c, USER_MAX);
	facts->authors[1] = read_text(&c, USER_MAX);
	facts->has_more_authors = read_number(&c) != 0;
	facts->restores = (uint32_t)read_later_number(&c);
	read_epochs(&c, facts);
	return !c.bad;
}

bool value_read_chat(struct str value, struct rec_chat *chat, bool *is_packed)
{
	struct cursor c = read_array(value);
	chat->seq = read_number(&c);
	chat->time = read_number(&c);
	chat->user = read_text(&c, USER_MAX);
	chat->cid = read_text(&c, CID_MAX);
	chat->body = read_text(&c, BODY_MAX);
	*is_packed = c.fields == 0 && c.rest.len == 0;
	return !c.bad;
}

bool value_read_cid(struct str value, uint64_t *seq, uint64_t *time_ms)
{
	struct cursor c = read_array(value);
	*seq = read_number(&c);
	*time_ms = read_number(&c);
	return !c.bad;
}

bool value_read_invitation(struct str value, struct rec_invitation *invitation)
{
	struct cursor c = read_array(value);
	invitation->room = read_text(&c, ROOM_MAX);
	invitation->user = read_text(&c, USER_MAX);
	return !c.bad;
}

static struct str read_later_text(struct cursor *c, size_t max)
{
	return c->fields ? read_text(c, max) : (struct str){0};
}

bool value_read_format(struct str value, struct store_format *format)
{
	struct cursor c = read_array(value);
	format->version = read_number(&c);
	format->shard = read_number(&c);
	format->shards = read_number(&c);
	format->losses = read_number(&c);
	format->has_mark = read_later_number(&c) != 0;
	format->restores = read_later_number(&c);
	format->cluster = read_later_text(&c, CLUSTER_MAX);
	return !c.bad;
}
