// SPDX-License-Identifier: MIT
/* hearing.c — what a simulated client is told of rooms, and what it believes by it. Whatever breaks
 * a promise is noticed here and judged in promises.c. Replies are in answers.c. */
#include "tests/sim/person.h"

#include <jansson.h>

void close_gap(struct seat *seat)
{
	if (seat->have + 1 >= seat->live_first && seat->live_last > seat->have)
		seat->have = seat->live_last;
}

void forget_connection(struct person *me)
{
	struct people *all = me->all;
	/* What the gateway has shown to a client that did not read is lost with it. */
	if (is_behind(me))
		memset(me->is_owed, 0, sizeof me->is_owed);
	for (uint32_t i = 0; i < ROOMS_MAX; i++) {
		struct seat *seat = &me->seats[i];
		if (is_behind(me) && all->room[i].is_private)
			me->was_invited[i] = true;
		seat->is_joined = seat->will_be_joined = seat->is_inviting = false;
		seat->has_list = seat->has_history = seat->is_asking = seat->was_put_out = false;
		seat->moving = 0;
		seat->move_id = seat->refused_id = seat->moved_ms = 0;
		seat->move_kind = ASKED_NOTHING;
	}
	for (size_t i = 0; i < me->post_count; i++)
		me->posts[i].is_sent = false;
	me->conn = NULL;
	me->nonsense_id = 0;
	me->has_unnumbered = false;
	asked_forget(me);
	buf_reset(&me->batch);
}

bool is_excused(const struct person *me, uint64_t sent_ms)
{
	return me->stalled_until || me->read_ms >= sent_ms || conn_was_paused(me->conn, sent_ms);
}

static bool find_room(const struct person *me, struct str room, uint32_t *index)
{
	for (uint32_t i = 0; i < me->all->rooms; i++) {
		char name[NAME_LEN];
		room_name(i, name);
		*index = i;
		if (str_equal(room, str_from(name)))
			return true;
	}
	return false;
}

uint32_t person_named(const struct people *all, struct str name)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (str_equal(name, str_from(all->person[i].name)))
			return i;
	CHECK(false);
	return 0;
}

static void note_own(struct person *me, uint32_t room, struct str cid)
{
	for (size_t i = 0; i < me->post_count; i++) {
		char own[NAME_LEN * 2];
		cid_name(me, me->posts[i].number, own);
		if (me->posts[i].room != room || !str_equal(cid, str_from(own)))
			continue;
		me->posts[i].is_acked = true;
		struct asked *a = asked_find(me, me->posts[i].sent_id);
		if (a && me->posts[i].sendings == 1 && !a->shown_ms)
			a->shown_ms = me->all->world->now_ms;
	}
}

bool told(struct person *me, uint32_t room, const json_t *message, uint64_t *epoch,
	  enum shown_by by)
{
	struct str cid = text_of(message, "cid");
	uint64_t seq = number_of(message, "seq");
	const struct told t = {.person = me->name,
			       .room = text_of(message, "room"),
			       .cid = cid,
			       .seq = seq,
			       .epoch = number_of(message, "epoch")};
	promise_told(me->all->promises, &t);
	shown_add(me, room, &t, epoch, by);
	if (str_equal(text_of(message, "username"), str_from(me->name)))
		note_own(me, room, cid);
	bool is_gone = promises_is_gone(me->all->promises, &t);
	if (is_private_to_others(me, room) && seq > me->all->room[room].private_seq && !is_gone)
		promise_private(me->all->promises, me->name, t.room, "reads");
	return !is_gone;
}

void live_step(struct person *me, uint32_t room, uint64_t seq, bool does_stand, const char *what)
{
	struct seat *seat = &me->seats[room];
	char name[NAME_LEN];
	room_name(room, name);
	if (!seat->has_history) {
		promise_broken(me->all->promises, "%s gets %s %" PRIu64 " before msgHistory",
			       me->name, what, seq);
		return;
	}
	if (does_stand)
		promise_nothing_missing(me->all->promises, me->name, str_from(name),
					seat->live_last, seq, what);
	seat->live_last = seq;
	close_gap(seat);
}

/* The messages without a hole, and `more` when the first is not the next one after `since`. */
static uint64_t read_history(struct person *me, uint32_t room, const struct heard *h)
{
	struct promises *p = me->all->promises;
	uint64_t since = me->seats[room].greeting.since;
	uint64_t last = since;
	uint64_t epoch = shown_epoch(&me->seats[room], since);
	size_t i;
	const json_t *message;
	json_array_foreach(h->data, i, message)
	{
		uint64_t seq = number_of(message, "seq");
		epoch = i == 0 && seq != since + 1 ? 0 : epoch;
		bool is_next = !told(me, room, message, &epoch, SHOWN_GREETING) ||
			       (i == 0 && h->has_more ? seq > since + 1
						      : promises_follows(p, h->room, last, seq));
		if (i == 0 && !h->is_reset && !is_next)
			promise_broken(p,
				       "%s in room%u: msgHistory since %" PRIu64
				       " begins with %" PRIu64 ", more %d",
				       me->name, room, since, seq, h->has_more);
		if (i > 0 && !is_next)
			promise_broken(p, "%s: msgHistory has a hole at %" PRIu64, me->name, seq);
		last = seq;
	}
	return last;
}

/* It goes on from there; pages that are under way do not. */
static void have_from(const struct person *me, struct seat *seat, uint64_t have)
{
	seat->have = have;
	seat->reset_id = me->next_id;
	seat->is_asking = false;
}

