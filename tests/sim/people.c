// SPDX-License-Identifier: MIT
/* people.c — see people.h: their lives, and what they must have in the end. */
#include "tests/sim/person.h"

#include <stdio.h>

void room_name(uint32_t room, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "room%u", room);
}

static struct rng *rng(struct person *me)
{
	return &me->all->world->rng;
}

static void connect_somewhere(struct person *me)
{
	struct world *w = me->all->world;
	me->conn = conn_open(w, (uint32_t)rng_below(&w->rng, w->gateways), me, &hearing);
	me->stalled_until = 0;
}

/* A connection that does not answer is given up for another one. */
static bool is_unanswered(const struct person *me)
{
	for (uint32_t i = 0; i < me->all->rooms; i++) {
		const struct seat *seat = &me->seats[i];
		if (seat->join_id && !seat->is_joined &&
		    me->all->world->now_ms >= seat->join_ms + RETRY_AFTER_MS)
			return true;
	}
	return false;
}

static void join_wanted(struct person *me)
{
	for (uint32_t i = 0; i < me->all->rooms; i++) {
		struct seat *seat = &me->seats[i];
		bool is_too_soon = me->all->world->now_ms < seat->join_ms + JOIN_AGAIN_MS;
		if (seat->is_wanted && !seat->is_joined && !seat->join_id && !is_too_soon)
			say_join(me, i);
	}
}

static void write_something(struct person *me)
{
	uint32_t room = (uint32_t)rng_below(rng(me), me->all->rooms);
	if (!me->seats[room].is_joined || me->post_count == POSTS_MAX)
		return;
	struct post *post = &me->posts[me->post_count++];
	*post = (struct post){.room = room};
	snprintf(post->cid, sizeof post->cid, "cid-%u-%" PRIu64, me->index, ++me->posts_made);
	say_post(me, post);
	if (!me->all->plan.is_patient && rng_chance(rng(me), 50000))
		say_post(me, post); /* an impatient one sends it twice */
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
	for (size_t i = 0; i < me->post_count; i++) {
		struct post *post = &me->posts[i];
		bool is_late = me->all->world->now_ms > post->sent_ms + RETRY_AFTER_MS;
		if (is_late && post->is_sent && !is_excused(me, post->sent_ms))
			promise_answered(me->all->promises, me->name, "any answer",
					 me->all->world->now_ms - post->sent_ms);
		if (me->seats[post->room].is_joined && (!post->is_sent || is_late))
			say_post(me, post);
	}
}

/* Person 0 invites person 1; at times without having joined the room before. */
static void invite(struct person *me)
{
	struct people *all = me->all;
	const struct seat *seat = &me->seats[all->rooms - 1];
	if (me->index != 0 || all->is_private || me->invite_id)
		return;
	if (seat->is_joined || (!seat->join_id && me->seats[0].is_joined))
		say_new_room(me);
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
	struct rng *r = rng(me);
	const struct faults *f = &me->all->world->faults;
	invite(me);
	write_something(me);
	if (rng_chance(r, 100000)) {
		uint32_t room = (uint32_t)rng_below(r, me->all->rooms);
		if (me->seats[room].is_joined)
			say_typing(me, room);
	}
	struct seat *last = &me->seats[me->all->rooms - 1];
	if (!last->is_joined && !last->join_id && !me->invite_id && rng_chance(r, 5000))
		say_join(me, me->all->rooms - 1); /* somebody tries what may be private */
	if (me->seats[0].is_joined && rng_chance(r, f->nonsense))
		say_nonsense(me);
	if (rng_chance(r, f->stall))
		stall(me);
	if (rng_chance(r, f->vanish))
		vanish(me);
}

static void act(struct person *me)
{
	struct world *w = me->all->world;
	bool is_settling = me->all->is_settling;
	if (!me->conn) {
		if (!me->is_long_away)
			connect_somewhere(me);
		me->next_ms = w->now_ms + 200;
		return;
	}
	if (me->stalled_until && (w->now_ms >= me->stalled_until || is_settling)) {
		me->stalled_until = 0;
		me->read_ms = w->now_ms;
		conn_stall(me->conn, false);
	}
	if (is_unanswered(me)) {
		conn_close(w, me->conn);
		forget_connection(me);
		me->next_ms = w->now_ms + rng_below(&w->rng, 500);
		return;
	}
	forget_acked(me);
	join_wanted(me);
	repeat_posts(me);
	for (uint32_t i = 0; i < me->all->rooms; i++)
		if (me->seats[i].is_joined && me->seats[i].has_history)
			ask_gap(me, i);
	me->next_ms = w->now_ms + 20 + rng_below(&w->rng, me->all->plan.post_interval_ms);
	if (!is_settling)
		do_something(me);
}

struct people *people_open(struct world *w, struct promises *p, const struct plan *plan)
{
	uint32_t count = plan->people;
	uint32_t rooms = plan->rooms;
	CHECK(count <= PEOPLE_MAX && rooms <= ROOMS_MAX && count >= 3 && rooms >= 2);
	struct people *all = mem_alloc(sizeof *all);
	*all = (struct people){
		.world = w, .promises = p, .count = count, .rooms = rooms, .plan = *plan};
	for (uint32_t i = 0; i < count; i++) {
		struct person *me = &all->person[i];
		me->all = all;
		me->index = i;
		snprintf(me->name, sizeof me->name, "person%u", i);
		snprintf(me->key, sizeof me->key, "key-of-person-%04u-----", i);
		me->next_ms = w->now_ms + rng_below(&w->rng, 2000);
		me->seats[0].is_wanted = true;
		me->seats[rooms - 1].is_wanted = i == 0;
		for (uint32_t r = 1; r + 1 < rooms; r++)
			me->seats[r].is_wanted = rng_chance(&w->rng, 500000);
	}
	return all;
}

void people_close(struct people *all)
{
	buf_free(&all->line);
	mem_free(all);
}

void people_act(struct people *all)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (all->world->now_ms >= all->person[i].next_ms)
			act(&all->person[i]);
}

void people_settle(struct people *all)
{
	all->is_settling = true;
	for (uint32_t i = 0; i < all->count; i++)
		all->person[i].is_long_away = false;
}

/* ---- after the quiet ---- */

static void check_seat(struct people *all, const struct person *me, uint32_t room)
{
	const struct seat *seat = &me->seats[room];
	char name[NAME_LEN];
	room_name(room, name);
	if (!seat->is_joined) {
		promise_broken(all->promises, "%s is not in %s after the quiet", me->name, name);
		return;
	}
	promise_all_had(all->promises, me->name, str_from(name), seat->have);
	for (uint32_t i = 0; i < all->count; i++) {
		bool is_there = all->person[i].conn && all->person[i].seats[room].is_joined;
		promise_presence(all->promises, me->name, str_from(name), all->person[i].name,
				 seat->people[i], is_there);
		if (seat->typing_ms[i] && !seat->has_stalled)
			promise_typing_ends(all->promises, me->name, all->person[i].name,
					    seat->typing_ms[i]);
	}
}

void people_check(struct people *all)
{
	for (uint32_t i = 0; i < all->count; i++) {
		struct person *me = &all->person[i];
		forget_acked(me);
		if (!me->conn)
			promise_broken(all->promises, "%s is not connected after the quiet",
				       me->name);
		if (me->post_count)
			promise_broken(all->promises, "%s waits for the ack of %s after the quiet",
				       me->name, me->posts[0].cid);
		for (uint32_t room = 0; room < all->rooms; room++)
			if (me->seats[room].is_wanted)
				check_seat(all, me, room);
	}
	promise_all_kept(all->promises);
}
