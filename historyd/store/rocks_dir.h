// SPDX-License-Identifier: MIT
/* rocks_dir.h — the data directory before RocksDB sees it.
 *
 * RocksDB, asked to create what is missing, makes a new database over the tables of an old one
 * whose CURRENT is gone, and deletes them all when it is opened the next time. So it is only ever
 * asked in a directory that is new: one that holds nothing, or what a creation has left that did
 * not come to its end (which the mark tells). Any other must have a CURRENT that names a MANIFEST
 * that is there; what is missing is named, and nothing is changed. Next: store/rocks_db.h. */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_DIR_H
#define PARLOR_HISTORYD_STORE_ROCKS_DIR_H

#include "historyd/store/rocks_mark.h"

struct data_dir {
	struct mark_file file; /* locked while the directory is ours */
	struct mark mark;
	bool is_new;   /* and empty now: a database is to be made */
	bool has_mark; /* a readable one */
	/* The MANIFEST that CURRENT names, as it is. */
	int manifest_fd;
	uint64_t manifest, manifest_bytes;
};

struct data_dir_params {
	bool is_start;   /* so that its modes are looked at, too */
	bool may_create; /* makes the directory, and a new database where nothing is */
};

/* Opens the directory and locks it. False with one sentence in `error`: it is missing or empty and
 * must not be made, no directory of ours, in use, not readable, or has lost files. */
NODISCARD
bool data_dir_open(struct data_dir *d, const char *path, struct data_dir_params params, char *error,
		   size_t error_len);
void data_dir_close(struct data_dir *d);

/* RocksDB has opened it, and begun a MANIFEST. */
NODISCARD
bool data_dir_follow(struct data_dir *d, const char *path);

/* Writes the mark; where it can be had, the MANIFEST's length on disk goes with it. */
NODISCARD
bool data_dir_mark(struct data_dir *d, uint64_t sequence, uint64_t losses);

/* What was written to the mark is on disk. */
NODISCARD
bool data_dir_sync(const struct data_dir *d);

/* Puts a mark into a copy of the database. */
NODISCARD
bool data_dir_copy_mark(const char *path, const struct mark *mark);

#endif