/* What does not stand any more, or is shown again, is put away before. */
static void keep_what_stands(struct person *me, uint32_t room, const struct heard *h)
{
	struct seat *seat = &me->seats[room];
	const struct asked *join = &seat->greeting;
	if (h->is_reset) {
		promise_reset(me->all->promises, me->name, h->room);
		shown_begin(me, room);
		have_from(me, seat, 0);
		seat->greeting.since = seat->live_last = 0;
	} else if (join->has_since) {
		shown_keep(me, room, join->since);
		seat->shown.is_unsure |= join->since && !join->has_epoch;
		if (seat->have > join->since)
			have_from(me, seat, join->since);
	} else if (me->all->plan.faults.older) {
		shown_begin(me, room);
		if (!seat->is_again)
			have_from(me, seat, 0);
	}
}

/* Whoever joins again without `since` is shown the newest, and goes on where it was. */
static void on_history(struct person *me, uint32_t room, const struct heard *h)
{
	struct seat *seat = &me->seats[room];
	if (!seat->has_list)
		promise_broken(me->all->promises, "%s gets msgHistory of room%u before activeUsers",
			       me->name, room);
	keep_what_stands(me, room, h);
	uint64_t last = read_history(me, room, h);
	if (h->is_reset || !seat->is_again || seat->greeting.has_since) {
		const json_t *first = json_array_get(h->data, 0);
		seat->live_first = first ? number_of(first, "seq") : seat->greeting.since + 1;
		seat->live_last = last;
		shown_date(me, room, last, h->epoch);
	}
	if (h->is_reset)
		seat->have = seat->live_first - 1;
	seat->has_history = true;
	seat->history_ms = me->all->world->now_ms;
	if (seat->is_inviting && seat->greeting.kind == ASKED_INVITE)
		seat->is_joined = seat->will_be_joined = true;
	close_gap(seat);
	ask_gap(me, room);
}

static void on_list(struct person *me, struct seat *seat, const json_t *names)
{
	size_t i;
	const json_t *name;
	memset(seat->people, 0, sizeof seat->people);
	seat->has_list = true;
	json_array_foreach(names, i, name)
		seat->people[person_named(me->all, str_from(json_string_value(name)))] = true;
	for (i = 0; i < me->all->count; i++)
		if (!seat->people[i])
			seat->typing_ms[i] = 0;
}

static void on_room_event(struct person *me, const struct heard *h, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	struct str user = text_of(h->data, "username");
	bool is_entering = seat->is_inviting && seat->greeting.kind == ASKED_INVITE;
	if (!seat->is_joined && !is_entering)
		promise_nothing_after_leave(me->all->promises, me->name, h->room, h->event);
	if (str_equal(h->event, STR("msgHistory"))) {
		on_history(me, room, h);
		return;
	}
	if (str_equal(h->event, STR("activeUsers"))) {
		on_list(me, seat, h->data);
		return;
	}
	uint32_t other = person_named(me->all, user);
	if (str_equal(h->event, STR("updateChat"))) {
		bool does_stand = told(me, room, h->data, &seat->shown.epoch, SHOWN_LIVE);
		live_step(me, room, number_of(h->data, "seq"), does_stand, "updateChat");
		seat->typing_ms[other] = 0;
	} else if (str_equal(h->event, STR("userJoin"))) {
		seat->people[other] = true;
	} else if (str_equal(h->event, STR("userLeave"))) {
		seat->people[other] = false;
		seat->typing_ms[other] = 0;
	} else if (str_equal(h->event, STR("userTyping"))) {
		seat->typing_ms[other] = me->all->world->now_ms;
	} else if (str_equal(h->event, STR("userStoppedTyping"))) {
		seat->typing_ms[other] = 0;
	} else {
		promise_broken(me->all->promises, "%s gets event " STR_FMT, me->name,
			       STR_ARG(h->event));
	}
}

static void on_event(struct person *me, const struct heard *h)
{
	uint32_t room;
	if (!find_room(me, h->room, &room))
		promise_broken(me->all->promises, "%s was told of room " STR_FMT, me->name,
			       STR_ARG(h->room));
	else if (str_equal(h->event, STR("newRoom")))
		private_shown(me, room, text_of(h->data, "username"));
	else
		on_room_event(me, h, room);
}

static void hear(struct person *me, struct str text)
{
	struct heard h;
	enum wire wire = me->voice == VOICE_SOCKETIO ? WIRE_SOCKETIO : WIRE_NATIVE;
	if (!wire_read(wire, text, &h))
		promise_broken(me->all->promises, "%s gets what is no event: " STR_FMT, me->name,
			       STR_ARG(text));
	else if (str_equal(h.event, STR("ack")))
		on_ack(me, h.id, h.data);
	else if (str_equal(h.event, STR("error")))
		on_error(me, h.id, h.data);
	else
		on_event(me, &h);
	json_decref(h.root);
}

/* One that speaks parlor.v1 takes several objects in a frame. */
static void on_text(void *client, struct str payload)
{
	struct person *me = client;
	world_tell(me->all->world, "%s < " STR_FMT, me->name, STR_ARG(payload));
	while (payload.len) {
		const char *newline =
			me->voice == VOICE_BATCHED ? memchr(payload.ptr, '\n', payload.len) : NULL;
		size_t len = newline ? (size_t)(newline - payload.ptr) : payload.len;
		hear(me, str_of(payload.ptr, len));
		len += newline != NULL;
		payload = str_of(payload.ptr + len, payload.len - len);
	}
	say_all(me);
}

static void on_closed(void *client, uint16_t code)
{
	struct person *me = client;
	world_tell(me->all->world, "%s is closed with %u", me->name, code);
	forget_connection(me);
	me->next_ms = me->all->world->now_ms + 50 + rng_below(rng_of(me), 1500);
}

const struct conn_events hearing = {.text = on_text, .closed = on_closed};
