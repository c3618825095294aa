// SPDX-License-Identifier: MIT
/* shutout.c — a room becomes private while a stranger sits in it behind a gateway that is cut off:
 * roomd has let go of it, its gateway knows nothing yet. Chance brings that about too rarely, so it
 * is led here: somebody else sits down, the owner writes, the gateway is cut off from the room's
 * shards, the owner invites, and the links come back one after the other. Meanwhile the stranger
 * joins again and again, or asks for the room itself. What it must not get is judged where it is
 * heard. */
#include "tests/sim/net.h"
#include "tests/sim/person.h"
#include "proto/shard.h"

enum {
	LOOK_MS = 1000,
	PATIENCE_MS = 5000,  /* for those who are to be in the room */
	FILLING_MAX = 32,    /* messages: more than the log of a gateway holds */
	LAPSED_MS = 5200,    /* by then roomd has let go of a silent gateway's users … */
	SETTLED_MS = 2200,   /* … and after a restart it goes on without it */
	BACK_MAX_MS = 3500,  /* the links come back so long after the room is private */
	AGAIN_MAX_MS = 2000, /* from one joining of the stranger to the next */
	SECRETS_MAX = 3,
};

static bool chance(struct shutout *s, uint64_t in_a_million)
{
	return rng_chance(&s->rng, in_a_million);
}

static struct node *gateway_of(struct people *all, const struct person *p)
{
	return &all->world->gateway[conn_gateway(p->conn)];
}

static struct person *owner_of(struct people *all, uint32_t room)
{
	return &all->person[all->room[room].owner];
}

/* Somebody on another gateway than the owner, for whom the room is not. */
static bool is_stranger(struct people *all, uint32_t room, const struct person *p)
{
	const struct room_facts *facts = &all->room[room];
	return p->conn && !p->stalled_until && p->index != facts->owner &&
	       p->index != facts->guest && p->seats[0].is_joined &&
	       seat_is_at_rest(&p->seats[room]) && asked_has_capacity(p) &&
	       conn_gateway(p->conn) != conn_gateway(owner_of(all, room)->conn);
}

static struct person *some_stranger(struct people *all, uint32_t room)
{
	uint32_t from = (uint32_t)rng_below(&all->shutout.rng, all->count);
	for (uint32_t i = 0; i < all->count; i++) {
		struct person *p = &all->person[(from + i) % all->count];
		if (is_stranger(all, room, p))
			return p;
	}
	return NULL;
}

/* Whether anybody else would stay there, so that the room could not become private. */
static bool has_others(struct people *all, uint32_t room, uint32_t gateway)
{
	const struct room_facts *facts = &all->room[room];
	for (uint32_t i = 0; i < all->count; i++) {
		const struct person *p = &all->person[i];
		const struct seat *seat = &p->seats[room];
		bool is_there = p->conn && (seat->is_joined || !seat_is_at_rest(seat));
		if (is_there && i != facts->owner && i != facts->guest &&
		    conn_gateway(p->conn) != gateway)
			return true;
	}
	return false;
}

static void give_up(struct people *all)
{
	all->room[all->shutout.room].from_ms = all->world->now_ms;
	all->shutout.step = SHUTOUT_NONE;
}

static void begin(struct people *all)
{
	struct shutout *s = &all->shutout;
	uint32_t room = all->rooms - 1 - (uint32_t)rng_below(&s->rng, all->plan.privates);
	if (all->room[room].is_private || !owner_of(all, room)->conn ||
	    !chance(s, all->world->faults.shutout))
		return;
	struct person *p = some_stranger(all, room);
	if (!p || has_others(all, room, conn_gateway(p->conn)))
		return;
	all->room[room].from_ms = UINT64_MAX; /* nobody invites before */
	s->room = room;
	s->stranger = p->index;
	s->step = SHUTOUT_COMING;
	s->until_ms = all->world->now_ms + PATIENCE_MS;
	s->fill = chance(s, 700000) ? FILLING_MAX : 0;
	p->seats[room].is_silent = true;
	if (!p->seats[room].is_joined)
		say_join(p, room, p->seats[room].have);
	say_all(p);
}

static bool sits(const struct person *p, uint32_t room)
{
	const struct seat *seat = &p->seats[room];
	return p->conn && seat->is_joined && seat->has_history && seat_is_at_rest(seat);
}

static bool waits_for_acks(const struct person *p, uint32_t room)
{
	for (size_t i = 0; i < p->post_count; i++)
		if (p->posts[i].room == room && !p->posts[i].is_acked)
			return true;
	return false;
}

/* The stranger's gateway loses the room's roomd, which forgets of it by its lease or by its own
 * restart, and mostly its historyd. */
