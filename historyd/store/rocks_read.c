// SPDX-License-Identifier: MIT
/* rocks_read.c — the store's reads: single values, walks over messages and invitations, and
 * what a room's next seq follows from. On the reading thread, too. Not here: writes
 * (store/rocks.c), keys and values (keys.h, values.h). */
#include "historyd/store/keys.h"
#include "historyd/store/rocks_state.h"
#include "historyd/store/values.h"

#include <sys/eventfd.h>

/* The value of one point look-up: a room's record is the largest. */
struct point_value {
	size_t len; /* 0: there is none */
	char bytes[16 + 4 * (3 + USER_MAX) + 3 + EPOCHS_MAX * EPOCH_BYTES];
};

static enum err read_failed(struct store_rocks *s, const char *error_message)
{
	store_rocks_keep_error(s, error_message);
	atomic_fetch_add(&s->read_failures, 1);
	(void)eventfd_write(s->unread_fd, 1); /* it cannot be full: see store_rocks_unread */
	return ERR_UNAVAILABLE;
}

static enum err value_is_corrupt(struct store_rocks *s)
{
	return read_failed(s, "a stored value is not in our format");
}

/* NULL: nothing went wrong. Otherwise takes the error message. */
static enum err read_result(struct store_rocks *s, char *error_message)
{
	enum err result = error_message ? read_failed(s, error_message) : ERR_OK;
	rocksdb_free(error_message);
	return result;
}

/* False when the database is closed; otherwise the caller unlocks open_lock. */
static bool begin_read(struct store_rocks *s)
{
	pthread_rwlock_rdlock(&s->open_lock);
	bool is_open = s->rocks.db != NULL;
	if (!is_open)
		pthread_rwlock_unlock(&s->open_lock);
	return is_open;
}

static enum err copy_value(struct store_rocks *s, rocksdb_pinnableslice_t *value,
			   struct point_value *out)
{
	size_t len;
	const char *bytes = rocksdb_pinnableslice_value(value, &len);
	if (len == 0 || len > sizeof out->bytes)
		return value_is_corrupt(s);
	memcpy(out->bytes, bytes, len);
	out->len = len;
	return ERR_OK;
}

static enum err look_up(struct store_rocks *s, enum family family, const struct key *key,
			struct point_value *out)
{
	out->len = 0;
	if (!begin_read(s))
		return ERR_UNAVAILABLE;
	char *error_message = NULL;
	rocksdb_pinnableslice_t *value =
		rocks_get(&s->rocks, family, key_view(key), &error_message);
	enum err result = read_result(s, error_message);
	if (value) {
		result = copy_value(s, value, out);
		rocksdb_pinnableslice_destroy(value);
	}
	pthread_rwlock_unlock(&s->open_lock);
	return result;
}

enum err store_rocks_read_cid(void *impl, struct str room, struct str user, struct str cid,
			      uint64_t *seq, uint64_t *time_ms)
{
	struct key key;
	struct point_value value;
	*seq = 0;
	*time_ms = 0;
	key_cid(&key, room, user, cid);
	enum err e = look_up(impl, FAMILY_CIDS, &key, &value);
	if (e != ERR_OK || value.len == 0)
		return e;
	if (!value_read_cid(str_of(value.bytes, value.len), seq, time_ms))
		return value_is_corrupt(impl);
	return ERR_OK;
}

/* Which messages are wanted, and by whom. */
struct range {
	struct key room;
	uint64_t first, last; /* both included */
	store_chat_fn *fn;
	void *ctx;
};

/* Gives the messages from where the walk stands to the end of the range. False: one of them is
 * bent. */
static bool give_chats(struct rocks_walk *w, const struct range *range)
{
	struct str key;
	struct str value;
	for (; rocks_walk_here(w, &key, &value); rocks_walk_step(w)) {
		uint64_t seq;
		struct rec_chat chat;
		bool is_packed;
		if (!key_chat_seq(key, &range->room, &seq) || seq < range->first ||
		    seq > range->last)
			break;
		if (!value_read_chat(value, &chat, &is_packed) || chat.seq != seq)
			return false;
		if (!range->fn(range->ctx, &chat, is_packed ? value : (struct str){0}))
			break;
	}
	return true;
}

