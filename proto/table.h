// SPDX-License-Identifier: MIT
/* table.h — the one hash table: from a string to an item that holds that string itself.
 *
 * Open addressing with 16 bytes a slot. The hash is seeded, so that strangers who choose the names
 * cannot choose the collisions, and a simulated run with the same seed is the same run. Items stay
 * the caller's. */
#ifndef PARLOR_PROTO_TABLE_H
#define PARLOR_PROTO_TABLE_H

#include "proto/base.h"

typedef struct str table_key_fn(const void *item);

struct table_slot {
	uint64_t hash;
	void *item; /* NULL: free */
};

struct table {
	struct table_slot *slots;
	size_t cap; /* a power of two, or 0 */
	size_t count;
	uint64_t seed;
	table_key_fn *key;
};

void table_init(struct table *t, table_key_fn *key, uint64_t seed);
void table_free(struct table *t); /* not the items */

/* The item whose key this is, or NULL. */
void *table_find(const struct table *t, struct str key);

/* Adds an item whose key is not in the table yet; that it is not, is the caller's promise. */
void table_add(struct table *t, void *item);

/* Takes the item with this key out and returns it, or NULL. Must not be called inside TABLE_EACH.
 */
void *table_remove(struct table *t, struct str key);

/* Each item, in no order that means anything. Nothing may be added or removed meanwhile. */
#define TABLE_EACH(t, index, var)                         \
	for (size_t index = 0; index < (t)->cap; index++) \
		if (((var) = (t)->slots[index].item) != NULL)

/* A seeded 64-bit hash of bytes; the same on every machine. */
uint64_t hash_bytes(struct str bytes, uint64_t seed);

#endif
