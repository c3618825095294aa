// SPDX-License-Identifier: MIT
/* people.c — see people.h: their lives, and what they must have in the end. */
#include "tests/sim/person.h"

#include <stdio.h>

enum { SURGE_INTERVAL_MS = 1000 };

void room_name(uint32_t room, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "room%u", room);
}

void cid_name(const struct person *me, uint64_t number, char cid[NAME_LEN * 2])
{
	snprintf(cid, (size_t)NAME_LEN * 2, "cid-%u-%" PRIu64, me->index, number);
}

static enum voice some_voice(struct person *me)
{
	const struct faults *f = &me->all->plan.faults;
	if (f->socketio && rng_chance(rng_of(me), f->socketio))
		return VOICE_SOCKETIO;
	return f->batched && rng_chance(rng_of(me), f->batched) ? VOICE_BATCHED : VOICE_NATIVE;
}

static void connect_somewhere(struct person *me)
{
	struct world *w = me->all->world;
	me->voice = some_voice(me);
	me->conn = conn_open(w, (uint32_t)rng_below(&w->rng, w->gateways),
			     me->voice == VOICE_SOCKETIO ? WIRE_SOCKETIO : WIRE_NATIVE,
			     me->voice == VOICE_BATCHED, me, &hearing);
	me->connection = ++me->all->connections;
	me->stalled_until = 0;
}

void write_in(struct person *me, uint32_t room)
{
	if (me->seats[room].is_silent || me->post_count == POSTS_MAX || !asked_has_capacity(me))
		return;
	struct post *post = &me->posts[me->post_count++];
	*post = (struct post){.room = room, .number = ++me->posts_made};
	say_post(me, post);
	if (!me->all->plan.is_patient && rng_chance(rng_of(me), 50000))
		say_post(me, post); /* an impatient one sends it twice */
}

static void write_something(struct person *me)
{
	uint32_t room = (uint32_t)rng_below(rng_of(me), me->all->rooms);
	uint64_t count = rng_chance(rng_of(me), 200000) ? 1 + rng_below(rng_of(me), 4) : 1;
	if (me->seats[room].is_joined && seat_is_at_rest(&me->seats[room]))
		while (count--)
			write_in(me, room);
}

static void forget_acked(struct person *me)
{
	size_t kept = 0;
	for (size_t i = 0; i < me->post_count; i++)
		if (!me->posts[i].is_acked)
			me->posts[kept++] = me->posts[i];
	me->post_count = kept;
}

static void repeat_posts(struct person *me)
{
	for (size_t i = 0; i < me->post_count && asked_has_capacity(me); i++) {
		struct post *post = &me->posts[i];
		const struct seat *seat = &me->seats[post->room];
		bool is_late = me->all->world->now_ms > post->sent_ms + RETRY_AFTER_MS;
		if (seat->is_joined && !seat->moving && (!post->is_sent || is_late))
			say_post(me, post);
	}
}

static void vanish(struct person *me)
{
	struct world *w = me->all->world;
	me->is_long_away = rng_chance(&w->rng, 100000);
	world_tell(w, "%s vanishes%s", me->name, me->is_long_away ? " for long" : "");
	conn_close(w, me->conn);
	forget_connection(me);
	me->next_ms = w->now_ms + rng_below(&w->rng, 12000);
}

static void stall(struct person *me)
{
	struct world *w = me->all->world;
	me->stalled_until = w->now_ms + rng_below(&w->rng, 20000);
	conn_stall(me->conn, true);
	for (uint32_t i = 0; i < me->all->rooms; i++)
		me->seats[i].has_stalled = true;
}

/* What a person may do on a whim. */
static void do_something(struct person *me)
{
	struct rng *r = rng_of(me);
	const struct faults *f = &me->all->world->faults;
	private_whim(me);
	write_something(me);
	if (rng_chance(r, 100000)) {
		uint32_t room = (uint32_t)rng_below(r, me->all->rooms);
		if (me->seats[room].is_joined && seat_is_at_rest(&me->seats[room]))
			say_typing(me, room);
	}
	seats_whim(me);
	if (me->seats[0].is_joined && rng_chance(r, f->nonsense))
		say_nonsense(me);
	say_all(me);
	if (rng_chance(r, f->stall))
		stall(me);
	if (rng_chance(r, f->vanish))
		vanish(me);
}

