// SPDX-License-Identifier: MIT
/* asked.c — what a simulated client has asked and is not answered yet. Here is noticed when a reply
 * never comes, comes twice, late, or before that to what it was sent behind. */
#include "tests/sim/person.h"

#include <stdio.h>

enum {
	UNANSWERED_MAX = 50, /* with 64 the gateway reads no further */
	ACK_AFTER_SHOWN_MS = 2500,
	INVITE_STEPS_MS = 10000 /* newRoom takes up to two more steps, each as long */
};                              /* newRoom takes up to two more steps, each as long */

static const char *kind_name(enum asked_kind kind)
{
	static const char *const names[] = {"nothing", "userJoin",   "userLeave", "updateChat",
					    "history", "userTyping", "newRoom",   "nonsense"};
	return names[kind];
}

static struct asked *place(struct person *me, uint64_t id)
{
	return &me->asked[id % ASKED_MAX];
}

bool asked_has_capacity(const struct person *me)
{
	return me->asked_count < UNANSWERED_MAX && me->next_id < me->oldest_id + ASKED_MAX / 2;
}

struct asked *asked_add(struct person *me, enum asked_kind kind, uint32_t room)
{
	const struct seat *seat = &me->seats[room];
	struct asked *a = place(me, me->next_id);
	CHECK(a->id == 0);
	me->asked_count++;
	*a = (struct asked){.id = me->next_id,
			    .sent_ms = me->all->world->now_ms,
			    .kind = kind,
			    .room = room,
			    .behind_id = seat->move_id,
			    .behind_kind = seat->move_kind};
	return a;
}

struct asked *asked_find(struct person *me, uint64_t id)
{
	struct asked *a = place(me, id);
	return id && a->id == id ? a : NULL;
}

static void free_place(struct person *me, struct asked *a)
{
	a->id = 0;
	me->asked_count--;
	while (me->oldest_id <= me->next_id && place(me, me->oldest_id)->id == 0)
		me->oldest_id++;
}

/* When the gateway could begin with it: what waits behind a join or newRoom of its room holds up
 * all that its connection sent after it. */
static uint64_t begun_ms(const struct person *me, const struct asked *a)
{
	uint64_t begun_ms = a->sent_ms;
	for (uint32_t i = 0; i < me->all->rooms; i++)
		if (me->seats[i].moved_ms > begun_ms)
			begun_ms = me->seats[i].moved_ms;
	return begun_ms;
}

static void check_time(struct person *me, const struct asked *a, bool has_come)
{
	uint64_t waits_ms = me->all->world->now_ms - begun_ms(me, a);
	uint64_t allowed_ms = a->kind == ASKED_INVITE ? INVITE_STEPS_MS : 0;
	char what[64];
	if (is_excused(me, a->sent_ms) || waits_ms <= allowed_ms)
		return;
	snprintf(what, sizeof what, "%s answer to %s", has_come ? "the" : "any",
		 kind_name(a->kind));
	promise_answered(me->all->promises, me->name, what, waits_ms - allowed_ms);
}

/* What follows a join or a leave is taken after it, and so answered. */
static void check_order(struct person *me, const struct asked *a, struct str code)
{
	const struct asked *before = asked_find(me, a->behind_id);
	const struct seat *seat = &me->seats[a->room];
	if (str_equal(code, STR("rate_limited")) || a->kind == ASKED_NONSENSE)
		return;
	if (before && before->kind != ASKED_INVITE)
		promise_in_turn(me->all->promises, me->name, kind_name(a->kind), a->id,
				kind_name(before->kind), before->id);
	bool is_in = a->behind_kind == ASKED_JOIN && seat->refused_id != a->behind_id &&
		     !seat->was_put_out;
	if (is_in && str_equal(code, STR("not_joined")))
		promise_in_turn(me->all->promises, me->name, "not_joined for what", a->id,
				"was sent behind userJoin", a->behind_id);
	bool is_out = a->behind_kind == ASKED_LEAVE && seat->refused_id != a->behind_id;
	bool is_entry = a->kind == ASKED_JOIN || a->kind == ASKED_INVITE;
	if (is_out && code.len == 0 && !is_entry)
		promise_in_turn(me->all->promises, me->name, "an ack for what", a->id,
				"was sent behind userLeave", a->behind_id);
}

bool asked_answered(struct person *me, uint64_t id, struct str code, struct asked *a)
{
	struct asked *there = asked_find(me, id);
	if (!there) {
		promise_one_reply(me->all->promises, me->name, "what it has not asked", id);
		return false;
	}
	*a = *there;
	check_time(me, a, true);
	check_order(me, a, code);
	free_place(me, there);
	return true;
}

/* Whether that join, or the one it waits behind, takes so long that a client would try elsewhere.
 */
bool asked_is_join_late(const struct person *me)
{
	for (uint64_t id = me->oldest_id; id <= me->next_id; id++) {
		const struct asked *a = &me->asked[id % ASKED_MAX];
		if (a->id == id && a->kind == ASKED_JOIN &&
		    me->all->world->now_ms >= begun_ms(me, a) + RETRY_AFTER_MS)
			return true;
	}
	return false;
}

void asked_look(struct person *me)
{
	const struct people *all = me->all;
	uint64_t now_ms = all->world->now_ms;
	for (uint64_t id = me->oldest_id; id <= me->next_id; id++) {
		const struct asked *a = asked_find(me, id);
		if (a && now_ms > begun_ms(me, a) + RETRY_AFTER_MS)
			check_time(me, a, false);
		if (a && a->shown_ms && all->plan.is_patient &&
		    now_ms > a->shown_ms + ACK_AFTER_SHOWN_MS && !is_excused(me, a->sent_ms))
			promise_ack_in_place(all->promises, me->name, id);
		if (a && all->settled_ms && now_ms > all->settled_ms + UNANSWERED_MS &&
		    now_ms > a->sent_ms + UNANSWERED_MS)
			promise_one_reply(all->promises, me->name, kind_name(a->kind), id);
	}
}

void asked_forget(struct person *me)
{
	for (uint64_t id = me->oldest_id; id <= me->next_id; id++)
		place(me, id)->id = 0;
	me->oldest_id = me->next_id + 1;
	me->asked_count = 0;
}
