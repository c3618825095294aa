// SPDX-License-Identifier: MIT
/* rocks_db.h — one data directory as a RocksDB: its column families, the options they are opened
 * with, the check that it is the directory of this shard, and RocksDB's errors as sentences that an
 * operator can act on.
 *
 * Included by store/rocks*.c only; nothing else sees rocksdb/c.h. Next: store/rocks_state.h. */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_DB_H
#define PARLOR_HISTORYD_STORE_ROCKS_DB_H

#include "historyd/store/rocks.h"
#include "historyd/store/rocks_dir.h"

#include <rocksdb/c.h>

enum family { FAMILY_META, FAMILY_MESSAGES, FAMILY_CIDS, FAMILY_ROOMS, FAMILY_INVITES };
enum { FAMILIES = 5 };

struct rocks {
	rocksdb_t *db; /* NULL while closed */
	rocksdb_column_family_handle_t *families[FAMILIES];
	rocksdb_readoptions_t *for_points, *for_walks;
	struct data_dir dir;
	uint64_t losses; /* how often the directory's log was cut */
	uint64_t restores;
	char cluster[CLUSTER_MAX + 1]; /* whose directory it is; "": made by 0.1.0 */
	bool was_cut;                  /* by this opening */
};

/* Opens and checks the directory. False with one sentence in `error`; what is refused is left as it
 * was found. `is_start`: makes the directory when there is none, and if the options allow it goes
 * on with what there is when writes are missing, where otherwise this is refused. */
NODISCARD
bool rocks_open(struct rocks *r, const struct store_rocks_options *o, bool is_start, char *error,
		size_t error_len);
void rocks_close(struct rocks *r);

/* Everything written so far is on disk: the mark says so from now on. False: it cannot. */
NODISCARD
bool rocks_mark(struct rocks *r);

/* A copy of the database in `dir`, which must not exist yet, on the same filesystem: mostly hard
 * links. */
NODISCARD
bool rocks_checkpoint(const struct rocks *r, const char *dir, char *error, size_t error_len);

/* One value, which lasts until rocksdb_pinnableslice_destroy. NULL: there is none, or *error
 * message says why it cannot be read; the error message is the caller's (rocksdb_free). */
rocksdb_pinnableslice_t *rocks_get(const struct rocks *r, enum family family, struct str key,
				   char **error_message);

/* A walk over the keys that share the first 8 bytes with `from`, which is where it begins: upwards,
 * or downwards. It sees the database as it is when it begins. */
struct rocks_walk {
	rocksdb_iterator_t *at;
	bool is_down;
};
void rocks_walk_begin(struct rocks_walk *w, const struct rocks *r, enum family family,
		      struct str from, bool is_down);
/* What stands here, until the next step; false at the end. */
NODISCARD
bool rocks_walk_here(const struct rocks_walk *w, struct str *key, struct str *value);
void rocks_walk_step(struct rocks_walk *w);
NODISCARD
char *rocks_walk_end(struct rocks_walk *w); /* the error message, or NULL */

#endif
