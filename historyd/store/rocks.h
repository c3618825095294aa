// SPDX-License-Identifier: MIT
/* rocks.h — a struct store over RocksDB, for the shell.
 *
 * Two threads may use one: the writing one everything, a reading one the store's cid(), chats() and
 * invites(). commit() is one write of one batch with fsync. After a commit that failed the store
 * refuses all further ones until store_rocks_reopen, because RocksDB cannot leave that state by
 * itself. Next: keys.h. */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_H
#define PARLOR_HISTORYD_STORE_ROCKS_H

#include "historyd/store.h"

struct store_rocks;

struct store_rocks_options {
	const char *data_dir; /* its parent must exist */
	/* Where RocksDB writes its info log, on another filesystem than the data, best a tmpfs.
	 * NULL: no info log, because on a full disk it would end the process. Several shards may
	 * share one directory. */
	const char *log_dir;
	uint32_t shard, shards; /* whose data this is; fixed when the directory is made */
	/* The cluster for which the directory is made if it holds nothing, or which one of 0.1.0 is
	 * given; at most CLUSTER_MAX bytes. NULL: it must have been made. */
	const char *create;
	uint64_t cache_bytes; /* for blocks that were read; 0: 256 MiB */
	uint64_t min_free_bytes;
	/* When the log is damaged: open with what stands before the damage. Acked messages are
	 * lost, see README.md. */
	bool allow_data_loss;
	/* This is an older backup, and clients have seen more: each room's next seq moves up. */
	bool is_restored;
};

/* NULL with one sentence in `error` (not terminated by a dot): locked by another process, not
 * readable, damaged, of another shard, of a newer format. The options' texts must outlive the
 * store. */
NODISCARD
struct store_rocks *store_rocks_open(const struct store_rocks_options *o, char *error,
				     size_t error_len);
void store_rocks_close(struct store_rocks *s); /* NULL is fine */

/* The cluster that the directory belongs to, or "". Lasts until store_rocks_close. */
const char *store_rocks_cluster(const struct store_rocks *s);

/* Lasts until store_rocks_close. */
struct store *store_rocks_store(struct store_rocks *s);

/* Whether data_dir's filesystem has min_free_bytes left for writing. A system call; about once a
 * second will do. */
bool store_rocks_has_capacity(const struct store_rocks *s);

/* True after a commit that failed, until store_rocks_reopen succeeds. Writing thread only, as the
 * rest here. */
bool store_rocks_failed(const struct store_rocks *s);

/* Closes and opens again; never cuts a damaged log. ERR_UNAVAILABLE with a sentence in `error`: the
 * store stays closed, reads say ERR_UNAVAILABLE, and it may be tried again later. The core must be
 * made to forget (historyd_set_writable or a failed flush, which do). */
NODISCARD
enum err store_rocks_reopen(struct store_rocks *s, char *error, size_t error_len);

/* A backup that can be opened as a data_dir, made while the store serves. `dir` must not exist, on
 * the same filesystem. */
NODISCARD
enum err store_rocks_checkpoint(struct store_rocks *s, const char *dir, char *error,
				size_t error_len);

struct store_rocks_stats {
	uint64_t commits, commit_failures, read_failures,
		reopens;   /* since the start; a commit is one fsync */
	uint64_t losses;   /* how often this directory's log was cut, ever: see README.md */
	uint64_t restores; /* how often it was a restored backup */
	bool was_cut;      /* this start has cut it */
};
void store_rocks_stats(const struct store_rocks *s, struct store_rocks_stats *stats);

/* Readable when a read has failed since store_rocks_unread was last asked; for poll() only. */
int store_rocks_unread_fd(const struct store_rocks *s);
bool store_rocks_unread(struct store_rocks *s);

/* RocksDB's last error message after the opening, "" when there was none. For the log. Any thread.
 */
void store_rocks_last_error(struct store_rocks *s, char *text, size_t text_len);

#endif
