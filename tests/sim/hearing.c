// SPDX-License-Identifier: MIT
/* hearing.c — the frames that a simulated client is told, and what it believes by them. Whatever
 * breaks a promise is noticed here and judged in promises.c. */
#include "tests/sim/person.h"

#include <jansson.h>
#include <stdio.h>

void close_gap(struct seat *seat)
{
	if (seat->have + 1 >= seat->live_first && seat->live_last > seat->have)
		seat->have = seat->live_last;
}

void forget_connection(struct person *me)
{
	me->conn = NULL;
	for (uint32_t i = 0; i < ROOMS_MAX; i++) {
		me->seats[i].is_joined = me->seats[i].has_history = me->seats[i].is_asking = false;
		me->seats[i].join_id = 0;
	}
	for (size_t i = 0; i < me->post_count; i++)
		me->posts[i].is_sent = false;
	me->invite_id = me->nonsense_id = 0;
	me->has_unnumbered = false;
}

bool is_excused(const struct person *me, uint64_t sent_ms)
{
	return me->stalled_until || me->read_ms >= sent_ms || conn_was_paused(me->conn, sent_ms);
}

/* An answer has come to what was sent then. */
static void answered(struct person *me, const char *what, uint64_t sent_ms)
{
	if (!is_excused(me, sent_ms))
		promise_answered(me->all->promises, me->name, what,
				 me->all->world->now_ms - sent_ms);
}

static struct str text_of(const json_t *object, const char *name)
{
	const json_t *field = json_object_get(object, name);
	return json_is_string(field) ? str_of(json_string_value(field), json_string_length(field))
				     : (struct str){0};
}

static uint64_t number_of(const json_t *object, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static struct seat *seat_of(struct person *me, struct str room, uint32_t *index)
{
	for (uint32_t i = 0; i < me->all->rooms; i++) {
		char name[NAME_LEN];
		room_name(i, name);
		if (str_equal(room, str_from(name))) {
			*index = i;
			return &me->seats[i];
		}
	}
	promise_broken(me->all->promises, "%s was told of room " STR_FMT, me->name, STR_ARG(room));
	*index = 0;
	return &me->seats[0];
}

static uint32_t person_named(const struct people *all, struct str name)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (str_equal(name, str_from(all->person[i].name)))
			return i;
	CHECK(false);
	return 0;
}

static bool has_id(const struct post *post, uint64_t id)
{
	for (size_t i = 0; i < SENDINGS_KEPT; i++)
		if (post->ids[i] == id)
			return true;
	return false;
}

static uint64_t last_id(const struct post *post)
{
	return post->ids[(post->sendings - 1) % SENDINGS_KEPT];
}

static void note_own(struct person *me, uint32_t room, struct str cid)
{
	for (size_t i = 0; i < me->post_count; i++)
		if (me->posts[i].room == room && str_equal(cid, str_from(me->posts[i].cid)))
			me->posts[i].is_acked = true;
}

static void told(struct person *me, uint32_t room, const json_t *message)
{
	struct str cid = text_of(message, "cid");
	promise_told(me->all->promises, &(struct told){.person = me->name,
						       .room = text_of(message, "room"),
						       .cid = cid,
						       .seq = number_of(message, "seq")});
	if (str_equal(text_of(message, "username"), str_from(me->name)))
		note_own(me, room, cid);
	if (is_private_to_others(me, room) && number_of(message, "seq") > me->all->private_seq)
		promise_private(me->all->promises, me->name, text_of(message, "room"), "reads");
}

/* The next thing of a room on this connection. */
static void live_step(struct person *me, uint32_t room, uint64_t seq, const char *what)
{
	struct seat *seat = &me->seats[room];
	char name[NAME_LEN];
	room_name(room, name);
	if (!seat->has_history) {
		promise_broken(me->all->promises, "%s gets %s %" PRIu64 " before msgHistory",
			       me->name, what, seq);
		return;
	}
	promise_nothing_missing(me->all->promises, me->name, str_from(name), seat->live_last, seq,
				what);
	seat->live_last = seq;
	close_gap(seat);
}

