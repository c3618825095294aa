// SPDX-License-Identifier: MIT
/* seats.c — the rooms that a simulated client is in: it comes, leaves, comes straight back, joins
 * again where it is, and says several things at once. Rooms of two are private.c's. */
#include "tests/sim/person.h"

enum { PIPELINE_MAX = 8, COMES_BACK = 50000, OLDER_MAX = 100 };

bool seat_is_at_rest(const struct seat *seat)
{
	return !seat->moving && !seat->is_inviting;
}

void seats_reconcile(struct person *me)
{
	uint64_t now_ms = me->all->world->now_ms;
	for (uint32_t i = 0; i < me->all->rooms; i++) {
		const struct seat *seat = &me->seats[i];
		if (!seat_is_at_rest(seat) || !asked_has_capacity(me))
			continue;
		if (seat->is_wanted && !seat->is_joined && now_ms >= seat->join_ms + JOIN_AGAIN_MS)
			say_join(me, i, seat->have);
		else if (!seat->is_wanted && seat->is_joined)
			say_leave(me, i);
	}
}

/* Nobody promises anything for what was written there and not acked. */
void seat_give_up(struct person *me, uint32_t room)
{
	me->seats[room].is_wanted = false;
	for (size_t i = 0; i < me->post_count; i++)
		if (me->posts[i].room == room)
			me->posts[i].is_acked = true;
}

static bool chance(struct person *me, uint64_t in_a_million)
{
	return rng_chance(rng_of(me), in_a_million);
}

static uint32_t some_room(struct person *me)
{
	return (uint32_t)rng_below(rng_of(me), me->all->rooms);
}

/* Where it has read to, or some way back, or no word of it. */
static uint64_t some_since(struct person *me, const struct seat *seat)
{
	uint64_t back = chance(me, 300000) ? rng_below(rng_of(me), OLDER_MAX) : 0;
	if (chance(me, 350000))
		return NO_SINCE;
	return back < seat->have ? seat->have - back : 0;
}

static bool is_in(const struct seat *seat)
{
	return seat->is_joined && seat_is_at_rest(seat);
}

static void leave(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	if (!is_in(seat))
		return;
	if (chance(me, 500000))
		write_in(me, room);
	say_leave(me, room);
	if (chance(me, 100000))
		write_in(me, room);
	if (!chance(me, 400000)) {
		seat->is_wanted = false;
		return;
	}
	say_join(me, room, some_since(me, seat));
	if (chance(me, 500000))
		write_in(me, room);
}

/* In and out before the answer, and perhaps in again. */
static void look_in(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	bool may_come = seat->is_home || seat->is_wanted;
	if (seat->is_joined || !seat_is_at_rest(seat) || !may_come)
		return;
	say_join(me, room, some_since(me, seat));
	if (chance(me, 300000))
		write_in(me, room);
	if (chance(me, 200000))
		say_typing(me, room);
	say_leave(me, room);
	if (chance(me, 500000))
		say_join(me, room, seat->have);
	seat->is_wanted = seat->will_be_joined;
}

static void join_again(struct person *me, uint32_t room)
{
	if (!is_in(&me->seats[room]))
		return;
	if (chance(me, 500000))
		write_in(me, room);
	say_join(me, room, some_since(me, &me->seats[room]));
	if (chance(me, 500000))
		write_in(me, room);
}

static void say_much(struct person *me, uint32_t room)
{
	uint64_t count = 2 + rng_below(rng_of(me), PIPELINE_MAX - 1);
	while (count-- && is_in(&me->seats[room]))
		write_in(me, room);
}

void seats_whim(struct person *me)
{
	const struct faults *f = &me->all->world->faults;
	if (!asked_has_capacity(me))
		return;
	if (chance(me, f->leave))
		leave(me, some_room(me));
	if (chance(me, f->quick))
		look_in(me, some_room(me));
	if (chance(me, f->rejoin))
		join_again(me, some_room(me));
	if (chance(me, f->pipeline))
		say_much(me, some_room(me));
	struct seat *seat = &me->seats[some_room(me)];
	if (seat->is_home && !seat->is_wanted && chance(me, COMES_BACK))
		seat->is_wanted = true;
}

/* ---- after the quiet ---- */

static void check_seat(struct person *me, uint32_t room)
{
	struct people *all = me->all;
	const struct seat *seat = &me->seats[room];
	char name[NAME_LEN];
	room_name(room, name);
	if (seat->is_wanted != seat->is_joined)
		promise_broken(all->promises, "%s is%s in %s after the quiet", me->name,
			       seat->is_joined ? "" : " not", name);
	if (!seat->is_wanted || !seat->is_joined)
		return;
	promise_all_had(all->promises, me->name, str_from(name), seat->have);
	shown_check(me, room);
	for (uint32_t i = 0; i < all->count; i++) {
		bool is_there = all->person[i].conn && all->person[i].seats[room].is_joined;
		promise_presence(all->promises, me->name, str_from(name), all->person[i].name,
				 seat->people[i], is_there);
		if (seat->typing_ms[i] && !seat->has_stalled)
			promise_typing_ends(all->promises, me->name, all->person[i].name,
					    seat->typing_ms[i]);
	}
}

void seats_check(struct person *me)
{
	for (uint32_t room = 0; room < me->all->rooms; room++)
		check_seat(me, room);
}
