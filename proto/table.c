// SPDX-License-Identifier: MIT
/* table.c — see table.h. Linear probing; removal shifts the run behind the gap back, so there are
 * no tombstones and a table that was once large is as fast as a new one. */
#include "proto/table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { TABLE_CAP_MIN = 8 };

uint64_t hash_bytes(struct str bytes, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes.ptr, bytes.len, seed);
}

void table_init(struct table *t, table_key_fn *key, uint64_t seed)
{
	*t = (struct table){.key = key, .seed = seed};
}

void table_free(struct table *t)
{
	mem_free(t->slots);
	*t = (struct table){.key = t->key, .seed = t->seed};
}

static struct table_slot *slot_for(const struct table *t, struct str key, uint64_t hash)
{
	size_t mask = t->cap - 1;
	for (size_t at = hash & mask;; at = (at + 1) & mask) {
		struct table_slot *slot = &t->slots[at];
		if (!slot->item || (slot->hash == hash && str_equal(t->key(slot->item), key)))
			return slot;
	}
}

void *table_find(const struct table *t, struct str key)
{
	return t->count ? slot_for(t, key, hash_bytes(key, t->seed))->item : NULL;
}

static void resize(struct table *t, size_t cap)
{
	struct table old = *t;
	t->slots = mem_alloc(cap * sizeof *t->slots);
	t->cap = cap;
	for (size_t i = 0; i < old.cap; i++) {
		if (!old.slots[i].item)
			continue;
		size_t at = old.slots[i].hash & (cap - 1);
		while (t->slots[at].item)
			at = (at + 1) & (cap - 1);
		t->slots[at] = old.slots[i];
	}
	mem_free(old.slots);
}

void table_add(struct table *t, void *item)
{
	CHECK(item != NULL);
	if (t->count * 4 >= t->cap * 3)
		resize(t, t->cap ? t->cap * 2 : TABLE_CAP_MIN);
	struct str key = t->key(item);
	uint64_t hash = hash_bytes(key, t->seed);
	struct table_slot *slot = slot_for(t, key, hash);
	CHECK(!slot->item);
	*slot = (struct table_slot){hash, item};
	t->count++;
}

void *table_remove(struct table *t, struct str key)
{
	if (!t->count)
		return NULL;
	struct table_slot *gap = slot_for(t, key, hash_bytes(key, t->seed));
	void *item = gap->item;
	if (!item)
		return NULL;
	size_t mask = t->cap - 1;
	size_t hole = (size_t)(gap - t->slots);
	for (size_t at = (hole + 1) & mask; t->slots[at].item; at = (at + 1) & mask) {
		size_t home = t->slots[at].hash & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			t->slots[hole] = t->slots[at];
			hole = at;
		}
	}
	t->slots[hole].item = NULL;
	t->count--;
	if (t->cap > TABLE_CAP_MIN && t->count * 8 < t->cap)
		resize(t, t->cap / 2);
	return item;
}
