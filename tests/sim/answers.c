// SPDX-License-Identifier: MIT
/* answers.c — the replies to what a simulated client has asked. */
#include "tests/sim/person.h"

#include <jansson.h>

static struct post *post_of(struct person *me, uint64_t number)
{
	for (size_t i = 0; i < me->post_count; i++)
		if (me->posts[i].number == number)
			return &me->posts[i];
	return NULL;
}

/* A join or a leave is answered. */
static struct seat *moved(struct person *me, const struct asked *a)
{
	struct seat *seat = &me->seats[a->room];
	seat->moved_ms = me->all->world->now_ms;
	if (a->kind != ASKED_INVITE && seat->moving)
		seat->moving--;
	return seat;
}

static void on_join_ack(struct person *me, const struct asked *a, const json_t *data)
{
	struct seat *seat = moved(me, a);
	seat->is_again = seat->is_joined;
	seat->is_joined = true;
	seat->has_list = seat->has_history = seat->was_put_out = false;
	seat->greeting = *a;
	seat->has_stalled = is_behind(me);
	memset(seat->typing_ms, 0, sizeof seat->typing_ms);
	if (!seat->is_again)
		seat->live_first = seat->live_last = 0;
	if (seat->will_be_joined)
		seat->is_wanted = true;
	if (!seat->is_again && is_private_to_others(me, a->room) &&
	    a->sent_ms > me->all->room[a->room].private_ms)
		promise_private(me->all->promises, me->name, text_of(data, "room"), "joins");
}

static void on_leave_ack(struct person *me, const struct asked *a)
{
	struct seat *seat = moved(me, a);
	seat->is_joined = seat->has_list = seat->has_history = false;
	memset(seat->typing_ms, 0, sizeof seat->typing_ms);
}

static void on_page(struct person *me, const struct asked *a, const json_t *data)
{
	struct seat *seat = &me->seats[a->room];
	uint64_t epoch = 0;
	size_t i;
	const json_t *message;
	if (a->id <= seat->reset_id)
		return;
	seat->is_asking = false;
	json_array_foreach(json_object_get(data, "messages"), i, message)
	{
		uint64_t seq = number_of(message, "seq");
		epoch = i ? epoch : shown_epoch(seat, seq - 1);
		bool does_stand = told(me, a->room, message, &epoch, SHOWN_PAGE);
		if (seq <= seat->have)
			continue; /* the live run has met the pages */
		if (does_stand &&
		    !promises_follows(me->all->promises, text_of(message, "room"), seat->have, seq))
			promise_broken(me->all->promises,
				       "%s in room%u: a page has %" PRIu64 " after %" PRIu64,
				       me->name, a->room, seq, seat->have);
		seat->have = seq;
	}
	close_gap(seat);
	if (seat->is_joined && seat->has_history)
		ask_gap(me, a->room);
}

static void on_post_ack(struct person *me, const struct asked *a, const json_t *data)
{
	struct post *post = post_of(me, a->number);
	uint64_t seq = number_of(data, "seq");
	char cid[NAME_LEN * 2];
	cid_name(me, a->number, cid);
	bool is_only = post && post->sendings == 1;
	if (post)
		post->is_acked = true;
	const struct told t = {.person = me->name,
			       .room = text_of(data, "room"),
			       .cid = str_from(cid),
			       .seq = seq,
			       .epoch = number_of(data, "epoch"),
			       .is_ack = true};
	promise_told(me->all->promises, &t);
	promise_sent_well(me->all->promises, &(struct sent){.person = me->name,
							    .connection = me->connection,
							    .id = a->id,
							    .room = text_of(data, "room")});
	/* One that was sent once, into a room that is being read, is acked in its place; a
	 * repeated one may have been read before. */
	const struct seat *seat = &me->seats[a->room];
	bool is_first = is_only && a->sent_ms > seat->history_ms;
	/* Whoever leaves gets at once what was stored meanwhile. */
	bool is_leaving = seat->moving && seq > seat->live_last &&
			  !promises_follows(me->all->promises, t.room, seat->live_last, seq);
	/* What is gone, or may be, is acked no later than with the word to begin anew, wherever it
	 * stood. */
	bool does_stand = !promises_is_gone(me->all->promises, &t) &&
			  a->sent_ms > promises_put_back_ms(me->all->promises, t.room);
	if (seat->has_history && !is_leaving &&
	    ((is_first && does_stand) || seq > seat->live_last)) {
		shown_add(me, a->room, &t, &me->seats[a->room].shown.epoch, SHOWN_LIVE);
		live_step(me, a->room, seq, does_stand, "ack");
	}
}

static void on_invite_ack(struct person *me, const struct asked *a, const json_t *data)
{
	struct seat *seat = moved(me, a);
	seat->is_inviting = false;
	seat->is_joined = seat->will_be_joined = seat->is_wanted = true;
	private_acked(me, a, text_of(data, "status"));
}

