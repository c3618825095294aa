// SPDX-License-Identifier: MIT
/* private.c — rooms of two: who invites whom, who tries what is not for them, and what must be so
 * once the disk says that a room is private. */
#include "tests/sim/person.h"

enum { LOOK_MS = 100, INVITE_AGAIN_MS = 500, INVITE_LATE_MS = 25000 };

bool is_meant_private(const struct people *all, uint32_t room)
{
	return room >= all->rooms - all->plan.privates;
}

void private_open(struct people *all)
{
	struct rng *rng = &all->world->rng;
	for (uint32_t i = all->rooms - all->plan.privates; i < all->rooms; i++) {
		struct room_facts *room = &all->room[i];
		bool is_last = i + 1 == all->rooms;
		room->owner = is_last ? 0 : (uint32_t)rng_below(rng, all->count);
		room->guest = (room->owner + 1 +
			       (is_last ? 0 : (uint32_t)rng_below(rng, all->count - 1))) %
			      all->count;
		room->is_mutual = i % 2 == 0;
		if (rng_chance(rng, 500000))
			room->from_ms = all->world->now_ms + rng_below(rng, INVITE_LATE_MS);
		all->person[room->owner].seats[i].is_wanted = true;
		all->person[room->owner].seats[i].is_home = true;
	}
}

/* Who has it, as the disk says. */
static void look(struct people *all, uint32_t i)
{
	struct room_facts *room = &all->room[i];
	char name[NAME_LEN];
	struct str owner;
	struct str guest;
	room_name(i, name);
	if (room->is_private || !promises_owners(all->promises, str_from(name), &owner, &guest))
		return;
	room->is_private = true;
	room->owner = person_named(all, owner);
	room->guest = person_named(all, guest);
	room->private_seq = promises_head(all->promises, str_from(name));
	room->private_ms = all->world->now_ms;
	world_tell(all->world, "%s is private to %s and %s", name, all->person[room->owner].name,
		   all->person[room->guest].name);
}

void private_look(struct people *all)
{
	if (all->world->now_ms < all->look_ms)
		return;
	all->look_ms = all->world->now_ms + LOOK_MS;
	for (uint32_t i = all->rooms - all->plan.privates; i < all->rooms; i++)
		look(all, i);
}

static bool is_of(const struct room_facts *room, uint32_t person)
{
	return room->owner == person || room->guest == person;
}

bool is_private_to_others(const struct person *me, uint32_t room)
{
	const struct room_facts *facts = &me->all->room[room];
	return facts->is_private && !is_of(facts, me->index);
}

/* ---- what they do ---- */

static void invite(struct person *me, uint32_t i)
{
	const struct room_facts *room = &me->all->room[i];
	const struct seat *seat = &me->seats[i];
	uint32_t other = room->owner == me->index ? room->guest : room->owner;
	bool is_known = seat->is_joined || me->seats[0].is_joined;
	if (!is_known || !seat_is_at_rest(seat) || me->all->world->now_ms < me->invite_ms)
		return;
	me->invite_ms = me->all->world->now_ms + INVITE_AGAIN_MS;
	say_new_room(me, i, other);
}

static void intrude(struct person *me, uint32_t i)
{
	struct seat *seat = &me->seats[i];
	uint32_t other = (uint32_t)rng_below(rng_of(me), me->all->count);
	if (is_of(&me->all->room[i], me->index) || seat->is_joined || !seat_is_at_rest(seat) ||
	    shutout_holds(me->all, i))
		return;
	seat->is_silent = rng_chance(rng_of(me), 700000) || me->all->plan.faults.shutout;
	if (me->all->plan.privates > 1 && me->seats[0].is_joined && other != me->index &&
	    rng_chance(rng_of(me), 300000))
		say_new_room(me, i, other);
	else
		say_join(me, i, rng_chance(rng_of(me), 500000) ? seat->have : NO_SINCE);
}

/* The owner invites, at times without having joined the room before; in some rooms the guest does
 * too. */