static void cut(struct people *all)
{
	struct world *w = all->world;
	struct shutout *s = &all->shutout;
	char name[NAME_LEN];
	room_name(s->room, name);
	struct node *gateway = gateway_of(all, &all->person[s->stranger]);
	struct node *roomd = &w->roomd[shard_of(str_from(name), w->roomds)];
	struct node *historyd = &w->historyd[shard_of(str_from(name), w->historyds)];
	bool has_restart = chance(s, 400000);
	uint64_t alone_ms = (has_restart ? SETTLED_MS : LAPSED_MS) + rng_below(&s->rng, 1000);
	uint64_t roomd_ms = alone_ms + 200 + rng_below(&s->rng, BACK_MAX_MS);
	uint64_t historyd_ms = alone_ms + 200 + rng_below(&s->rng, BACK_MAX_MS);
	net_cut(w, gateway, roomd, roomd_ms);
	if (chance(s, 850000))
		net_cut(w, gateway, historyd, historyd_ms);
	if (has_restart)
		world_crash(w, roomd, 100 + rng_below(&s->rng, 300));
	s->step = SHUTOUT_CUT;
	s->private_ms = w->now_ms + alone_ms;
	s->until_ms = w->now_ms + (roomd_ms > historyd_ms ? roomd_ms : historyd_ms);
	s->again_ms = w->now_ms + alone_ms - rng_below(&s->rng, AGAIN_MAX_MS);
	s->secrets = 1 + (uint32_t)rng_below(&s->rng, SECRETS_MAX);
}

static void wait_for_them(struct people *all)
{
	struct shutout *s = &all->shutout;
	struct person *owner = owner_of(all, s->room);
	struct person *stranger = &all->person[s->stranger];
	if (all->room[s->room].is_private || all->world->now_ms >= s->until_ms) {
		give_up(all);
		return;
	}
	if (!sits(owner, s->room) || !sits(stranger, s->room))
		return;
	bool has_filled = s->fill > 0;
	for (; s->fill && asked_has_capacity(owner); s->fill--)
		write_in(owner, s->room);
	say_all(owner);
	if (has_filled || waits_for_acks(owner, s->room))
		return;
	if (conn_gateway(owner->conn) == conn_gateway(stranger->conn))
		give_up(all);
	else
		cut(all);
}

/* It joins where it is, or asks for the room to be made private to itself and somebody else. */
static void come_again(struct people *all, struct person *stranger)
{
	struct shutout *s = &all->shutout;
	uint32_t other = (uint32_t)rng_below(&s->rng, all->count);
	if (other != stranger->index && chance(s, 300000))
		say_new_room(stranger, s->room, other);
	else
		say_join(stranger, s->room,
			 chance(s, 700000) ? NO_SINCE : stranger->seats[s->room].have);
}

/* From now on whoever may invites. */
static void go_on(struct people *all)
{
	struct shutout *s = &all->shutout;
	struct world *w = all->world;
	struct person *owner = owner_of(all, s->room);
	struct person *stranger = &all->person[s->stranger];
	if (w->now_ms >= s->until_ms) {
		give_up(all);
		return;
	}
	if (w->now_ms >= s->private_ms && all->room[s->room].from_ms == UINT64_MAX)
		all->room[s->room].from_ms = w->now_ms;
	for (; owner->has_invited[s->room] && s->secrets && sits(owner, s->room); s->secrets--)
		write_in(owner, s->room);
	if (owner->conn)
		say_all(owner);
	if (w->now_ms < s->again_ms || !sits(stranger, s->room) || stranger->stalled_until)
		return;
	s->again_ms = w->now_ms + 300 + rng_below(&s->rng, AGAIN_MAX_MS);
	come_again(all, stranger);
	say_all(stranger);
}

void shutout_open(struct people *all)
{
	struct shutout *s = &all->shutout;
	s->rng = all->plan.aside;
	for (uint32_t i = all->rooms - all->plan.privates; i < all->rooms; i++)
		if (all->plan.faults.shutout) /* so that some are left for it */
			all->room[i].from_ms =
				all->world->now_ms + 5000 + rng_below(&s->rng, 30000);
}

bool shutout_holds(const struct people *all, uint32_t room)
{
	return all->shutout.step != SHUTOUT_NONE && all->shutout.room == room;
}

void shutout_act(struct people *all)
{
	struct shutout *s = &all->shutout;
	if (!all->world->faults.shutout)
		return;
	if (s->step == SHUTOUT_COMING) {
		wait_for_them(all);
	} else if (s->step == SHUTOUT_CUT) {
		go_on(all);
	} else if (all->world->now_ms >= s->look_ms) {
		s->look_ms = all->world->now_ms + LOOK_MS;
		begin(all);
	}
}