static void on_history(struct person *me, uint32_t room, const json_t *messages, bool has_more)
{
	struct seat *seat = &me->seats[room];
	size_t i;
	const json_t *message;
	uint64_t last = 0;
	seat->live_first = seat->since + 1;
	seat->live_last = seat->since;
	json_array_foreach(messages, i, message)
	{
		uint64_t seq = number_of(message, "seq");
		told(me, room, message);
		if (i == 0) {
			seat->live_first = seq;
			if (has_more ? seq <= seat->since + 1 : seq != seat->since + 1)
				promise_broken(me->all->promises,
					       "%s in room%u: msgHistory since %" PRIu64
					       " begins with %" PRIu64 ", more %d",
					       me->name, room, seat->since, seq, has_more);
		} else if (seq != last + 1) {
			promise_broken(me->all->promises, "%s: msgHistory has a hole at %" PRIu64,
				       me->name, seq);
		}
		last = seat->live_last = seq;
	}
	seat->has_history = true;
	seat->history_ms = me->all->world->now_ms;
	close_gap(seat);
	ask_gap(me, room);
}

static void on_page(struct person *me, uint32_t room, const json_t *data)
{
	struct seat *seat = &me->seats[room];
	size_t i;
	const json_t *message;
	seat->is_asking = false;
	json_array_foreach(json_object_get(data, "messages"), i, message)
	{
		uint64_t seq = number_of(message, "seq");
		told(me, room, message);
		if (seq <= seat->have)
			continue; /* the live run has met the pages */
		if (seq != seat->have + 1)
			promise_broken(me->all->promises,
				       "%s in room%u: a page has %" PRIu64 " after %" PRIu64,
				       me->name, room, seq, seat->have);
		seat->have = seq;
	}
	close_gap(seat);
	ask_gap(me, room);
}

static void on_ack(struct person *me, uint64_t id, const json_t *data)
{
	struct people *all = me->all;
	if (id == me->invite_id) {
		me->invite_id = 0;
		char name[NAME_LEN];
		room_name(all->rooms - 1, name);
		me->seats[all->rooms - 1].is_joined = true;
		all->is_private = true;
		all->private_seq = promises_head(all->promises, str_from(name));
		world_tell(all->world, "room%u is private", all->rooms - 1);
	}
	for (uint32_t i = 0; i < all->rooms; i++) {
		struct seat *seat = &me->seats[i];
		if (id == seat->join_id) {
			answered(me, "a join", seat->join_ms);
			seat->is_joined = seat->is_wanted = true;
			if (is_private_to_others(me, i))
				promise_private(all->promises, me->name, text_of(data, "room"),
						"joins");
		} else if (id == seat->page_id) {
			on_page(me, i, data);
		}
	}
	for (size_t i = 0; i < me->post_count; i++) {
		struct post *post = &me->posts[i];
		if (!has_id(post, id))
			continue;
		uint64_t seq = number_of(data, "seq");
		if (id == last_id(post))
			answered(me, "an ack", post->sent_ms);
		post->is_acked = true;
		promise_told(all->promises, &(struct told){.person = me->name,
							   .room = text_of(data, "room"),
							   .cid = str_from(post->cid),
							   .seq = seq,
							   .is_ack = true});
		/* One that was sent once, into a room that is being read, is acked in its place; a
		 * repeated one may have been read before. */
		const struct seat *seat = &me->seats[post->room];
		bool is_first = post->sendings == 1 && post->sent_ms > seat->history_ms;
		if (seat->has_history && (is_first || seq > seat->live_last))
			live_step(me, post->room, seq, "ack");
		return;
	}
}

static void give_up_room(struct person *me, uint32_t room)
{
	me->seats[room].is_wanted = false;
	for (size_t i = 0; i < me->post_count; i++)
		if (me->posts[i].room == room)
			me->posts[i].is_acked = true; /* nobody promised anything */
}

/* What was not allowed may still be too much at once, or come too early. */
static bool is_answer_to_nonsense(struct person *me, uint64_t id, struct str code)
{
	bool is_unnumbered = id == 0 && me->has_unnumbered && !str_equal(code, STR("forbidden"));
	if (!is_unnumbered && (id == 0 || id != me->nonsense_id))
		return false;
	me->nonsense_id = 0;
	me->has_unnumbered = false;
	if (!str_equal(code, STR("rate_limited")))
		promise_clear_error(me->all->promises, me->name, code, me->nonsense_code);
	return true;
}

