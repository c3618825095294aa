// SPDX-License-Identifier: MIT
/* keys.h — the bytes under which everything is kept. They are the on-disk format:
 * tests/unit/test_keys.c pins them, and a change needs a new format version (store/rocks_db.h).
 *
 *   room record   P(room)  room
 *   message       P(room)  room  seq
 *   cid           P(room)  room  user  cid
 *   inbox         P(user2) user2
 *   invitation    P(user2) user2 room
 *
 * P(name) is 8 bytes of the name's hash: 2 of partition (hash mod 4096) and its 6 highest. So a
 * partition is one range of keys that can be moved, and 8 bytes are enough for a bloom filter of
 * rooms. Two names may share these 8 bytes; the name that follows tells them apart. Texts carry
 * their length in 2 bytes before them, seq is 8 bytes; all numbers are big-endian, so the order of
 * the bytes is the order of the messages.
 *
 * Not here: values (values.h). Next: store/rocks.h. */
#ifndef PARLOR_HISTORYD_STORE_KEYS_H
#define PARLOR_HISTORYD_STORE_KEYS_H

#include "proto/bus.h"

enum {
	PARTITIONS = 4096,
	STORE_PARTITION_BYTES = 2,
	STORE_PREFIX_BYTES = 8,
	STORE_KEY_MAX = STORE_PREFIX_BYTES + (2 + ROOM_MAX) + (2 + USER_MAX) + (2 + CID_MAX),
};

/* Small enough for the stack, so that any thread can make one. */
struct key {
	size_t len;
	char bytes[STORE_KEY_MAX];
};

static inline struct str key_view(const struct key *k)
{
	return str_of(k->bytes, k->len);
}

/* Names longer than the bus lets through are our own mistake: CHECK. */
void key_room(struct key *k, struct str room);
void key_chat(struct key *k, struct str room, uint64_t seq);
void key_cid(struct key *k, struct str room, struct str user, struct str cid);
void key_inbox(struct key *k, struct str user2);
void key_invite(struct key *k, struct str user2, struct str room);

/* The seq of a message's key; false when the key is not one of this room. `room` is made by
 * key_room. */
NODISCARD
bool key_chat_seq(struct str bytes, const struct key *room, uint64_t *seq);

/* False when the key is not in this inbox. `inbox` is made by key_inbox. */
NODISCARD
bool key_is_in_inbox(struct str bytes, const struct key *inbox);

#endif
