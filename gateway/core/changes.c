// SPDX-License-Identifier: MIT
/* changes.c — see changes.h. */
#include "gateway/core/changes.h"

bool change_is_of_list(const struct change *c)
{
	return c->kind == CHANGE_ARRIVED || c->kind == CHANGE_LEFT;
}

struct present *change_take(struct view *v)
{
	struct change *c = STAILQ_FIRST(&v->changes);
	if (!c)
		return NULL;
	struct present *who = c->who;
	CHECK(v->change_count > 0 && who->changes > 0);
	STAILQ_REMOVE_HEAD(&v->changes, entry);
	v->change_count--;
	who->changes--;
	mem_free(c);
	return who;
}

void change_leave_queue(struct gateway *g, struct view *v)
{
	CHECK(v->is_announcing && g->announcing_count > 0);
	v->is_announcing = false;
	g->announcing_count--;
	TAILQ_REMOVE(&g->announcing, v, announcing);
}

static void enter_queue_first(struct gateway *g, struct view *v)
{
	v->is_announcing = true;
	g->announcing_count++;
	v->announce_ms = g->now_ms;
	TAILQ_INSERT_HEAD(&g->announcing, v, announcing);
}

void change_note(struct gateway *g, struct view *v, struct present *p, enum change_kind kind)
{
	struct change *c = mem_alloc(sizeof *c);
	*c = (struct change){.who = p, .kind = kind};
	STAILQ_INSERT_TAIL(&v->changes, c, entry);
	v->change_count++;
	p->changes++;
	v->is_list_old |= change_is_of_list(c);
	if (v->is_announcing && !change_is_of_list(c)) /* typing is told in this turn */
		change_leave_queue(g, v);
	if (!v->is_announcing)
		enter_queue_first(g, v);
}

void change_forget_all(struct gateway *g, struct view *v)
{
	while (change_take(v))
		continue;
	if (v->is_announcing)
		change_leave_queue(g, v);
}
