// SPDX-License-Identifier: MIT
/* test_gateway_repair.c — the gateway's core with three thousand rooms in use, when roomd or
 * historyd has restarted: everything is asked and said again, but never all of it at once. */
#include "gateway/core/gateway.h"
#include "tests/support/bus_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum {
	GATEWAY_ID = 4,
	PEER_EPOCH = 5,
	START_MS = 1000,
	CLIENTS = 30,
	ROOMS_EACH = 100,
	ROOMS = CLIENTS * ROOMS_EACH,
	QUESTIONS_MAX = 64,   /* that may be under way to one shard */
	MEMBERS_A_TURN = 1000 /* that may be named in one */
};

struct fixture {
	struct gateway *gateway;
	struct gateway_out out;
	struct bus_peer roomd, historyd, pages;
	struct session *client[CLIENTS];
	int handle[CLIENTS];
	uint64_t now_ms;
};

static void step(struct fixture *f, struct bus_peer *from)
{
	gateway_out_reset(&f->out);
	const struct bus_source source = bus_peer_source(from);
	gateway_step(f->gateway, f->now_ms, &source, bus_peer_message(from), &f->out);
	(void)gateway_flush(f->gateway, f->now_ms, &f->out);
}

static void say(struct fixture *f, size_t client, const char *event, size_t room)
{
	char frame[200];
	int len = snprintf(
		frame, sizeof frame,
		"{\"event\":\"%s\",\"data\":{\"username\":\"user%zu\",\"room\":\"room%zu\"}}",
		event, client, room);
	gateway_out_reset(&f->out);
	gateway_frame(f->gateway, f->now_ms, f->client[client], str_of(frame, (size_t)len),
		      &f->out);
	(void)gateway_flush(f->gateway, f->now_ms, &f->out);
}

static void tick(struct fixture *f, uint64_t ms)
{
	f->now_ms += ms;
	gateway_out_reset(&f->out);
	gateway_tick(f->gateway, f->now_ms, &f->out);
	(void)gateway_flush(f->gateway, f->now_ms, &f->out);
}

static void respond_presence(struct fixture *f, struct str room)
{
	bus_put_presence(&f->roomd.batch,
			 &(struct ev_presence){.gateway = GATEWAY_ID, .room = room, .last = 1});
}

static void respond_page(struct fixture *f, const struct ev_page_ask *ask)
{
	bus_put_page(&f->pages.batch, &(struct ev_page){.req = ask->req, .room = ask->room});
}

/* Answers what one join asks; false when there was nothing. */
static bool respond(struct fixture *f)
{
	struct bus_event ev;
	const struct batch *asked = &f->out.roomd[0];
	if (bus_find(asked, EV_claim, 0, &ev))
		bus_put_claim_answer(
			&f->roomd.batch,
			&(struct ev_claim_answer){.gateway = GATEWAY_ID, .user = ev.as.claim.user});
	if (bus_find(asked, EV_join, 0, &ev))
		bus_put_join_answer(&f->roomd.batch,
				    &(struct ev_join_answer){.gateway = GATEWAY_ID,
							     .room = ev.as.join.room,
							     .user = ev.as.join.user});
	if (bus_find(asked, EV_presence_ask, 0, &ev))
		respond_presence(f, ev.as.presence_ask.room);
	return f->roomd.batch.count > 0;
}

static void serve(struct fixture *f)
{
	while (respond(f))
		step(f, &f->roomd);
}

static void heartbeat(struct fixture *f, struct bus_peer *from)
{
	bus_put_heartbeat(&from->batch, &(struct ev_heartbeat){.ready = 1});
	step(f, from);
}

static int open_rooms(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	struct gateway_options o;
	struct bus_event ev;
	gateway_options_default(&o);
	o.id = GATEWAY_ID;
	o.rate = 0;
	f->now_ms = START_MS;
	f->gateway = gateway_open(&o, f->now_ms);
	f->roomd.self = (struct envelope){.from = SERVICE_ROOMD, .epoch = PEER_EPOCH};
	f->historyd.self = (struct envelope){.from = SERVICE_HISTORYD, .epoch = PEER_EPOCH};
	f->pages.self = f->historyd.self;
	f->pages.is_answering = true;
	heartbeat(f, &f->roomd);
	heartbeat(f, &f->historyd);
	for (size_t i = 0; i < CLIENTS; i++) {
		f->client[i] =
			gateway_connect(f->gateway, f->now_ms, &f->handle[i], WIRE_NATIVE, false);
		for (size_t room = 0; room < ROOMS_EACH; room++) {
			say(f, i, "userJoin", i * ROOMS_EACH + room);
			assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
			respond_page(f, &ev.as.page_ask);
			serve(f);
			step(f, &f->pages);
		}
	}
	assert_int_equal(gateway_stats(f->gateway)->joins_total, ROOMS);
	*state = f;
	return 0;
}

static int close_rooms(void **state)
{
	struct fixture *f = *state;
	gateway_close(f->gateway);
	gateway_out_free(&f->out);
	bus_peer_free(&f->roomd);
	bus_peer_free(&f->historyd);
	bus_peer_free(&f->pages);
	mem_free(f);
	return 0;
}

static void restart(struct fixture *f, struct bus_peer *who)
{
	who->self.epoch++;
	who->self.seq = 0;
	heartbeat(f, who);
}

