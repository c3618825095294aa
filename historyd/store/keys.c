// SPDX-License-Identifier: MIT
/* keys.c — see keys.h. */
#include "historyd/store/keys.h"
#include "proto/table.h"

/* Part of the on-disk format, and not one of the seeds by which names are spread over shards: the
 * rooms of one shard are to fill all partitions. */
static const uint64_t key_seed = 0x5061726c6f724b31;

static void append_number(struct key *k, uint64_t n, size_t bytes)
{
	CHECK(bytes <= sizeof k->bytes - k->len);
	for (size_t i = 0; i < bytes; i++)
		k->bytes[k->len + i] = (char)(unsigned char)(n >> 8 * (bytes - 1 - i));
	k->len += bytes;
}

static void append_text(struct key *k, struct str s, size_t max)
{
	CHECK(s.len <= max);
	append_number(k, s.len, 2);
	CHECK(s.len <= sizeof k->bytes - k->len);
	if (s.len)
		memcpy(k->bytes + k->len, s.ptr, s.len);
	k->len += s.len;
}

static void begin(struct key *k, struct str name, size_t max)
{
	uint64_t hash = hash_bytes(name, key_seed);
	k->len = 0;
	append_number(k, hash % PARTITIONS, 2);
	append_number(k, hash >> 16, 6);
	CHECK(k->len == STORE_PREFIX_BYTES);
	append_text(k, name, max);
}

void key_room(struct key *k, struct str room)
{
	begin(k, room, ROOM_MAX);
}

void key_chat(struct key *k, struct str room, uint64_t seq)
{
	key_room(k, room);
	append_number(k, seq, 8);
}

void key_cid(struct key *k, struct str room, struct str user, struct str cid)
{
	key_room(k, room);
	append_text(k, user, USER_MAX);
	append_text(k, cid, CID_MAX);
}

void key_inbox(struct key *k, struct str user2)
{
	begin(k, user2, USER_MAX);
}

void key_invite(struct key *k, struct str user2, struct str room)
{
	key_inbox(k, user2);
	append_text(k, room, ROOM_MAX);
}

static bool begins_with(struct str bytes, const struct key *start)
{
	return bytes.len >= start->len && memcmp(bytes.ptr, start->bytes, start->len) == 0;
}

bool key_chat_seq(struct str bytes, const struct key *room, uint64_t *seq)
{
	if (bytes.len != room->len + 8 || !begins_with(bytes, room))
		return false;
	*seq = 0;
	for (size_t i = 0; i < 8; i++)
		*seq = *seq << 8 | (unsigned char)bytes.ptr[room->len + i];
	return true;
}

bool key_is_in_inbox(struct str bytes, const struct key *inbox)
{
	return begins_with(bytes, inbox);
}
