// SPDX-License-Identifier: MIT
/* typing.c — who is typing where. It ends by itself, with the message, or when the user leaves. */
#include "roomd/state.h"

static struct room_user *find(const struct roomd *r, struct str room_name, struct str user)
{
	struct room *room = room_find(r, room_name);
	return room ? room_user_find(room, user) : NULL;
}

void on_typing(struct roomd *r, const struct ev_typing *ev)
{
	struct room_user *u = find(r, ev->room, ev->user);
	if (!u || !r->is_settled)
		return;
	if (u->typing_until_ms)
		TAILQ_REMOVE(&r->typing, u, typing);
	bool is_due =
		!u->typing_until_ms || r->now_ms >= u->typing_announced_ms + TYPING_ANNOUNCE_MS;
	u->typing_until_ms = r->now_ms + TYPING_MS;
	TAILQ_INSERT_TAIL(&r->typing, u, typing);
	if (!is_due)
		return;
	u->typing_announced_ms = r->now_ms;
	bus_put_typing_on(&r->out->down,
			  &(struct ev_typing_on){.room = u->room->name, .user = u->name});
}

void typing_end(struct roomd *r, struct room_user *u)
{
	if (!u->typing_until_ms)
		return;
	u->typing_until_ms = 0;
	TAILQ_REMOVE(&r->typing, u, typing);
	bus_put_typing_off(&r->out->down,
			   &(struct ev_typing_off){.room = u->room->name, .user = u->name});
}

void on_wrote(struct roomd *r, const struct ev_wrote *ev)
{
	struct room_user *u = find(r, ev->room, ev->user);
	if (u)
		typing_end(r, u);
}

void typing_tick(struct roomd *r)
{
	struct room_user *u;
	while ((u = TAILQ_FIRST(&r->typing)) != NULL && u->typing_until_ms <= r->now_ms)
		typing_end(r, u);
}
