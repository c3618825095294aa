// SPDX-License-Identifier: MIT
/* store_rocks.c — see store_rocks.h. Reads and writes over an open database; opening it is
 * rocks.c's. */
#include "historyd/store_rocks.h"
#include "historyd/keys.h"
#include "historyd/store_rocks_db.h"
#include "historyd/values.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/statvfs.h>

/* The value of one point look-up: a room's record is the largest. */
struct point_value {
	size_t len; /* 0: there is none */
	char bytes[16 + 4 * (3 + USER_MAX) + 3 + EPOCHS_MAX * EPOCH_BYTES];
};

struct store_rocks {
	struct store store;
	struct store_rocks_options options;
	struct rocks rocks;

	/* Held by whoever reads; taken by the writing thread while it closes and opens the
	 * database. */
	pthread_rwlock_t open_lock;

	/* The writing thread's own. */
	rocksdb_writeoptions_t *with_sync;
	rocksdb_writebatch_t *batch;
	struct buf packed;
	struct buf room_space; /* what the last room() points to */
	bool is_failed;
	uint64_t commits, commit_failures, reopens;

	atomic_uint_fast64_t read_failures;
	pthread_mutex_t complaint_lock;
	char complaint[512];
};

/* ---- reading ---- */

static void keep_complaint(struct store_rocks *s, const char *complaint)
{
	pthread_mutex_lock(&s->complaint_lock);
	snprintf(s->complaint, sizeof s->complaint, "%s", complaint);
	pthread_mutex_unlock(&s->complaint_lock);
}

static enum err read_failed(struct store_rocks *s, const char *complaint)
{
	keep_complaint(s, complaint);
	atomic_fetch_add(&s->read_failures, 1);
	return ERR_UNAVAILABLE;
}

static enum err value_is_bent(struct store_rocks *s)
{
	return read_failed(s, "a stored value is not in our format");
}

/* NULL: nothing went wrong. Otherwise takes the complaint. */
static enum err read_result(struct store_rocks *s, char *complaint)
{
	enum err result = complaint ? read_failed(s, complaint) : ERR_OK;
	rocksdb_free(complaint);
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
		return value_is_bent(s);
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
	char *complaint = NULL;
	rocksdb_pinnableslice_t *value = rocks_get(&s->rocks, family, key_view(key), &complaint);
	enum err result = read_result(s, complaint);
	if (value) {
		result = copy_value(s, value, out);
		rocksdb_pinnableslice_destroy(value);
	}
	pthread_rwlock_unlock(&s->open_lock);
	return result;
}

static enum err read_cid(void *impl, struct str room, struct str user, struct str cid,
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
		return value_is_bent(impl);
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

static enum err read_chats(void *impl, struct str room, uint64_t after, uint64_t before,
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
	return is_whole ? result : value_is_bent(s);
}

static enum err read_invites(void *impl, struct str user2, store_invite_fn *fn, void *ctx)
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
	return is_whole ? result : value_is_bent(s);
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

static enum err read_facts(void *impl, struct str room, struct buf *space, struct store_room *out)
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
	return value_read_room(buf_view(space), out) ? ERR_OK : value_is_bent(impl);
}

static enum err read_room(void *impl, struct str room, struct store_room *out)
{
	struct store_rocks *s = impl;
	enum err e = read_facts(s, room, &s->room_space, out);
	if (e == ERR_OK)
		e = read_chats(s, room, 0, 0, true, take_newest, out);
	if (e == ERR_OK && out->seq < seq_floor(s))
		out->seq = seq_floor(s);
	if (e == ERR_OK && out->restores < s->rocks.restores)
		out->seq += (s->rocks.restores - out->restores) * SEQS_OF_A_RESTORE;
	return e;
}

/* ---- writing ---- */

/* Puts what `packed` holds. While the database is closed nothing is gathered, and the commit will
 * say so. */
static void put_packed(struct store_rocks *s, enum family family, const struct key *key)
{
	if (s->rocks.db)
		rocksdb_writebatch_put_cf(s->batch, s->rocks.families[family], key->bytes, key->len,
					  s->packed.ptr, s->packed.len);
	buf_reset(&s->packed);
}

static void put_chat(void *impl, struct str room, const struct rec_chat *chat)
{
	struct store_rocks *s = impl;
	struct key key;
	key_chat(&key, room, chat->seq);
	bus_pack_chat(&s->packed, chat);
	put_packed(s, FAMILY_MESSAGES, &key);
	key_cid(&key, room, chat->user, chat->cid);
	value_pack_cid(&s->packed, chat->seq, chat->time);
	put_packed(s, FAMILY_CIDS, &key);
}

static void put_room(void *impl, struct str room, const struct store_room *facts)
{
	struct store_rocks *s = impl;
	struct key key;
	key_room(&key, room);
	value_pack_room(&s->packed, facts);
	put_packed(s, FAMILY_ROOMS, &key);
}

