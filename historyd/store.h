// SPDX-License-Identifier: MIT
/* store.h — where messages are kept, as historyd's core sees it: RocksDB in service
 * (store/rocks.c), memory with faults in tests. Also the seam at which a replicated log can stand
 * one day.
 *
 * Reads see what has been committed. Writes gather in a batch until commit() makes them durable
 * together. */
#ifndef PARLOR_HISTORYD_STORE_H
#define PARLOR_HISTORYD_STORE_H

#include "proto/bus.h"

/* What is kept about a room beside its messages. */
struct store_room {
	uint64_t seq;     /* of its newest message, 0 when it has none; the next one is above it */
	uint64_t time_ms; /* of its newest message */
	struct str owner, guest; /* the two users of a private room; empty: public */
	struct str authors[2];   /* the first two who wrote; empty: nobody yet */
	bool has_more_authors;   /* a third one wrote */
	/* Starts of historyd in which messages were stored here, each with the first of these,
	 * oldest first; at most the newest EPOCHS_MAX. */
	struct rec_epoch epochs[EPOCHS_MAX];
	uint32_t epoch_count;
	uint32_t restores; /* of the store, when the newest of these was added */
};

/* One stored message or invitation; returns false to stop. The strings last until it returns.
 * `packed` is the message as bus_pack_chat writes it, or empty when the store does not have it so.
 */
typedef bool store_chat_fn(void *ctx, const struct rec_chat *chat, struct str packed);
typedef bool store_invite_fn(void *ctx, const struct rec_invitation *invitation);

struct store {
	void *impl;
	uint64_t epoch; /* of this start: historyd_open says it, pages tell it; 0: none */

	/* Reads. ERR_OK, or ERR_UNAVAILABLE when the disk refuses. May be called from any thread,
	 * except room(), whose strings last until its next call. */
	enum err (*room)(void *impl, struct str room, struct store_room *out);
	/* Likewise without seq and time; the strings point into `space`, which is the caller's. */
	enum err (*facts)(void *impl, struct str room, struct buf *space, struct store_room *out);
	enum err (*cid)(void *impl, struct str room, struct str user, struct str cid, uint64_t *seq,
			uint64_t *time_ms); /* *seq 0: not stored */
	/* Messages with after < seq < before (before 0: no bound), ascending when newest is false
	 * and descending when it is true. */
	enum err (*chats)(void *impl, struct str room, uint64_t after, uint64_t before, bool newest,
			  store_chat_fn *fn, void *ctx);
	enum err (*invites)(void *impl, struct str user2, store_invite_fn *fn, void *ctx);

	/* Writes, into the batch. One thread only. put_chat also indexes the message's cid;
	 * put_room keeps neither seq nor time, which the messages tell. */
	void (*put_chat)(void *impl, struct str room, const struct rec_chat *chat);
	void (*put_room)(void *impl, struct str room, const struct store_room *facts);
	void (*put_invite)(void *impl, struct str user2, const struct rec_invitation *invitation);
	void (*drop_invite)(void *impl, struct str user2, struct str room);

	/* One write of the whole batch, on disk (fsync) once ERR_OK comes back. On any error the
	 * batch is gone and may or may not be on disk; the caller forgets what it knew and reads
	 * again. */
	enum err (*commit)(void *impl);
};

#endif