void private_whim(struct person *me)
{
	struct people *all = me->all;
	uint64_t rate = all->world->faults.intrude;
	for (uint32_t i = all->rooms - all->plan.privates; i < all->rooms; i++) {
		const struct room_facts *room = &all->room[i];
		bool may_invite =
			room->owner == me->index || (room->is_mutual && room->guest == me->index);
		if (!asked_has_capacity(me))
			return;
		if (may_invite && all->world->now_ms >= room->from_ms &&
		    (!me->has_invited[i] || rng_chance(rng_of(me), rate)))
			invite(me, i);
		else if (rng_chance(rng_of(me), rate))
			intrude(me, i);
	}
}

/* ---- what they are told ---- */

static void must_be_theirs(const struct person *me, uint32_t i, uint32_t other)
{
	const struct room_facts *room = &me->all->room[i];
	char name[NAME_LEN];
	room_name(i, name);
	look(me->all, i);
	if (!room->is_private || !is_of(room, me->index) || !is_of(room, other))
		promise_invitation(me->all->promises, me->name, str_from(name),
				   "is told of, but the disk does not say it is theirs");
}

void private_acked(struct person *me, const struct asked *a, struct str status)
{
	struct person *guest = &me->all->person[a->guest];
	must_be_theirs(me, a->room, a->guest);
	me->has_invited[a->room] = true;
	if (str_equal(status, STR("invited")) && !guest->was_invited[a->room] &&
	    a->sent_ms > promises_put_back_ms(me->all->promises, str_from(guest->name)))
		guest->is_owed[a->room] = true;
}

void private_shown(struct person *me, uint32_t room, struct str from)
{
	must_be_theirs(me, room, person_named(me->all, from));
	me->was_invited[room] = true;
	me->is_owed[room] = false;
	me->seats[room].is_silent = false;
	me->seats[room].is_wanted = me->seats[room].is_home = true;
}

/* It tries at once whether the gateway means it. */
static void be_refused(struct person *me, uint32_t i)
{
	const struct seat *seat = &me->seats[i];
	if (is_meant_private(me->all, i))
		look(me->all, i);
	if (!is_private_to_others(me, i))
		return;
	me->seats[i].refused_ms = me->all->world->now_ms;
	if (me->all->world->faults.shutout && seat_is_at_rest(seat) && asked_has_capacity(me))
		say_leave(me, i);
}

void private_answered_well(struct person *me, const struct asked *a)
{
	uint64_t refused_ms = me->seats[a->room].refused_ms;
	char name[NAME_LEN];
	room_name(a->room, name);
	if (refused_ms && a->sent_ms >= refused_ms && a->kind != ASKED_NONSENSE)
		promise_private(me->all->promises, me->name, str_from(name),
				"was refused, and still is a member of");
}

/* Nobody is refused what is theirs. */
void private_refused(struct person *me, const struct asked *a, uint32_t room, struct str code)
{
	const struct room_facts *facts = &me->all->room[room];
	char name[NAME_LEN];
	if (str_equal(code, STR("forbidden")))
		be_refused(me, room);
	if (!facts->is_private || !is_of(facts, me->index))
		return;
	if (a && a->sent_ms <= facts->private_ms)
		return;
	bool is_third = a && a->kind == ASKED_INVITE && !is_of(facts, a->guest);
	bool is_rejected = str_equal(code, STR("forbidden")) || str_equal(code, STR("room_taken"));
	room_name(room, name);
	if (is_rejected && !is_third)
		promise_invitation(me->all->promises, me->name, str_from(name),
				   a ? "is refused" : "is put out of");
}

/* Who has joined nothing has no name to be invited by. */
static bool is_in_any(const struct person *me)
{
	bool is_in = false;
	for (uint32_t i = 0; i < me->all->rooms; i++)
		is_in |= me->seats[i].is_joined;
	return is_in;
}

void private_check(struct people *all)
{
	for (uint32_t i = all->rooms - all->plan.privates; i < all->rooms; i++) {
		char name[NAME_LEN];
		room_name(i, name);
		look(all, i);
		for (uint32_t p = 0; p < all->count; p++) {
			const struct person *me = &all->person[p];
			if (me->seats[i].is_joined && is_private_to_others(me, i))
				promise_private(all->promises, me->name, str_from(name), "sits in");
			if (me->is_owed[i] && is_in_any(me))
				promise_invitation(all->promises, me->name, str_from(name),
						   "never hears of its invitation to");
		}
	}
}
