// SPDX-License-Identifier: MIT
/* members.c — who is in a room. A user is in it while any gateway says so; the first to come and
 * the last to go are announced, each with the room's next version, so that a gateway notices when
 * it has missed one. */
#include "roomd/state.h"

static uint64_t next_version(struct roomd *r, struct room *room)
{
	room->version++;
	if (room->version > r->versions)
		r->versions = room->version;
	return room->version;
}

static struct room_user *room_user_get(struct roomd *r, struct room *room, struct str user)
{
	struct room_user *u = room_user_find(room, user);
	if (u)
		return u;
	u = mem_alloc(offsetof(struct room_user, text) + user.len);
	u->name = str_put(u->text, user);
	u->room = room;
	TAILQ_INIT(&u->members);
	table_add(&room->users, u);
	TAILQ_INSERT_TAIL(&room->order, u, entry);
	uint64_t version = next_version(r, room);
	if (r->is_settled)
		bus_put_user_in(&r->out->down, &(struct ev_user_in){.room = room->name,
								    .user = u->name,
								    .version = version});
	return u;
}

void member_add(struct roomd *r, struct room *room, struct str user, struct peer *peer)
{
	struct room_user *u = room_user_get(r, room, user);
	struct member *m;
	TAILQ_FOREACH (m, &u->members, of_user) {
		if (m->peer == peer) {
			m->round = peer->round;
			return;
		}
	}
	m = mem_alloc(sizeof *m);
	*m = (struct member){.user = u, .peer = peer, .round = peer->round};
	TAILQ_INSERT_TAIL(&u->members, m, of_user);
	TAILQ_INSERT_TAIL(&peer->members, m, of_peer);
	r->stats.members++;
}

void member_remove(struct roomd *r, struct member *m)
{
	struct room_user *u = m->user;
	struct room *room = u->room;
	TAILQ_REMOVE(&u->members, m, of_user);
	TAILQ_REMOVE(&m->peer->members, m, of_peer);
	mem_free(m);
	r->stats.members--;
	if (!TAILQ_EMPTY(&u->members))
		return;
	typing_end(r, u);
	uint64_t version = next_version(r, room);
	if (r->is_settled)
		bus_put_user_out(&r->out->down, &(struct ev_user_out){.room = room->name,
								      .user = u->name,
								      .version = version});
	CHECK(table_remove(&room->users, u->name) == u && !u->typing_until_ms);
	TAILQ_REMOVE(&room->order, u, entry);
	mem_free(u);
}

struct member *member_find(const struct roomd *r, const struct room_user *u)
{
	struct member *m;
	TAILQ_FOREACH (m, &u->members, of_user)
		if (m->peer == r->peer)
			return m;
	return NULL;
}

static void put_part(struct roomd *r, struct str room, uint64_t version, uint64_t part,
		     bool is_last, uint32_t count)
{
	bus_put_presence(&r->out->down,
			 &(struct ev_presence){
				 .gateway = r->peer->id,
				 .room = room,
				 .version = version,
				 .part = part,
				 .last = is_last,
				 .names = {.count = count, .packed = buf_view(&r->scratch)},
			 });
	buf_reset(&r->scratch);
}

void on_presence_ask(struct roomd *r, const struct ev_presence_ask *ev)
{
	if (!r->is_settled)
		return;
	struct room *room = room_find(r, ev->room);
	struct room_user *u;
	uint64_t part = 0;
	uint32_t count = 0;
	buf_reset(&r->scratch);
	if (room) {
		TAILQ_FOREACH (u, &room->order, entry) {
			if (count == NAMES_A_PART) {
				put_part(r, room->name, room->version, part++, false, count);
				count = 0;
			}
			bus_pack_name(&r->scratch, &(struct rec_name){.user = u->name});
			count++;
		}
	}
	put_part(r, ev->room, room ? room->version : 0, part, true, count);
}
