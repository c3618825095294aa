// SPDX-License-Identifier: MIT
/* older.c — backups of the historyds' disks are taken, and put back later, as an operator does it:
 * with the seqs raised (`--restored`) or, where that is forgotten, without. What was stored since
 * is gone for good; what clients must then be told is judged in shown.c and promises.c. */
#include "tests/sim/person.h"
#include "proto/shard.h"

enum { LOOK_MS = 500, OLD_MS = 2000 };

void older_open(struct people *all)
{
	all->aside = (struct rng){all->plan.aside.state ^ 0x01de5};
	for (uint32_t i = 0; i < all->count; i++)
		all->person[i].is_epochless = rng_chance(&all->aside, 250000);
}

void older_close(struct people *all)
{
	for (size_t i = 0; i < NODES_MAX; i++)
		if (all->copy[i])
			store_memory_close(all->copy[i]);
}

static struct str owner_in(struct store_memory *disk, struct str room, struct buf *space)
{
	struct store *store = store_memory_store(disk);
	struct store_room facts;
	return store->facts(store->impl, room, space, &facts) == ERR_OK ? facts.owner
									: (struct str){0};
}

/* A room that has become private since would be open again, and nothing is promised about that. */
static bool is_too_old(struct people *all, const struct node *n, struct store_memory *copy)
{
	bool is_changed = false;
	for (uint32_t i = 0; i < all->rooms; i++) {
		char name[NAME_LEN];
		struct buf was = {0};
		struct buf is = {0};
		room_name(i, name);
		struct str room = str_from(name);
		if (shard_of(room, all->world->historyds) == n->index)
			is_changed |= !str_equal(owner_in(copy, room, &was),
						 owner_in(n->disk, room, &is));
		buf_free(&was);
		buf_free(&is);
	}
	return is_changed;
}

/* What of the shard's is known by its messages, or kept there. */
static void forget(struct people *all, const struct node *n, struct store_memory *copy)
{
	for (uint32_t i = 0; i < all->rooms; i++) {
		char name[NAME_LEN];
		room_name(i, name);
		if (shard_of(str_from(name), all->world->historyds) == n->index)
			promise_gone(all->promises, str_from(name), n->disk, copy);
	}
	for (uint32_t i = 0; i < all->count; i++)
		if (shard_of(str_from(all->person[i].name), all->world->historyds) == n->index)
			memset(all->person[i].is_owed, 0, sizeof all->person[i].is_owed);
}

static void put_back(struct people *all, struct node *n)
{
	struct store_memory *copy = all->copy[n->index];
	all->copy[n->index] = NULL;
	store_memory_set_unreadable(n->disk, false);
	if (is_too_old(all, n, copy)) {
		store_memory_close(copy);
		return;
	}
	forget(all, n, copy);
	world_put_back(all->world, n, copy, rng_chance(&all->aside, 500000));
}

void older_act(struct people *all)
{
	struct world *w = all->world;
	if (!w->faults.older || w->now_ms < all->older_ms)
		return;
	all->older_ms = w->now_ms + LOOK_MS;
	for (uint32_t i = 0; i < w->historyds; i++) {
		struct node *n = &w->historyd[i];
		if (!n->is_up || !rng_chance(&all->aside, w->faults.older))
			continue;
		if (!all->copy[i]) {
			all->copy[i] = store_memory_copy(n->disk);
			all->copied_ms[i] = w->now_ms;
			world_tell(w, "the disk of historyd-%u is copied", i);
		} else if (w->now_ms >= all->copied_ms[i] + OLD_MS) {
			put_back(all, n);
		}
	}
}
