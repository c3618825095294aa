// SPDX-License-Identifier: MIT
/* saying.c — the frames that a simulated client sends, on whatever wire. When it sends them is
 * people.c's, seats.c's and private.c's. */
#include "tests/sim/person.h"

#include <stdio.h>

enum { GAP_PAGE = 60 };

void say_all(struct person *me)
{
	if (me->conn && me->batch.len)
		conn_send(me->all->world, me->conn, buf_view(&me->batch));
	buf_reset(&me->batch);
}

static void send_line(struct person *me)
{
	struct str line = buf_view(&me->all->line);
	world_tell(me->all->world, "%s > " STR_FMT, me->name, STR_ARG(line));
	if (me->voice != VOICE_BATCHED) {
		conn_send(me->all->world, me->conn, line);
		return;
	}
	buf_append(&me->batch, "\n", me->batch.len ? 1 : 0);
	buf_str(&me->batch, line);
}

/* Opens the object of the data. */
static void begin_data(struct person *me, const char *event, uint32_t room)
{
	char name[NAME_LEN];
	struct buf *line = &me->all->line;
	room_name(room, name);
	buf_reset(line);
	me->next_id++;
	if (me->voice == VOICE_SOCKETIO)
		buf_printf(line, "2%" PRIu64 "[\"%s\",{\"room\":\"%s\"", me->next_id, event, name);
	else
		buf_printf(line, "{\"event\":\"%s\",\"id\":%" PRIu64 ",\"data\":{\"room\":\"%s\"",
			   event, me->next_id, name);
}

static struct asked *begin(struct person *me, enum asked_kind kind, const char *event,
			   uint32_t room)
{
	begin_data(me, event, room);
	return asked_add(me, kind, room);
}

static void end(struct person *me)
{
	if (me->voice == VOICE_SOCKETIO)
		BUF_LIT(&me->all->line, "}]");
	else
		BUF_LIT(&me->all->line, "}}");
	send_line(me);
}

static void note_move(struct seat *seat, const struct asked *a)
{
	seat->move_id = a->id;
	seat->move_kind = a->kind;
	seat->moving += a->kind != ASKED_INVITE;
}

void say_join(struct person *me, uint32_t room, uint64_t since)
{
	struct seat *seat = &me->seats[room];
	struct asked *a = begin(me, ASKED_JOIN, "userJoin", room);
	buf_printf(&me->all->line, ",\"username\":\"%s\",\"key\":\"%s\"", me->name, me->key);
	a->has_since = since != NO_SINCE;
	a->since = a->has_since ? since : 0;
	if (a->has_since)
		buf_printf(&me->all->line, ",\"since\":%" PRIu64, since);
	uint64_t epoch = a->since && !me->is_epochless ? shown_epoch(seat, since) : 0;
	a->has_epoch = epoch != 0;
	if (a->has_epoch)
		buf_printf(&me->all->line, ",\"epoch\":%" PRIu64, epoch);
	end(me);
	note_move(seat, a);
	seat->will_be_joined = true;
	seat->join_ms = a->sent_ms;
}

void say_leave(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	const struct asked *a = begin(me, ASKED_LEAVE, "userLeave", room);
	end(me);
	note_move(seat, a);
	seat->will_be_joined = false;
}

void say_post(struct person *me, struct post *post)
{
	char cid[NAME_LEN * 2];
	char room[NAME_LEN];
	cid_name(me, post->number, cid);
	room_name(post->room, room);
	struct asked *a = begin(me, ASKED_POST, "updateChat", post->room);
	buf_printf(&me->all->line, ",\"cid\":\"%s\",\"body\":\"message %s\"", cid, cid);
	end(me);
	a->number = post->number;
	post->sendings++;
	post->sent_id = a->id;
	post->sent_ms = a->sent_ms;
	post->is_sent = true;
	promise_sent(me->all->promises,
		     &(struct sent){.person = me->name,
				    .connection = me->connection,
				    .id = a->id,
				    .text = conn_sent(me->conn) + (me->voice == VOICE_BATCHED),
				    .room = str_from(room),
				    .cid = str_from(cid)});
}

void say_typing(struct person *me, uint32_t room)
{
	begin(me, ASKED_TYPING, "userTyping", room);
	end(me);
}

void say_new_room(struct person *me, uint32_t room, uint32_t guest)
{
	struct seat *seat = &me->seats[room];
	struct asked *a = begin(me, ASKED_INVITE, "newRoom", room);
	buf_printf(&me->all->line, ",\"username2\":\"%s\"", me->all->person[guest].name);
	end(me);
	a->guest = guest;
	seat->is_inviting = true;
	if (seat->is_joined)
		return;
	/* It is a join too, one without `since`. */
	note_move(seat, a);
	seat->greeting = *a;
	seat->is_again = seat->has_list = seat->has_history = false;
}

void ask_gap(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	if (seat->is_asking || seat->have + 1 >= seat->live_first || !asked_has_capacity(me))
		return;
	begin(me, ASKED_PAGE, "history", room);
	buf_printf(&me->all->line, ",\"after\":%" PRIu64 ",\"limit\":%d", seat->have, GAP_PAGE);
	end(me);
	seat->is_asking = true;
}

/* Half an object, which on the Socket.IO wire would end the connection. */
static void say_half(struct person *me)
{
	buf_reset(&me->all->line);
	BUF_LIT(&me->all->line, "{\"event\":\"updateChat\",\"data\":{\"room\":");
	me->has_unnumbered = true;
	me->nonsense_code = "bad_json";
	send_line(me);
}

/* One thing at a time, so that the answer can be told. */
void say_nonsense(struct person *me)
{
	struct buf *line = &me->all->line;
	if (me->nonsense_id || me->has_unnumbered)
		return;
	uint64_t which = rng_below(rng_of(me), 5);
	if (which == 0 && me->voice != VOICE_SOCKETIO) {
		say_half(me);
		return;
	}
	switch (which) {
	case 1:
		begin(me, ASKED_NONSENSE, "noSuchEvent", 0);
		me->nonsense_code = "bad_event";
		break;
	case 2:
		begin(me, ASKED_NONSENSE, "updateChat", 0); /* and no body */
		me->nonsense_code = "bad_field";
		break;
	case 3:
		begin(me, ASKED_NONSENSE, "updateChat", 0);
		BUF_LIT(line, ",\"body\":\"");
		for (size_t i = 0; i <= 4000; i++)
			BUF_LIT(line, "x");
		BUF_LIT(line, "\"");
		me->nonsense_code = "too_large";
		break;
	default:
		begin(me, ASKED_NONSENSE, "userJoin", 0);
		BUF_LIT(line, ",\"username\":\"somebody else\"");
		me->nonsense_code = "username_mismatch";
		break;
	}
	me->nonsense_id = me->next_id;
	end(me);
}