enum err store_rocks_read_chats(void *impl, struct str room, uint64_t after, uint64_t before,
				bool newest, store_chat_fn *fn, void *ctx)
{
	struct store_rocks *s = impl;
	uint64_t last = before - 1; /* before 0: all there are */
	if (after >= last)
		return ERR_OK;
	if (!begin_read(s))
		return ERR_UNAVAILABLE;
	struct range range = {.first = after + 1, .last = last, .fn = fn, .ctx = ctx};
	struct key from;
	struct rocks_walk w;
	key_room(&range.room, room);
	key_chat(&from, room, newest ? range.last : range.first);
	rocks_walk_begin(&w, &s->rocks, FAMILY_MESSAGES, key_view(&from), newest);
	bool is_whole = give_chats(&w, &range);
	enum err result = read_result(s, rocks_walk_end(&w));
	pthread_rwlock_unlock(&s->open_lock);
	return is_whole ? result : value_is_corrupt(s);
}

enum err store_rocks_read_invites(void *impl, struct str user2, store_invite_fn *fn, void *ctx)
{
	struct store_rocks *s = impl;
	if (!begin_read(s))
		return ERR_UNAVAILABLE;
	struct key inbox;
	struct rocks_walk w;
	struct str key;
	struct str value;
	bool is_whole = true;
	key_inbox(&inbox, user2);
	rocks_walk_begin(&w, &s->rocks, FAMILY_INVITES, key_view(&inbox), false);
	while (rocks_walk_here(&w, &key, &value) && key_is_in_inbox(key, &inbox)) {
		struct rec_invitation invitation;
		is_whole = value_read_invitation(value, &invitation);
		if (!is_whole || !fn(ctx, &invitation))
			break;
		rocks_walk_step(&w);
	}
	enum err result = read_result(s, rocks_walk_end(&w));
	pthread_rwlock_unlock(&s->open_lock);
	return is_whole ? result : value_is_corrupt(s);
}

static bool take_newest(void *ctx, const struct rec_chat *chat, struct str packed)
{
	(void)packed;
	struct store_room *room = ctx;
	room->seq = chat->seq;
	room->time_ms = chat->time;
	return false;
}

/* After a log was cut, the seqs that it held have been seen by clients; no room may use them a
 * second time. A log holds far fewer than 2^32 messages, and 2^53, all that a client can count,
 * leaves room for 2^21 losses. */
static uint64_t seq_floor(const struct store_rocks *s)
{
	return s->rocks.losses << 32;
}

/* A backup does not know what was written after it. Clients that say only `since` are spared a seq
 * that they have seen, as long as no more than these were given to one room. */
#define SEQS_OF_A_RESTORE (UINT64_C(1) << 20)

enum err store_rocks_read_facts(void *impl, struct str room, struct buf *space,
				struct store_room *out)
{
	struct key key;
	struct point_value value;
	*out = (struct store_room){0};
	buf_reset(space);
	key_room(&key, room);
	enum err e = look_up(impl, FAMILY_ROOMS, &key, &value);
	if (e != ERR_OK || value.len == 0)
		return e;
	buf_append(space, value.bytes, value.len);
	return value_read_room(buf_view(space), out) ? ERR_OK : value_is_corrupt(impl);
}

enum err store_rocks_read_room(void *impl, struct str room, struct store_room *out)
{
	struct store_rocks *s = impl;
	enum err e = store_rocks_read_facts(s, room, &s->room_space, out);
	if (e == ERR_OK)
		e = store_rocks_read_chats(s, room, 0, 0, true, take_newest, out);
	if (e == ERR_OK && out->seq < seq_floor(s))
		out->seq = seq_floor(s);
	if (e == ERR_OK && out->restores < s->rocks.restores)
		out->seq += (s->rocks.restores - out->restores) * SEQS_OF_A_RESTORE;
	return e;
}
