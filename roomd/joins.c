// SPDX-License-Identifier: MIT
/* joins.c — who may come into a room: joins, newRoom, and what historyd knows of the room. While
 * historyd is asked, and while a room is being made private, joins wait in line, so nobody slips in
 * between. Not here: who is in (members.c). */
#include "proto/shard.h"
#include "roomd/state.h"

static bool is_private(const struct room *room)
{
	return room->owner.len > 0;
}

static bool may_enter(const struct room *room, struct str user)
{
	return !is_private(room) || str_equal(room->owner, user) || str_equal(room->guest, user);
}

static void respond_join(struct roomd *r, const struct room *room, uint64_t gateway,
			 struct str user, enum err status)
{
	bus_put_join_answer(&r->out->down, &(struct ev_join_answer){.gateway = gateway,
								    .room = room->name,
								    .user = user,
								    .status = status,
								    .version = room->version});
}

static void respond_private(struct roomd *r, uint64_t gateway, uint64_t req, enum err status)
{
	bus_put_private_answer(
		&r->out->down,
		&(struct ev_private_answer){.gateway = gateway, .req = req, .status = status});
}

static void ask_historyd(struct roomd *r, struct room *room, enum store_request_kind kind,
			 struct str user, struct str user2)
{
	CHECK(!room->request);
	room->request = store_request_start(
		r, &(struct store_request){
			   .kind = kind, .room = room->name, .user = user, .user2 = user2});
}

static void ask_facts(struct roomd *r, struct room *room)
{
	ask_historyd(r, room, STORE_REQUEST_ROOM, (struct str){0}, (struct str){0});
}

/* A gateway says that the user is there. If the room is somebody else's by now, it has missed that
 * and is told; whose it is, is asked when that is not known, as after a restart of ours. */
void room_member_named(struct roomd *r, struct str name, struct str user)
{
	if (user.len == 0)
		return;
	struct room *room = room_get(r, name);
	if (may_enter(room, user))
		member_add(r, room, user, r->peer);
	else
		expelled_announce(r, r->peer->id, room->name, user);
	if (!room->has_facts && !room->request)
		ask_facts(r, room);
	room_put_away(r, room);
}

static struct pending_join *pending_join_find(const struct room *room, uint64_t gateway,
					      uint64_t req, struct str user)
{
	struct pending_join *w;
	TAILQ_FOREACH (w, &room->pending_joins, entry)
		if (w->gateway == gateway && w->req == req && str_equal(w->user, user))
			return w;
	return NULL;
}

static void pending_join_add(struct roomd *r, struct room *room, uint64_t req, struct str user,
			     struct str user2)
{
	/* What does not fit into the line is asked again by its gateway. */
	if (r->pending_joins >= PENDING_JOINS_MAX ||
	    pending_join_find(room, r->peer->id, req, user))
		return;
	struct pending_join *w = mem_alloc(sizeof *w);
	*w = (struct pending_join){.gateway = r->peer->id,
				   .req = req,
				   .user = str_copy(user),
				   .user2 = str_copy(user2)};
	TAILQ_INSERT_TAIL(&room->pending_joins, w, entry);
	r->pending_joins++;
}

static void pending_join_remove(struct roomd *r, struct room *room, struct pending_join *w)
{
	CHECK(r->pending_joins > 0);
	TAILQ_REMOVE(&room->pending_joins, w, entry);
	str_free(&w->user);
	str_free(&w->user2);
	mem_free(w);
	r->pending_joins--;
}

/* A room with someone in line has a request under way, and stays until that is answered. */
void room_forget_joins(struct roomd *r, uint64_t gateway)
{
	struct room *room;
	if (r->pending_joins == 0)
		return;
	TABLE_EACH (&r->rooms, i, room) {
		struct pending_join *w = TAILQ_FIRST(&room->pending_joins);
		while (w) {
			struct pending_join *next = TAILQ_NEXT(w, entry);
			if (w->gateway == gateway && w->req == 0)
				pending_join_remove(r, room, w);
			w = next;
		}
	}
}

static struct peer *peer_by_id(const struct roomd *r, uint64_t id)
{
	return table_find(&r->peers, str_of((const char *)&id, sizeof id));
}

static void admit(struct roomd *r, struct room *room, const struct pending_join *w)
{
	struct peer *peer = peer_by_id(r, w->gateway);
	if (!peer)
		return;
	if (!may_enter(room, w->user)) {
		respond_join(r, room, w->gateway, w->user, ERR_FORBIDDEN);
		return;
	}
	member_add(r, room, w->user, peer);
	respond_join(r, room, w->gateway, w->user, ERR_OK);
}

/* Whether anyone but the two is in the room or waits for it. */
static bool has_others(const struct room *room, const struct pending_join *asking)
{
	const struct room_user *u;
	TAILQ_FOREACH (u, &room->order, entry)
		if (!str_equal(u->name, asking->user) && !str_equal(u->name, asking->user2))
			return true;
	return false;
}

/* OK means that historyd has to be asked. */
static enum err check_private(const struct room *room, const struct pending_join *w)
{
	if (is_private(room)) {
		if (!may_enter(room, w->user))
			return ERR_FORBIDDEN;
		if (!may_enter(room, w->user2))
			return ERR_ROOM_TAKEN;
		return room_user_find(room, w->user2) ? ERR_ALREADY_IN : ERR_OK;
	}
	return has_others(room, w) ? ERR_ROOM_TAKEN : ERR_OK;
}

