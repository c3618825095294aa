// SPDX-License-Identifier: MIT
/* people.c — see people.h. A person keeps for each room the prefix 1…have that it has read without
 * a gap, and the live run behind it. */
#include "tests/sim/people.h"
#include "proto/json_out.h"

#include <jansson.h>
#include <stdio.h>

enum {
	ROOMS_MAX = 6,
	PEOPLE_MAX = 24,
	POSTS_MAX = 64,
	NAME_LEN = 24,
	RETRY_AFTER_MS = 6000,
	JOIN_AGAIN_MS = 2000,
	TYPING_SHOWN_MS = 6500,
	GAP_PAGE = 60,
	SENDINGS_KEPT = 8
};

struct post {
	uint64_t ids[SENDINGS_KEPT], sendings; /* the frames that carried it */
	uint64_t sent_ms;
	uint32_t room;
	bool is_acked, is_sent;
	char cid[NAME_LEN * 2];
};

struct seat { /* a person in a room */
	bool is_wanted, is_joined, has_history, is_asking;
	bool has_stalled; /* since the join: it may have missed that somebody stopped typing */
	uint64_t join_id, join_ms, page_id;
	uint64_t since; /* as it was asked with */
	uint64_t have, live_first, live_last;
	bool people[PEOPLE_MAX];
	uint64_t typing_ms[PEOPLE_MAX];
};

struct person {
	struct people *all;
	uint32_t index;
	char name[NAME_LEN], key[33];
	struct conn *conn;
	uint64_t next_ms, stalled_until, next_id, posts_made;
	struct seat seats[ROOMS_MAX];
	struct post posts[POSTS_MAX];
	size_t post_count;
	uint64_t invite_id;
	bool is_quiet;
};

struct people {
	struct world *world;
	struct promises *promises;
	struct person person[PEOPLE_MAX];
	uint32_t count, rooms;
	uint64_t post_interval_ms;
	bool is_settling;
	bool is_private;      /* the last room, between person 0 and 1 … */
	uint64_t private_seq; /* … for what was written after this */
	struct buf line;
};

/* The last room is made private by person 0, for person 1. */
static void room_name(uint32_t room, char name[NAME_LEN])
{
	snprintf(name, NAME_LEN, "room%u", room);
}

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

static void send_join(struct person *me, uint32_t room)
{
	struct seat *seat = &me->seats[room];
	begin(me, "userJoin", room);
	seat->since = seat->have;
	buf_printf(&me->all->line, ",\"username\":\"%s\",\"key\":\"%s\",\"since\":%" PRIu64,
		   me->name, me->key, seat->since);
	end(me);
	seat->join_id = me->next_id;
	seat->join_ms = me->all->world->now_ms;
	seat->is_joined = seat->has_history = seat->is_asking = false;
	seat->has_stalled = me->stalled_until != 0;
	seat->live_first = seat->live_last = 0;
	memset(seat->people, 0, sizeof seat->people);
	memset(seat->typing_ms, 0, sizeof seat->typing_ms);
}

static void send_post(struct person *me, struct post *post)
{
	begin(me, "updateChat", post->room);
	buf_printf(&me->all->line, ",\"cid\":\"%s\",\"body\":\"message %s\"", post->cid, post->cid);
	end(me);
	post->ids[post->sendings++ % SENDINGS_KEPT] = me->next_id;
	post->sent_ms = me->all->world->now_ms;
	post->is_sent = true;
}

static void ask_gap(struct person *me, uint32_t room)
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

static void close_gap(struct seat *seat)
{
	if (seat->have + 1 >= seat->live_first && seat->live_last > seat->have)
		seat->have = seat->live_last;
}

static void forget_connection(struct person *me)
{
	me->conn = NULL;
	for (uint32_t i = 0; i < ROOMS_MAX; i++) {
		me->seats[i].is_joined = me->seats[i].has_history = me->seats[i].is_asking = false;
		me->seats[i].join_id = 0;
	}
	for (size_t i = 0; i < me->post_count; i++)
		me->posts[i].is_sent = false;
	me->invite_id = 0;
}

