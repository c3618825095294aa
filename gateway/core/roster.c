// SPDX-License-Identifier: MIT
/* roster.c — see roster.h. */
#include "gateway/core/roster.h"

/* An entry is in `told` when it was named, or came, since the newest call began. */
static struct told_list *list_of(struct roll *roll, enum told_kind kind, const struct told *told)
{
	return told->call == roll->calls ? &roll->told[kind] : &roll->untold[kind];
}

void roster_add(struct gateway *g, uint32_t shard, enum told_kind kind, struct told *told)
{
	struct roll *roll = &g->rolls[shard];
	if (told->is_in)
		return;
	told->is_in = true;
	told->call = roll->calls;
	TAILQ_INSERT_TAIL(&roll->told[kind], told, entry);
}

void roster_remove(struct gateway *g, uint32_t shard, enum told_kind kind, struct told *told)
{
	if (!told->is_in)
		return;
	told->is_in = false;
	TAILQ_REMOVE(list_of(&g->rolls[shard], kind, told), told, entry);
}
