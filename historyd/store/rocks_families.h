// SPDX-License-Identifier: MIT
/* rocks_families.h — a RocksDB with our column families, and the options that it is opened
 * with.
 *
 * Not here: whether it is the right one (store/rocks_db.c). */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_FAMILIES_H
#define PARLOR_HISTORYD_STORE_ROCKS_FAMILIES_H

#include "historyd/store/rocks_db.h"

enum how {
	TO_LOOK,               /* changes nothing in the directory */
	TO_SERVE,              /* refuses a damaged log */
	TO_SERVE_WHAT_IS_LEFT, /* cuts it at its first damage */
	TO_MAKE,               /* where there is none */
};

/* NULL, or RocksDB's error message, which is the caller's (rocksdb_free), and r->db is NULL. */
NODISCARD
char *rocks_open_families(struct rocks *r, const struct store_rocks_options *o, enum how how);
void rocks_close_families(struct rocks *r);

#endif