static void on_error(struct person *me, uint64_t id, struct str code)
{
	struct people *all = me->all;
	if (id == me->invite_id)
		me->invite_id = 0;
	if (is_answer_to_nonsense(me, id, code))
		return;
	for (uint32_t i = 0; i < all->rooms; i++) {
		if (id == me->seats[i].join_id) {
			answered(me, "an error", me->seats[i].join_ms);
			me->seats[i].join_id = 0;
			if (str_equal(code, STR("forbidden")))
				give_up_room(me, i);
		}
		if (id == me->seats[i].page_id)
			me->seats[i].is_asking = false;
	}
	for (size_t i = 0; i < me->post_count; i++)
		if (has_id(&me->posts[i], id)) {
			if (id == last_id(&me->posts[i]))
				answered(me, "an error", me->posts[i].sent_ms);
			me->posts[i].is_sent = false;
			if (all->plan.is_patient)
				promise_carried(all->promises, me->name, code);
		}
	all->promises->refused++;
	if (id == 0 && str_equal(code, STR("forbidden"))) { /* put out of what is private now */
		me->seats[all->rooms - 1].is_joined = false;
		give_up_room(me, all->rooms - 1);
	}
	bool is_expected =
		str_equal(code, STR("unavailable")) || str_equal(code, STR("forbidden")) ||
		str_equal(code, STR("not_joined")) || str_equal(code, STR("room_taken")) ||
		str_equal(code, STR("rate_limited"));
	if (!is_expected)
		promise_broken(all->promises, "%s gets an error " STR_FMT, me->name, STR_ARG(code));
}

static void on_list(struct person *me, struct seat *seat, const json_t *names)
{
	size_t i;
	const json_t *name;
	memset(seat->people, 0, sizeof seat->people);
	json_array_foreach(names, i, name)
		seat->people[person_named(me->all, str_from(json_string_value(name)))] = true;
}

static void on_event(struct person *me, struct str event, const json_t *frame)
{
	uint32_t room;
	struct seat *seat = seat_of(me, text_of(frame, "room"), &room);
	const json_t *data = json_object_get(frame, "data");
	struct str user = text_of(data, "username");
	if (str_equal(event, STR("updateChat"))) {
		told(me, room, data);
		live_step(me, room, number_of(data, "seq"), "updateChat");
		seat->typing_ms[person_named(me->all, user)] = 0;
	} else if (str_equal(event, STR("msgHistory"))) {
		on_history(me, room, data, json_is_true(json_object_get(frame, "more")));
	} else if (str_equal(event, STR("activeUsers"))) {
		on_list(me, seat, data);
	} else if (str_equal(event, STR("userJoin"))) {
		seat->people[person_named(me->all, user)] = true;
	} else if (str_equal(event, STR("userLeave"))) {
		seat->people[person_named(me->all, user)] = false;
		seat->typing_ms[person_named(me->all, user)] = 0;
	} else if (str_equal(event, STR("userTyping"))) {
		seat->typing_ms[person_named(me->all, user)] = me->all->world->now_ms;
	} else if (str_equal(event, STR("userStoppedTyping"))) {
		seat->typing_ms[person_named(me->all, user)] = 0;
	} else if (str_equal(event, STR("newRoom"))) {
		seat->is_wanted = true;
	} else {
		promise_broken(me->all->promises, "%s gets event " STR_FMT, me->name,
			       STR_ARG(event));
	}
}

static void on_text(void *client, struct str payload)
{
	struct person *me = client;
	json_t *frame = json_loadb(payload.ptr, payload.len, JSON_REJECT_DUPLICATES, NULL);
	world_tell(me->all->world, "%s < " STR_FMT, me->name, STR_ARG(payload));
	struct str event = text_of(frame, "event");
	if (!frame) {
		promise_broken(me->all->promises, "%s gets what is no JSON: " STR_FMT, me->name,
			       STR_ARG(payload));
	} else if (str_equal(event, STR("ack"))) {
		on_ack(me, number_of(frame, "id"), json_object_get(frame, "data"));
	} else if (str_equal(event, STR("error"))) {
		on_error(me, number_of(frame, "id"),
			 text_of(json_object_get(frame, "data"), "code"));
	} else {
		on_event(me, event, frame);
	}
	json_decref(frame);
}

static void on_closed(void *client, uint16_t code)
{
	struct person *me = client;
	world_tell(me->all->world, "%s is closed with %u", me->name, code);
	forget_connection(me);
	me->next_ms = me->all->world->now_ms + 50 + rng_below(&me->all->world->rng, 1500);
}

const struct conn_events hearing = {.text = on_text, .closed = on_closed};