void on_ack(struct person *me, uint64_t id, const json_t *data)
{
	struct asked a;
	if (!asked_answered(me, id, (struct str){0}, &a))
		return;
	private_answered_well(me, &a);
	switch (a.kind) {
	case ASKED_JOIN:
		on_join_ack(me, &a, data);
		return;
	case ASKED_LEAVE:
		on_leave_ack(me, &a);
		return;
	case ASKED_POST:
		on_post_ack(me, &a, data);
		return;
	case ASKED_PAGE:
		on_page(me, &a, data);
		return;
	case ASKED_INVITE:
		on_invite_ack(me, &a, data);
		return;
	case ASKED_NONSENSE:
		promise_clear_error(me->all->promises, me->name, STR("an ack"), me->nonsense_code);
		me->nonsense_id = 0;
		return;
	case ASKED_TYPING:
	case ASKED_NOTHING:
		return;
	}
}

/* ---- errors ---- */

/* What was not allowed may still be too much at once. */
static void check_nonsense(struct person *me, struct str code)
{
	if (!str_equal(code, STR("rate_limited")))
		promise_clear_error(me->all->promises, me->name, code, me->nonsense_code);
}

static void on_post_error(struct person *me, const struct asked *a, struct str code)
{
	struct post *post = post_of(me, a->number);
	char room[NAME_LEN];
	room_name(a->room, room);
	promise_sent_in_vain(me->all->promises,
			     &(struct sent){.person = me->name,
					    .connection = me->connection,
					    .id = a->id,
					    .text = conn_read(me->conn),
					    .room = str_from(room)},
			     str_equal(code, STR("unavailable")) && !is_excused(me, a->sent_ms));
	if (post)
		post->is_sent = false;
	bool is_carried = me->all->plan.is_patient && str_equal(code, STR("unavailable"));
	if (is_carried)
		promise_carried(me->all->promises, me->name, code);
}

static void on_move_error(struct person *me, const struct asked *a, struct str code)
{
	struct seat *seat = moved(me, a);
	seat->refused_id = a->id;
	if (a->kind == ASKED_JOIN && seat->is_joined)
		seat->has_stalled = true; /* what came and went meanwhile is told by a list */
	if (a->kind == ASKED_INVITE)
		seat->is_inviting = false;
	if (a->kind == ASKED_LEAVE && str_equal(code, STR("not_joined")))
		seat->is_joined = false;
	if (str_equal(code, STR("forbidden"))) {
		seat->is_joined = seat->has_history = false;
		seat_give_up(me, a->room);
	}
	if (!seat->moving)
		seat->will_be_joined = seat->is_joined;
}

/* Without an id: nonsense is answered, or one was put out of what is private now. */
static void on_unnumbered(struct person *me, struct str code, struct str room)
{
	if (room.len && str_equal(code, STR("forbidden"))) {
		for (uint32_t i = 0; i < me->all->rooms; i++) {
			char name[NAME_LEN];
			room_name(i, name);
			if (!str_equal(room, str_from(name)))
				continue;
			me->seats[i].is_joined = me->seats[i].has_history = false;
			me->seats[i].was_put_out = true;
			memset(me->seats[i].typing_ms, 0, sizeof me->seats[i].typing_ms);
			private_refused(me, NULL, i, code);
			seat_give_up(me, i);
		}
	} else if (me->has_unnumbered) {
		me->has_unnumbered = false;
		check_nonsense(me, code);
	} else {
		promise_broken(me->all->promises, "%s gets an error " STR_FMT " for nothing",
			       me->name, STR_ARG(code));
	}
}

static bool is_expected(struct str code)
{
	return str_equal(code, STR("unavailable")) || str_equal(code, STR("forbidden")) ||
	       str_equal(code, STR("not_joined")) || str_equal(code, STR("room_taken")) ||
	       str_equal(code, STR("rate_limited"));
}

void on_error(struct person *me, uint64_t id, const json_t *data)
{
	struct asked a;
	struct str code = text_of(data, "code");
	if (id == 0) {
		on_unnumbered(me, code, text_of(data, "room"));
		return;
	}
	if (!asked_answered(me, id, code, &a))
		return;
	if (a.kind == ASKED_NONSENSE) {
		me->nonsense_id = 0;
		check_nonsense(me, code);
		return;
	}
	if (a.kind == ASKED_JOIN || a.kind == ASKED_LEAVE || a.kind == ASKED_INVITE)
		on_move_error(me, &a, code);
	if (a.kind == ASKED_POST)
		on_post_error(me, &a, code);
	if (a.kind == ASKED_PAGE && a.id > me->seats[a.room].reset_id)
		me->seats[a.room].is_asking = false;
	private_refused(me, &a, a.room, code);
	me->all->promises->refused++;
	if (!is_expected(code))
		promise_broken(me->all->promises, "%s gets an error " STR_FMT, me->name,
			       STR_ARG(code));
}
