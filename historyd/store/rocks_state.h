// SPDX-License-Identifier: MIT
/* rocks_state.h — what an open store consists of, and its reads. For store/rocks.c (writes and
 * life) and store/rocks_read.c only; store/rocks.h is the face. */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_STATE_H
#define PARLOR_HISTORYD_STORE_ROCKS_STATE_H

#include "historyd/store/rocks_db.h"

#include <pthread.h>
#include <stdatomic.h>

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
	int unread_fd; /* an eventfd: readable after a read that failed */
	pthread_mutex_t error_lock;
	char error_message[512];
};

/* store/rocks.c; any thread. */
void store_rocks_keep_error(struct store_rocks *s, const char *error_message);

/* store/rocks_read.c: operations of struct store. */
enum err store_rocks_read_cid(void *impl, struct str room, struct str user, struct str cid,
			      uint64_t *seq, uint64_t *time_ms);
enum err store_rocks_read_chats(void *impl, struct str room, uint64_t after, uint64_t before,
				bool newest, store_chat_fn *fn, void *ctx);
enum err store_rocks_read_invites(void *impl, struct str user2, store_invite_fn *fn, void *ctx);
enum err store_rocks_read_facts(void *impl, struct str room, struct buf *space,
				struct store_room *out);
enum err store_rocks_read_room(void *impl, struct str room, struct store_room *out);

#endif
