// SPDX-License-Identifier: MIT
/* rocks_mark.h — the mark: a small file beside the database that says up to which write it
 * reaches.
 *
 * RocksDB cannot tell that a file of its log was removed, emptied or cut after a clean stop, nor
 * that it was given an older MANIFEST: it opens with less, and what was acked is gone without a
 * word. So after each commit the number of its last write is put down here too. Not synced by
 * itself: it claims only what is on disk already, a process that is killed leaves it exact, and
 * after a power cut it is at most as old as the system's write-back (half a minute). Held open and
 * locked, so that a second process sees that the directory is in use before it touches anything.
 *
 * Two slots are written by turns: a write torn by a power cut leaves the one before. Next:
 * store/rocks_dir.h. */
#ifndef PARLOR_HISTORYD_STORE_ROCKS_MARK_H
#define PARLOR_HISTORYD_STORE_ROCKS_MARK_H

#include "proto/base.h"

#define MARK_FILE "PARLOR-MARK"

struct mark {
	bool is_made;      /* the database has been made to its end: it may hold what was acked */
	uint64_t sequence; /* RocksDB's number of the last write that is on disk */
	uint64_t losses;   /* as in the format record, which may be lost with the log */
	/* RocksDB's MANIFEST, in which it counts its tables: its number, and how much of it is on
	 * disk. One that is cut at the end of a record looks whole to RocksDB. */
	uint64_t manifest, manifest_bytes;
};

struct mark_file {
	int fd; /* -1: not open */
	uint64_t turn;
};

/* Opens the file in the directory `dir_fd`, making an empty one when there is none, and locks it.
 * False with errno set; EWOULDBLOCK: another process or store holds it. */
NODISCARD
bool mark_open(struct mark_file *f, int dir_fd);
void mark_close(struct mark_file *f); /* what was written to it goes to the disk, if it can */

/* False: there is none, or it is damaged. */
NODISCARD
bool mark_read(struct mark_file *f, struct mark *mark);

/* False with errno set. */
NODISCARD
bool mark_write(struct mark_file *f, const struct mark *mark);
NODISCARD
bool mark_sync(const struct mark_file *f);

#endif