/* ---- what comes in ---- */

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

static void note_own(struct person *me, uint32_t room, struct str cid)
{
	for (size_t i = 0; i < me->post_count; i++)
		if (me->posts[i].room == room && str_equal(cid, str_from(me->posts[i].cid)))
			me->posts[i].is_acked = true;
}

static void told(struct person *me, uint32_t room, const json_t *message)
{
	struct str cid = text_of(message, "cid");
	promise_told(me->all->promises, text_of(message, "room"), number_of(message, "seq"), cid,
		     false);
	if (str_equal(text_of(message, "username"), str_from(me->name)))
		note_own(me, room, cid);
	/* "Only its two users can join, read or write a private room." */
	if (me->all->is_private && room == me->all->rooms - 1 && me->index > 1 &&
	    number_of(message, "seq") > me->all->private_seq)
		promise_broken(me->all->promises, "private means private: %s reads it", me->name);
}

/* "Nothing twice, nothing missing": each next thing of a room on one connection is the next seq. */
static void live_step(struct person *me, uint32_t room, uint64_t seq, const char *what)
{
	struct seat *seat = &me->seats[room];
	if (!seat->has_history) {
		promise_broken(me->all->promises, "%s gets %s %" PRIu64 " before msgHistory",
			       me->name, what, seq);
		return;
	}
	if (seq != seat->live_last + 1)
		promise_broken(me->all->promises,
			       "nothing twice, nothing missing: %s in room%u gets %s %" PRIu64
			       " after %" PRIu64,
			       me->name, room, what, seq, seat->live_last);
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
		all->is_private = true;
		all->private_seq = promises_head(all->promises, str_from(name));
		world_tell(all->world, "room%u is private", all->rooms - 1);
	}
	for (uint32_t i = 0; i < all->rooms; i++) {
		struct seat *seat = &me->seats[i];
		if (id == seat->join_id) {
			seat->is_joined = seat->is_wanted = true;
			if (all->is_private && i == all->rooms - 1 && me->index > 1)
				promise_broken(all->promises, "private means private: %s joins",
					       me->name);
		} else if (id == seat->page_id) {
			on_page(me, i, data);
		}
	}
	for (size_t i = 0; i < me->post_count; i++) {
		struct post *post = &me->posts[i];
		if (!has_id(post, id))
			continue;
		uint64_t seq = number_of(data, "seq");
		post->is_acked = true;
		promise_told(all->promises, text_of(data, "room"), seq, str_from(post->cid), true);
		if (me->seats[post->room].has_history && seq > me->seats[post->room].live_last)
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

static void on_error(struct person *me, uint64_t id, struct str code)
{
	struct people *all = me->all;
	if (id == me->invite_id)
		me->invite_id = 0;
	for (uint32_t i = 0; i < all->rooms; i++) {
		if (id == me->seats[i].join_id) {
			me->seats[i].join_id = 0;
			if (str_equal(code, STR("forbidden")))
				give_up_room(me, i);
		}
		if (id == me->seats[i].page_id)
			me->seats[i].is_asking = false;
	}
	for (size_t i = 0; i < me->post_count; i++)
		if (has_id(&me->posts[i], id))
			me->posts[i].is_sent = false;
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

static const struct conn_events conn_events = {.text = on_text, .closed = on_closed};

/* ---- what they do ---- */

static struct rng *rng(struct person *me)
{
	return &me->all->world->rng;
}

static void connect_somewhere(struct person *me)
{
	struct world *w = me->all->world;
	me->conn = conn_open(w, (uint32_t)rng_below(&w->rng, w->gateways), me, &conn_events);
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
			send_join(me, i);
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
	send_post(me, post);
	if (rng_chance(rng(me), 50000)) /* an impatient one sends it twice */
		send_post(me, post);
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
		if (me->seats[post->room].is_joined && (!post->is_sent || is_late))
			send_post(me, post);
	}
}

static void invite(struct person *me)
{
	struct people *all = me->all;
	if (me->index != 0 || all->is_private || me->invite_id ||
	    !me->seats[all->rooms - 1].is_joined)
		return;
	begin(me, "newRoom", all->rooms - 1);
	buf_printf(&all->line, ",\"username2\":\"%s\"", all->person[1].name);
	end(me);
	me->invite_id = me->next_id;
}

static void vanish(struct person *me)
{
	world_tell(me->all->world, "%s vanishes", me->name);
	conn_close(me->all->world, me->conn);
	forget_connection(me);
	me->next_ms = me->all->world->now_ms + rng_below(rng(me), 12000);
}

static void act(struct person *me)
{
	struct world *w = me->all->world;
	bool is_settling = me->all->is_settling;
	if (!me->conn) {
		connect_somewhere(me);
		me->next_ms = w->now_ms + 200;
		return;
	}
	if (me->stalled_until && (w->now_ms >= me->stalled_until || is_settling)) {
		me->stalled_until = 0;
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
	me->next_ms = w->now_ms + 20 + rng_below(&w->rng, me->all->post_interval_ms);
	if (is_settling)
		return;
	invite(me);
	write_something(me);
	if (rng_chance(&w->rng, 100000)) {
		uint32_t room = (uint32_t)rng_below(&w->rng, me->all->rooms);
		if (me->seats[room].is_joined) {
			begin(me, "userTyping", room);
			end(me);
		}
	}
	struct seat *last = &me->seats[me->all->rooms - 1];
	if (!last->is_joined && !last->join_id && rng_chance(&w->rng, 5000))
		send_join(me, me->all->rooms - 1); /* somebody tries what may be private */
	if (rng_chance(&w->rng, 4000)) {
		me->stalled_until = w->now_ms + rng_below(&w->rng, 20000);
		conn_stall(me->conn, true);
		for (uint32_t i = 0; i < me->all->rooms; i++)
			me->seats[i].has_stalled = true;
	}
	if (rng_chance(&w->rng, 4000))
		vanish(me);
}

struct people *people_open(struct world *w, struct promises *p, uint32_t count, uint32_t rooms,
			   uint64_t post_interval_ms)
{
	CHECK(count <= PEOPLE_MAX && rooms <= ROOMS_MAX && count >= 3 && rooms >= 2);
	struct people *all = mem_alloc(sizeof *all);
	*all = (struct people){.world = w,
			       .promises = p,
			       .count = count,
			       .rooms = rooms,
			       .post_interval_ms = post_interval_ms};
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
}

/* ---- after the quiet ---- */

static void check_seat(struct people *all, const struct person *me, uint32_t room)
{
	const struct seat *seat = &me->seats[room];
	char name[NAME_LEN];
	room_name(room, name);
	uint64_t head = promises_head(all->promises, str_from(name));
	if (!seat->is_joined) {
		promise_broken(all->promises, "%s is not in %s after the quiet", me->name, name);
		return;
	}
	if (seat->have != head)
		promise_broken(all->promises,
			       "nothing missing: %s has %" PRIu64 " of %" PRIu64 " in %s", me->name,
			       seat->have, head, name);
	for (uint32_t i = 0; i < all->count; i++) {
		bool is_there = all->person[i].conn && all->person[i].seats[room].is_joined;
		if (seat->people[i] != is_there)
			promise_broken(all->promises, "presence tells the truth: %s in %s %s %s",
				       me->name, name, seat->people[i] ? "sees" : "misses",
				       all->person[i].name);
		if (seat->typing_ms[i] && !seat->has_stalled &&
		    all->world->now_ms > seat->typing_ms[i] + TYPING_SHOWN_MS)
			promise_broken(all->promises, "typing ends by itself: %s still sees %s",
				       me->name, all->person[i].name);
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
	promises_check_disks(all->promises);
}