/* Serves the line as far as it can be served; the room may be gone afterwards. */
static void advance(struct roomd *r, struct room *room)
{
	struct pending_join *w;
	while ((w = TAILQ_FIRST(&room->pending_joins)) != NULL && !room->request) {
		if (!room->has_facts) {
			ask_facts(r, room);
			return;
		}
		if (w->req == 0) {
			admit(r, room, w);
			pending_join_remove(r, room, w);
			continue;
		}
		enum err result = check_private(room, w);
		if (result == ERR_OK && !is_private(room)) {
			ask_historyd(r, room, STORE_REQUEST_PRIVATE, w->user, w->user2);
			return;
		}
		respond_private(r, w->gateway, w->req, result);
		pending_join_remove(r, room, w);
	}
	room_put_away(r, room);
}

void on_join(struct roomd *r, const struct ev_join *ev)
{
	if (!r->is_settled)
		return;
	struct room *room = room_get(r, ev->room);
	pending_join_add(r, room, 0, ev->user, (struct str){0});
	advance(r, room);
}

void on_leave(struct roomd *r, const struct ev_leave *ev)
{
	expelled_gone(r, r->peer->id, ev->room, ev->user);
	struct room *room = room_find(r, ev->room);
	if (!room)
		return;
	struct pending_join *w = pending_join_find(room, r->peer->id, 0, ev->user);
	if (w)
		pending_join_remove(r, room, w);
	struct room_user *u = room_user_find(room, ev->user);
	struct member *m = u ? member_find(r, u) : NULL;
	if (m)
		member_remove(r, m);
	room_put_away(r, room);
}

void on_private_ask(struct roomd *r, const struct ev_private_ask *ev)
{
	if (!r->is_settled || ev->req == 0 || ev->user.len == 0 || ev->user2.len == 0)
		return;
	struct room *room = room_get(r, ev->room);
	pending_join_add(r, room, ev->req, ev->user, ev->user2);
	advance(r, room);
}

static void set_facts(struct room *room, struct str owner, struct str guest)
{
	str_free(&room->owner);
	str_free(&room->guest);
	if (owner.len) {
		room->owner = str_copy(owner);
		room->guest = str_copy(guest);
	}
	room->has_facts = true;
}

/* The room whose request this answers, with the request ended; NULL when nobody waits for it any
 * more. */
static struct room *answered_room(struct roomd *r, uint64_t number, struct str name,
				  enum store_request_kind kind)
{
	struct store_request *q = store_request_find(r, number);
	if (!q || q->kind != kind || !str_equal(q->room, name))
		return NULL;
	store_request_end(r, q);
	struct room *room = room_find(r, name);
	CHECK(room && room->request == number);
	room->request = 0;
	return room;
}

/* Members who were let in because gateways said that they are there, while nothing was known of the
 * room or while it was being made private. The room stays. */
static void expel_others(struct roomd *r, struct room *room)
{
	struct room_user *u = TAILQ_FIRST(&room->order);
	while (u) {
		struct room_user *next = TAILQ_NEXT(u, entry);
		if (!may_enter(room, u->name)) {
			struct member *m = TAILQ_FIRST(&u->members);
			while (m) {
				struct member *following = TAILQ_NEXT(m, of_user);
				expelled_announce(r, m->peer->id, room->name, u->name);
				member_remove(r, m);
				m = following;
			}
		}
		u = next;
	}
}

void on_room_facts(struct roomd *r, const struct ev_room_facts *ev)
{
	if (err_from_wire(ev->status) != ERR_OK || !ev->owner.len != !ev->guest.len)
		return; /* asked again */
	struct room *room = answered_room(r, ev->req, ev->room, STORE_REQUEST_ROOM);
	if (!room)
		return;
	set_facts(room, ev->owner, ev->guest);
	expel_others(r, room);
	advance(r, room);
}

void on_private_done(struct roomd *r, const struct ev_private_done *ev)
{
	enum err status = err_from_wire(ev->status);
	if (status == ERR_UNAVAILABLE)
		return;
	struct room *room = answered_room(r, ev->req, ev->room, STORE_REQUEST_PRIVATE);
	if (!room)
		return;
	struct pending_join *w = TAILQ_FIRST(&room->pending_joins);
	CHECK(w && w->req);
	if (status == ERR_OK) {
		set_facts(room, w->user, w->user2);
		expel_others(r, room);
		if (room_user_find(room, w->user2))
			status = ERR_ALREADY_IN;
	} else {
		room->has_facts = false; /* historyd knows more of the room than we do */
	}
	respond_private(r, w->gateway, w->req, status);
	pending_join_remove(r, room, w);
	advance(r, room);
}

static struct room *asking_room(const struct roomd *r, const struct store_request *q)
{
	struct room *room = room_find(r, q->room);
	CHECK(room && room->request == q->number);
	return room;
}

static void empty_line(struct roomd *r, struct room *room)
{
	while (!TAILQ_EMPTY(&room->pending_joins))
		pending_join_remove(r, room, TAILQ_FIRST(&room->pending_joins));
}

bool room_request_expired(struct roomd *r, const struct store_request *q)
{
	struct room *room = asking_room(r, q);
	empty_line(r, room);
	return q->kind == STORE_REQUEST_ROOM && room->users.count > 0;
}

void room_request_dropped(struct roomd *r, const struct store_request *q)
{
	struct room *room = asking_room(r, q);
	empty_line(r, room);
	room->request = 0;
	/* historyd may have made the room private all the same. */
	room->has_facts = false;
	room_put_away(r, room);
}
