// SPDX-License-Identifier: MIT
/* rocks.c — see store/rocks.h: the writes, and the life of a store. Not here: reads
 * (store/rocks_read.c), opening the database (store/rocks_db.c). */
#include "historyd/store/keys.h"
#include "historyd/store/rocks_state.h"
#include "historyd/store/values.h"

#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/eventfd.h>
#include <unistd.h>

void store_rocks_keep_error(struct store_rocks *s, const char *error_message)
{
	pthread_mutex_lock(&s->error_lock);
	snprintf(s->error_message, sizeof s->error_message, "%s", error_message);
	pthread_mutex_unlock(&s->error_lock);
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
	char *error_message = NULL;
	if (s->rocks.db && !s->is_failed) {
		rocksdb_write(s->rocks.db, s->with_sync, s->batch, &error_message);
		s->is_failed = error_message != NULL;
	}
	rocksdb_writebatch_clear(s->batch);
	if (error_message)
		store_rocks_keep_error(s, error_message);
	rocksdb_free(error_message);
	bool is_committed = s->rocks.db && !s->is_failed;
	if (is_committed && !rocks_mark(&s->rocks))
		store_rocks_keep_error(s, "the mark beside the data cannot be written");
	s->commits += is_committed;
	s->commit_failures += !is_committed;
	return is_committed ? ERR_OK : ERR_UNAVAILABLE;
}

/* ---- the shell's side ---- */

static const struct store operations = {
	.room = store_rocks_read_room,
	.facts = store_rocks_read_facts,
	.cid = store_rocks_read_cid,
	.chats = store_rocks_read_chats,
	.invites = store_rocks_read_invites,
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
	pthread_mutex_init(&s->error_lock, NULL);
	s->unread_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(s->unread_fd >= 0);
	s->with_sync = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(s->with_sync, 1);
	s->batch = rocksdb_writebatch_create();
	return s;
}

int store_rocks_unread_fd(const struct store_rocks *s)
{
	return s->unread_fd;
}

bool store_rocks_unread(struct store_rocks *s)
{
	eventfd_t count;
	return eventfd_read(s->unread_fd, &count) == 0;
}

const char *store_rocks_cluster(const struct store_rocks *s)
{
	return s->rocks.cluster;
}

void store_rocks_close(struct store_rocks *s)
{
	if (!s)
		return;
	rocks_close(&s->rocks);
	rocksdb_writebatch_destroy(s->batch);
	rocksdb_writeoptions_destroy(s->with_sync);
	pthread_rwlock_destroy(&s->open_lock);
	pthread_mutex_destroy(&s->error_lock);
	close(s->unread_fd);
	buf_free(&s->packed);
	buf_free(&s->room_space);
	mem_free(s);
}

struct store *store_rocks_store(struct store_rocks *s)
{
	return &s->store;
}

bool store_rocks_has_capacity(const struct store_rocks *s)
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

void store_rocks_last_error(struct store_rocks *s, char *text, size_t text_len)
{
	pthread_mutex_lock(&s->error_lock);
	snprintf(text, text_len, "%s", s->error_message);
	pthread_mutex_unlock(&s->error_lock);
}
