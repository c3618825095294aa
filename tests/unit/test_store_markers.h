// SPDX-License-Identifier: MIT
/* test_store_markers.h — what tests over RocksDB write into a store, and how they find it again. */
#ifndef PARLOR_TESTS_TEST_STORE_MARKERS_H
#define PARLOR_TESTS_TEST_STORE_MARKERS_H

#include "tests/unit/test_store_dir.h"

static inline void put(struct store *store, const char *room, uint64_t seq, const char *cid)
{
	const struct rec_chat chat = {seq, 1000 + seq, STR("ann"), str_from(cid), str_from(cid)};
	store->put_chat(store->impl, str_from(room), &chat);
}

static inline bool count_chat(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	uint64_t *count = ctx;
	(*count)++;
	assert_true(chat->seq == *count);
	return true;
}

static inline uint64_t count_chats(struct store *store, const char *room)
{
	uint64_t count = 0;
	assert_int_equal(store->chats(store->impl, str_from(room), 0, 0, false, count_chat, &count),
			 ERR_OK);
	return count;
}

/* `count` messages in "main", a commit each; the body and cid of message n is "marker-n". */
static inline void write_markers(struct store *store, uint64_t count)
{
	for (uint64_t seq = 1; seq <= count; seq++) {
		char cid[32];
		snprintf(cid, sizeof cid, "marker-%u", (unsigned)seq);
		put(store, "main", seq, cid);
		assert_int_equal(store->commit(store->impl), ERR_OK);
	}
}

static inline uint64_t room_seq(struct store *store, const char *room)
{
	struct store_room facts;
	assert_int_equal(store->room(store->impl, str_from(room), &facts), ERR_OK);
	return facts.seq;
}

static inline uint64_t cid_seq(struct store *store, const char *cid)
{
	uint64_t seq;
	uint64_t time_ms;
	assert_int_equal(
		store->cid(store->impl, STR("main"), STR("ann"), str_from(cid), &seq, &time_ms),
		ERR_OK);
	return seq;
}

static inline bool ignore_chat(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	(void)ctx;
	(void)chat;
	return true;
}

static inline bool ignore_invitation(void *ctx, const struct rec_invitation *invitation)
{
	(void)ctx;
	(void)invitation;
	return true;
}

#endif