static void test_presence_is_asked_for_in_a_window(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	size_t asked = 0;
	restart(f, &f->roomd);
	for (size_t rounds = 0; asked < ROOMS; rounds++) {
		size_t count = bus_count(&f->out.roomd[0], EV_presence_ask);
		assert_in_range(count, 1, QUESTIONS_MAX);
		assert_true(rounds < ROOMS);
		asked += count;
		for (size_t i = 0; i < count; i++) {
			assert_true(bus_find(&f->out.roomd[0], EV_presence_ask, i, &ev));
			respond_presence(f, ev.as.presence_ask.room);
		}
		step(f, &f->roomd);
		if (asked < ROOMS)
			assert_true(gateway_next_due(f->gateway) <= f->now_ms);
		tick(f, 0);
	}
	assert_int_equal(asked, ROOMS);
	tick(f, 5000);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_presence_ask), 0);
}

static void test_pages_are_asked_for_in_a_window(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	size_t asked = 0;
	restart(f, &f->historyd);
	while (asked < ROOMS) {
		size_t count = bus_count(&f->out.read[0], EV_page_ask);
		assert_in_range(count, 1, QUESTIONS_MAX);
		asked += count;
		for (size_t i = 0; i < count; i++) {
			assert_true(bus_find(&f->out.read[0], EV_page_ask, i, &ev));
			respond_page(f, &ev.as.page_ask);
		}
		step(f, &f->pages);
		tick(f, 0);
	}
	assert_int_equal(asked, ROOMS);
}

/* Something of this service is lost, and then it is heard again. */
static void lose(struct fixture *f, struct bus_peer *who)
{
	who->self.seq++;
	heartbeat(f, who);
}

static void respond_pages(struct fixture *f)
{
	struct bus_event ev;
	for (size_t i = 0; bus_find(&f->out.read[0], EV_page_ask, i, &ev); i++)
		respond_page(f, &ev.as.page_ask);
	if (f->pages.batch.count)
		step(f, &f->pages);
}

/* Losses make traffic, which must not make losses: of a hundred in ten seconds hardly any asks
 * about all rooms at once, and after the last one all are asked about. */
static void test_losses_are_made_good_together(void **state)
{
	struct fixture *f = *state;
	const struct gateway_stats *stats = gateway_stats(f->gateway);
	uint64_t before = stats->bus_resyncs_total;
	for (size_t i = 0; i < 100; i++) {
		lose(f, &f->historyd);
		respond_pages(f);
		tick(f, 100);
		respond_pages(f);
	}
	assert_in_range(stats->bus_resyncs_total - before, 2, 8);
	lose(f, &f->historyd);
	uint64_t asked = stats->pages_total;
	for (size_t i = 0; i < 200; i++) {
		tick(f, 50);
		respond_pages(f);
	}
	assert_in_range(stats->pages_total - asked, ROOMS, 2 * ROOMS);
	/* The next loss after a quiet time is made good at once. */
	before = stats->bus_resyncs_total;
	lose(f, &f->historyd);
	assert_int_equal(stats->bus_resyncs_total, before + 1);
}

static void ask_members(struct fixture *f, uint64_t round)
{
	bus_put_members_ask(&f->roomd.batch,
			    &(struct ev_members_ask){.gateway = GATEWAY_ID, .round = round});
	step(f, &f->roomd);
}

/* How many times the room is named in what is going out. */
static size_t count_named(const struct fixture *f, const char *room)
{
	struct bus_event ev;
	size_t count = 0;
	for (size_t i = 0; bus_find(&f->out.roomd[0], EV_member_room, i, &ev); i++)
		count += str_equal(ev.as.member_room.room, str_from(room));
	return count;
}

/* Goes on until the round's end has been said; returns how many members were named. */
static size_t hear_members(struct fixture *f, uint64_t round)
{
	struct bus_event ev;
	size_t named = 0;
	for (;;) {
		size_t count = bus_count(&f->out.roomd[0], EV_member_room) +
			       bus_count(&f->out.roomd[0], EV_member_user);
		assert_in_range(count, 0, MEMBERS_A_TURN);
		named += bus_count(&f->out.roomd[0], EV_member_room);
		if (bus_find(&f->out.roomd[0], EV_members_end, 0, &ev))
			break;
		assert_true(gateway_next_due(f->gateway) <= f->now_ms);
		tick(f, 0);
	}
	assert_int_equal(ev.as.members_end.round, round);
	tick(f, 0);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_members_end), 0);
	return named;
}

static void test_members_are_named_in_pieces(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	ask_members(f, 7);
	assert_true(bus_find(&f->out.roomd[0], EV_members_begin, 0, &ev));
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_user), CLIENTS);
	assert_int_equal(hear_members(f, 7), ROOMS);
}

static void test_a_leave_between_two_pieces_stays_a_leave(void **state)
{
	struct fixture *f = *state;
	ask_members(f, 7);
	assert_int_equal(count_named(f, "room2999"), 0);
	say(f, CLIENTS - 1, "userLeave", 2999);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave), 1);
	tick(f, 0);
	assert_int_equal(count_named(f, "room2999"), 0);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_room), MEMBERS_A_TURN);
	tick(f, 0);
	assert_int_equal(count_named(f, "room2999"), 0);
}

static void test_a_call_that_is_begun_again_leaves_nobody_out(void **state)
{
	struct fixture *f = *state;
	ask_members(f, 7);
	tick(f, 0); /* two pieces of four are out */
	ask_members(f, 8);
	assert_int_equal(hear_members(f, 8), ROOMS);
	ask_members(f, 8); /* a roomd that restarted may count as the one before it did */
	assert_int_equal(hear_members(f, 8), ROOMS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rooms, close_rooms)
	const struct CMUnitTest tests[] = {
		TEST(test_presence_is_asked_for_in_a_window),
		TEST(test_pages_are_asked_for_in_a_window),
		TEST(test_losses_are_made_good_together),
		TEST(test_members_are_named_in_pieces),
		TEST(test_a_leave_between_two_pieces_stays_a_leave),
		TEST(test_a_call_that_is_begun_again_leaves_nobody_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
