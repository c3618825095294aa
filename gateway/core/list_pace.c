// SPDX-License-Identifier: MIT
/* list_pace.c — see list_pace.h. */
#include "gateway/core/list_pace.h"

enum { DISTANCE_MS = 960 };

struct paced {
	TAILQ_ENTRY(paced) entry;
	uint64_t until_ms;
	struct str room;
	char text[]; /* room */
};

static struct str room_key(const void *item)
{
	return ((const struct paced *)item)->room;
}

void list_pace_init(struct list_pace *l, uint64_t seed)
{
	table_init(&l->by_room, room_key, seed);
	TAILQ_INIT(&l->all);
}

static void end_first(struct list_pace *l)
{
	struct paced *p = TAILQ_FIRST(&l->all);
	TAILQ_REMOVE(&l->all, p, entry);
	table_remove(&l->by_room, p->room);
	mem_free(p);
}

void list_pace_free(struct list_pace *l)
{
	while (!TAILQ_EMPTY(&l->all))
		end_first(l);
	table_free(&l->by_room);
}

static void end_old(struct list_pace *l, uint64_t now_ms)
{
	while (!TAILQ_EMPTY(&l->all) && TAILQ_FIRST(&l->all)->until_ms <= now_ms)
		end_first(l);
}

void list_pace_note(struct list_pace *l, uint64_t now_ms, struct str room)
{
	end_old(l, now_ms);
	struct paced *p = table_find(&l->by_room, room);
	if (p) {
		TAILQ_REMOVE(&l->all, p, entry);
	} else {
		p = mem_alloc(offsetof(struct paced, text) + room.len);
		p->room = str_put(p->text, room);
		table_add(&l->by_room, p);
	}
	p->until_ms = now_ms + DISTANCE_MS;
	TAILQ_INSERT_TAIL(&l->all, p, entry);
}

bool list_pace_waits(struct list_pace *l, uint64_t now_ms, struct str room)
{
	end_old(l, now_ms);
	return table_find(&l->by_room, room) != NULL;
}

void list_pace_check(const struct list_pace *l)
{
	const struct paced *p;
	size_t count = 0;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (p, &l->all, entry) {
		CHECK(table_find(&l->by_room, p->room) == p);
		CHECK(p->until_ms >= last_ms); /* the first is the first to end */
		last_ms = p->until_ms;
		count++;
	}
	CHECK(count == l->by_room.count);
}