static void put_invite(void *impl, struct str user2, const struct rec_invitation *invitation)
{
	struct store_rocks *s = impl;
	struct key key;
	key_invite(&key, user2, invitation->room);
	bus_pack_invitation(&s->packed, invitation);
	put_packed(s, FAMILY_INVITES, &key);
}

static void drop_invite(void *impl, struct str user2, struct str room)
{
	struct store_rocks *s = impl;
	struct key key;
	key_invite(&key, user2, room);
	if (s->rocks.db)
		rocksdb_writebatch_delete_cf(s->batch, s->rocks.families[FAMILY_INVITES], key.bytes,
					     key.len);
}

static enum err commit(void *impl)
{
	struct store_rocks *s = impl;
	char *complaint = NULL;
	if (s->rocks.db && !s->is_failed) {
		rocksdb_write(s->rocks.db, s->with_sync, s->batch, &complaint);
		s->is_failed = complaint != NULL;
	}
	rocksdb_writebatch_clear(s->batch);
	if (complaint)
		keep_complaint(s, complaint);
	rocksdb_free(complaint);
	bool is_committed = s->rocks.db && !s->is_failed;
	if (is_committed && !rocks_mark(&s->rocks))
		keep_complaint(s, "the mark beside the data cannot be written");
	s->commits += is_committed;
	s->commit_failures += !is_committed;
	return is_committed ? ERR_OK : ERR_UNAVAILABLE;
}

/* ---- the shell's side ---- */

static const struct store operations = {
	.room = read_room,
	.facts = read_facts,
	.cid = read_cid,
	.chats = read_chats,
	.invites = read_invites,
	.put_chat = put_chat,
	.put_room = put_room,
	.put_invite = put_invite,
	.drop_invite = drop_invite,
	.commit = commit,
};

struct store_rocks *store_rocks_open(const struct store_rocks_options *o, char *error,
				     size_t error_len)
{
	struct rocks rocks;
	if (!rocks_open(&rocks, o, true, error, error_len))
		return NULL;
	struct store_rocks *s = mem_alloc(sizeof *s);
	s->store = operations;
	s->store.impl = s;
	s->options = *o;
	s->rocks = rocks;
	pthread_rwlock_init(&s->open_lock, NULL);
	pthread_mutex_init(&s->complaint_lock, NULL);
	s->with_sync = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(s->with_sync, 1);
	s->batch = rocksdb_writebatch_create();
	return s;
}

void store_rocks_close(struct store_rocks *s)
{
	if (!s)
		return;
	rocks_close(&s->rocks);
	rocksdb_writebatch_destroy(s->batch);
	rocksdb_writeoptions_destroy(s->with_sync);
	pthread_rwlock_destroy(&s->open_lock);
	pthread_mutex_destroy(&s->complaint_lock);
	buf_free(&s->packed);
	buf_free(&s->room_space);
	mem_free(s);
}

struct store *store_rocks_store(struct store_rocks *s)
{
	return &s->store;
}

bool store_rocks_has_room(const struct store_rocks *s)
{
	struct statvfs fs;
	return statvfs(s->options.data_dir, &fs) == 0 &&
	       (uint64_t)fs.f_bavail * fs.f_frsize >= s->options.min_free_bytes;
}

bool store_rocks_failed(const struct store_rocks *s)
{
	return s->is_failed || !s->rocks.db;
}

enum err store_rocks_reopen(struct store_rocks *s, char *error, size_t error_len)
{
	pthread_rwlock_wrlock(&s->open_lock);
	rocks_close(&s->rocks);
	bool is_open = rocks_open(&s->rocks, &s->options, false, error, error_len);
	pthread_rwlock_unlock(&s->open_lock);
	rocksdb_writebatch_clear(s->batch);
	s->is_failed = !is_open;
	s->reopens += is_open;
	return is_open ? ERR_OK : ERR_UNAVAILABLE;
}

enum err store_rocks_checkpoint(struct store_rocks *s, const char *dir, char *error,
				size_t error_len)
{
	return rocks_checkpoint(&s->rocks, dir, error, error_len) ? ERR_OK : ERR_UNAVAILABLE;
}

void store_rocks_stats(const struct store_rocks *s, struct store_rocks_stats *stats)
{
	*stats = (struct store_rocks_stats){
		.commits = s->commits,
		.commit_failures = s->commit_failures,
		.read_failures = atomic_load(&s->read_failures),
		.reopens = s->reopens,
		.losses = s->rocks.losses,
		.restores = s->rocks.restores,
		.was_cut = s->rocks.was_cut,
	};
}

void store_rocks_complaint(struct store_rocks *s, char *text, size_t text_len)
{
	pthread_mutex_lock(&s->complaint_lock);
	snprintf(text, text_len, "%s", s->complaint);
	pthread_mutex_unlock(&s->complaint_lock);
}
