// SPDX-License-Identifier: MIT
/* roster.c — see roster.h. */
#include "gateway/core/roster.h"

/* An entry is in `told` when it was named, or came, since the newest call began. */
static struct registration_list *list_of(struct roster *roster, enum registration_kind kind,
					 const struct registration *registration)
{
	return registration->generation == roster->generation ? &roster->registered[kind]
							      : &roster->unregistered[kind];
}

void roster_add(struct gateway *g, uint32_t shard, enum registration_kind kind,
		struct registration *registration)
{
	struct roster *roster = &g->rosters[shard];
	if (registration->is_in)
		return;
	registration->is_in = true;
	registration->generation = roster->generation;
	TAILQ_INSERT_TAIL(&roster->registered[kind], registration, entry);
}

void roster_remove(struct gateway *g, uint32_t shard, enum registration_kind kind,
		   struct registration *registration)
{
	if (!registration->is_in)
		return;
	registration->is_in = false;
	TAILQ_REMOVE(list_of(&g->rosters[shard], kind, registration), registration, entry);
}
