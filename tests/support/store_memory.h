// SPDX-License-Identifier: MIT
/* store_memory.h — a struct store in memory whose disk fails when it is told to. For tests and the
 * simulator.
 *
 * What was committed survives; what was only put is lost by a crash. It keeps the same bytes as the
 * real store (keys.h, values.h), so these are exercised too. One thread. */
#ifndef PARLOR_TESTS_STORE_MEMORY_H
#define PARLOR_TESTS_STORE_MEMORY_H

#include "historyd/store.h"

struct store_memory;

struct store_memory *store_memory_open(void);
void store_memory_close(struct store_memory *m);

/* Lasts until store_memory_close. */
struct store *store_memory_store(struct store_memory *m);

/* The process dies: the writes that are not committed are gone. Open a new core over the same store
 * after it. */
void store_memory_crash(struct store_memory *m);

/* The nth commit from now fails (1: the next one; 0: none). `is_applied`: its writes are on disk
 * all the same, as may happen when the error comes late. */
void store_memory_fail_commit(struct store_memory *m, uint64_t nth, bool is_applied);

/* While full, each commit fails and nothing is applied. */
void store_memory_set_full(struct store_memory *m, bool is_full);

/* While unreadable, each read fails. */
void store_memory_set_unreadable(struct store_memory *m, bool is_unreadable);

/* A backup: what is committed now. To be put back or closed. */
struct store_memory *store_memory_copy(const struct store_memory *m);

/* The process is down: the copy, which is used up, takes the place of all that came since.
 * `is_raised`: seqs go on far above those of the copy. */
void store_memory_put_back(struct store_memory *m, struct store_memory *copy, bool is_raised);
uint32_t store_memory_restores(const struct store_memory *m);

uint64_t store_memory_commits(const struct store_memory *m); /* that succeeded */
uint64_t store_memory_writes(const struct store_memory *m);  /* put and not committed yet */

#endif
