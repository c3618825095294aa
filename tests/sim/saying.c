// SPDX-License-Identifier: MIT
/* saying.c — the frames that a simulated client sends. When it sends them is people.c's. */
#include "tests/sim/person.h"

#include <stdio.h>

enum { GAP_PAGE = 60 };

static void send_line(struct person *me)
{
	world_tell(me->all->world, "%s > " STR_FMT, me->name, STR_ARG(buf_view(&me->all->line)));
	conn_send(me->all->world, me->conn, buf_view(&me->all->line));
}

static void begin(struct person *me, const char *event, uint32_t room)
{
	char name[NAME_LEN];
	room_name(room, name);
	buf_reset(&me->all->line);
	buf_printf(&me->all->line, "{\"event\":\"%s\",\"id\":%" PRIu64 ",\"data\":{\"room\":\"%s\"",
		   event, ++me->next_id, name);
}

static void end(struct person *me)
{
	BUF_LIT(&me->all->line, "}}");
	send_line(me);
}

/* A greeting will follow. */
static void expect_greeting(struct person *me, struct seat *seat)
{
	seat->join_ms = me->all->world->now_ms;
	seat->is_joined = seat->has_history = seat->is_asking = false;
	seat->has_stalled = me->stalled_until != 0;
	seat->live_first = seat->live_last = 0;
	memset(seat->people, 0, sizeof seat->people);
	memset(seat->typing_ms, 0, sizeof seat->typing_ms);
}

void say_join(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	begin(me, "userJoin", room);
	seat->since = seat->have;
	buf_printf(&me->all->line, ",\"username\":\"%s\",\"key\":\"%s\",\"since\":%" PRIu64,
		   me->name, me->key, seat->since);
	end(me);
	seat->join_id = me->next_id;
	expect_greeting(me, seat);
}

void say_post(struct person *me, struct post *post)
{
	begin(me, "updateChat", post->room);
	buf_printf(&me->all->line, ",\"cid\":\"%s\",\"body\":\"message %s\"", post->cid, post->cid);
	end(me);
	post->ids[post->sendings++ % SENDINGS_KEPT] = me->next_id;
	post->sent_ms = me->all->world->now_ms;
	post->is_sent = true;
}

void say_typing(struct person *me, uint32_t room)
{
	begin(me, "userTyping", room);
	end(me);
}

void say_new_room(struct person *me)
{
	uint32_t room = me->all->rooms - 1;
	struct seat *seat = &me->seats[room];
	begin(me, "newRoom", room);
	buf_printf(&me->all->line, ",\"username2\":\"%s\"", me->all->person[1].name);
	end(me);
	me->invite_id = me->next_id;
	if (seat->is_joined)
		return;
	/* It is a join too, one without `since`. */
	seat->since = 0;
	expect_greeting(me, seat);
}

void ask_gap(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	if (seat->is_asking || seat->have + 1 >= seat->live_first)
		return;
	begin(me, "history", room);
	buf_printf(&me->all->line, ",\"after\":%" PRIu64 ",\"limit\":%d", seat->have, GAP_PAGE);
	end(me);
	seat->page_id = me->next_id;
	seat->is_asking = true;
}

/* One thing at a time, so that the answer can be told. */
void say_nonsense(struct person *me)
{
	struct buf *line = &me->all->line;
	struct rng *rng = &me->all->world->rng;
	if (me->nonsense_id || me->has_unnumbered)
		return;
	switch (rng_below(rng, 5)) {
	case 0:
		buf_reset(line);
		BUF_LIT(line, "{\"event\":\"updateChat\",\"data\":{\"room\":");
		me->has_unnumbered = true;
		me->nonsense_code = "bad_json";
		send_line(me);
		return;
	case 1:
		begin(me, "noSuchEvent", 0);
		me->nonsense_code = "bad_event";
		break;
	case 2:
		begin(me, "updateChat", 0); /* and no body */
		me->nonsense_code = "bad_field";
		break;
	case 3:
		begin(me, "updateChat", 0);
		BUF_LIT(line, ",\"body\":\"");
		for (size_t i = 0; i <= 4000; i++)
			BUF_LIT(line, "x");
		BUF_LIT(line, "\"");
		me->nonsense_code = "too_large";
		break;
	default:
		begin(me, "userJoin", 0);
		BUF_LIT(line, ",\"username\":\"somebody else\"");
		me->nonsense_code = "username_mismatch";
		break;
	}
	me->nonsense_id = me->next_id;
	end(me);
}
