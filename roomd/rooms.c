// SPDX-License-Identifier: MIT
/* rooms.c — the rooms that there are: found, made, and freed when nothing holds them. */
#include "roomd/state.h"

static struct str room_user_key(const void *item)
{
	return ((const struct room_user *)item)->name;
}

struct room *room_find(const struct roomd *r, struct str name)
{
	return table_find(&r->rooms, name);
}

struct room *room_get(struct roomd *r, struct str name)
{
	struct room *room = room_find(r, name);
	if (room)
		return room;
	room = mem_alloc(offsetof(struct room, text) + name.len);
	room->name = str_put(room->text, name);
	/* Never a version that the room had in an earlier life. */
	room->version = r->versions;
	table_init(&room->users, room_user_key, r->options.seed);
	TAILQ_INIT(&room->order);
	TAILQ_INIT(&room->pending_joins);
	table_add(&r->rooms, room);
	return room;
}

static void room_free(struct roomd *r, struct room *room)
{
	CHECK(!room->request && TAILQ_EMPTY(&room->order) && TAILQ_EMPTY(&room->pending_joins));
	CHECK(table_remove(&r->rooms, room->name) == room);
	table_free(&room->users);
	str_free(&room->owner);
	str_free(&room->guest);
	mem_free(room);
}

void room_put_away(struct roomd *r, struct room *room)
{
	if (room->users.count == 0 && TAILQ_EMPTY(&room->pending_joins) && !room->request)
		room_free(r, room);
}

struct room_user *room_user_find(const struct room *room, struct str user)
{
	return table_find(&room->users, user);
}
