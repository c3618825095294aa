// SPDX-License-Identifier: MIT
/* pending.c — the invitations that a name holds. Not here: whom they are told, and what historyd
 * keeps of them (invites.c). */
#include "roomd/state.h"

void pending_stop(struct roomd *r, struct pending *p)
{
	if (p->is_announced)
		TAILQ_REMOVE(&r->unseen, p, unseen);
	p->is_announced = false;
}

void pending_forget(struct roomd *r, struct pending *p)
{
	pending_stop(r, p);
	TAILQ_REMOVE(&p->name->pending, p, entry);
	str_free(&p->room);
	str_free(&p->from);
	mem_free(p);
}

void pending_forget_all(struct roomd *r, struct name *n)
{
	while (!TAILQ_EMPTY(&n->pending))
		pending_forget(r, TAILQ_FIRST(&n->pending));
}

void pending_stop_of(struct roomd *r, struct name *n)
{
	struct pending *p;
	TAILQ_FOREACH (p, &n->pending, entry)
		pending_stop(r, p);
}

struct pending *pending_find(const struct name *n, struct str room)
{
	struct pending *p;
	TAILQ_FOREACH (p, &n->pending, entry)
		if (str_equal(p->room, room))
			return p;
	return NULL;
}

struct pending *pending_keep(struct name *n, struct str room, struct str from)
{
	struct pending *p = pending_find(n, room);
	if (p)
		return p;
	p = mem_alloc(sizeof *p);
	p->name = n;
	p->room = str_copy(room);
	p->from = str_copy(from);
	TAILQ_INSERT_TAIL(&n->pending, p, entry);
	return p;
}