static void read_again(struct person *me)
{
	struct world *w = me->all->world;
	if (!me->stalled_until || (w->now_ms < me->stalled_until && !me->all->settled_ms))
		return;
	me->stalled_until = 0;
	me->read_ms = w->now_ms;
	conn_stall(me->conn, false);
}

/* A connection that does not answer is given up for another one. */
static bool try_elsewhere(struct person *me)
{
	struct world *w = me->all->world;
	if (!asked_is_join_late(me))
		return false;
	conn_close(w, me->conn);
	forget_connection(me);
	me->next_ms = w->now_ms + rng_below(&w->rng, 500);
	return true;
}

static void act(struct person *me)
{
	struct world *w = me->all->world;
	if (!me->conn) {
		if (!me->is_long_away)
			connect_somewhere(me);
		me->next_ms = w->now_ms + 200;
		return;
	}
	read_again(me);
	asked_look(me);
	if (try_elsewhere(me))
		return;
	forget_acked(me);
	seats_reconcile(me);
	repeat_posts(me);
	for (uint32_t i = 0; i < me->all->rooms; i++)
		if (me->seats[i].is_joined && me->seats[i].has_history)
			ask_gap(me, i);
	me->next_ms = w->now_ms + 20 + rng_below(&w->rng, me->all->plan.post_interval_ms);
	if (!me->all->settled_ms && asked_has_capacity(me))
		do_something(me);
	say_all(me);
}

struct people *people_open(struct world *w, struct promises *p, const struct plan *plan)
{
	uint32_t count = plan->people;
	uint32_t rooms = plan->rooms;
	CHECK(count <= PEOPLE_MAX && rooms <= ROOMS_MAX && count >= 3 && rooms > plan->privates);
	struct people *all = mem_alloc(sizeof *all);
	*all = (struct people){
		.world = w, .promises = p, .count = count, .rooms = rooms, .plan = *plan};
	for (uint32_t i = 0; i < count; i++) {
		struct person *me = &all->person[i];
		me->all = all;
		me->index = i;
		me->oldest_id = 1;
		snprintf(me->name, sizeof me->name, "person%u", i);
		snprintf(me->key, sizeof me->key, "key-of-person-%04u-----", i);
		me->next_ms = w->now_ms + rng_below(&w->rng, 2000);
		for (uint32_t r = 0; r < rooms - plan->privates; r++)
			me->seats[r].is_wanted = me->seats[r].is_home =
				r == 0 || rng_chance(&w->rng, 500000);
	}
	private_open(all);
	shutout_open(all);
	older_open(all);
	return all;
}

void people_close(struct people *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		buf_free(&all->person[i].batch);
		shown_free(&all->person[i]);
	}
	older_close(all);
	buf_free(&all->line);
	mem_free(all);
}

/* Most lose their connection at once, and are back at once. */
static void surge(struct people *all)
{
	struct world *w = all->world;
	if (w->now_ms < all->surge_ms)
		return;
	all->surge_ms = w->now_ms + SURGE_INTERVAL_MS;
	if (!w->faults.surge || !rng_chance(&w->rng, w->faults.surge))
		return;
	world_tell(w, "most lose their connection");
	for (uint32_t i = 0; i < all->count; i++) {
		struct person *me = &all->person[i];
		if (!me->conn || rng_chance(&w->rng, 200000))
			continue;
		conn_close(w, me->conn);
		forget_connection(me);
		me->next_ms = w->now_ms + rng_below(&w->rng, 30);
	}
}

void people_act(struct people *all)
{
	surge(all);
	private_look(all);
	shutout_act(all);
	older_act(all);
	for (uint32_t i = 0; i < all->count; i++)
		if (all->world->now_ms >= all->person[i].next_ms)
			act(&all->person[i]);
}

void people_settle(struct people *all)
{
	all->settled_ms = all->world->now_ms;
	for (uint32_t i = 0; i < all->count; i++)
		all->person[i].is_long_away = false;
}

void people_check(struct people *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		struct person *me = &all->person[i];
		for (uint32_t room = 0; room < all->rooms; room++)
			if (!me->seats[room].is_wanted)
				seat_give_up(me, room);
		forget_acked(me);
		if (me->post_count)
			promise_broken(all->promises,
				       "%s waits for the ack of message %" PRIu64
				       " after the quiet",
				       me->name, me->posts[0].number);
		seats_check(me);
	}
	private_check(all);
	promise_all_kept(all->promises);
	promise_order(all->promises);
}
