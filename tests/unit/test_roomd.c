// SPDX-License-Identifier: MIT
/* test_roomd.c — roomd's core: names, presence, typing, gateways that die. Private rooms are in
 * test_roomd_private.c. */
#include "tests/sim/rng.h"
#include "tests/unit/test_roomd.h"

static void test_answers_nothing_before_it_has_settled(void **state)
{
	struct fixture *f = *state;
	roomd_close(f->roomd);
	f->roomd = roomd_open(&(struct roomd_options){.historyd_shards = 1}, f->now_ms);
	assert_int_equal(roomd_heartbeat(f->roomd, f->now_ms).ready, 0);
	bus_put_claim(&f->gateway[0].batch, &(struct ev_claim){.user = ANN});
	send(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_claim_answer), 0);
	say_members(f, &f->gateway[0]);
	tick(f, SETTLE_MS);
	assert_int_equal(roomd_heartbeat(f->roomd, f->now_ms).ready, 1);
	assert_int_equal(claim(f, 0, ANN, STR("")), ERR_OK);
}

static void test_names_belong_to_their_keys(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(claim(f, 0, ANN, KEY), ERR_OK);
	assert_int_equal(claim(f, 1, ANN, KEY), ERR_OK); /* another tab, another gateway */
	assert_int_equal(claim(f, 1, ANN, STR("")), ERR_NAME_TAKEN);
	assert_int_equal(claim(f, 1, ANN, STR("another")), ERR_NAME_TAKEN);
	release(f, 0, ANN);
	assert_int_equal(claim(f, 0, ANN, STR("another")), ERR_NAME_TAKEN);
	release(f, 1, ANN);
	for (int ms = SECOND_MS; ms < RESERVED_MS; ms += SECOND_MS) { /* with its gateways alive */
		tick(f, SECOND_MS);
		send(f, &f->gateway[0]);
		send(f, &f->gateway[1]);
	}
	assert_int_equal(claim(f, 0, ANN, STR("another")), ERR_NAME_TAKEN);
	tick(f, SECOND_MS + 1);
	assert_int_equal(claim(f, 0, ANN, STR("another")), ERR_OK);

	assert_int_equal(claim(f, 0, BOB, STR("")), ERR_OK);
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK); /* open to others without a key */
	assert_int_equal(claim(f, 1, BOB, KEY), ERR_NAME_TAKEN);
	release(f, 0, BOB);
	release(f, 1, BOB);
	assert_int_equal(claim(f, 1, BOB, KEY), ERR_OK); /* not reserved */
}

static void test_first_in_and_last_out_are_announced(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, ANN);
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 0); /* historyd is asked first */
	give_facts(f, STR(""), STR(""));
	assert_true(bus_find(&f->out.down, EV_user_in, 0, &ev));
	uint64_t version = ev.as.user_in.version;
	join(f, 1, ANN);
	assert_int_equal(join_status(f, 0), ERR_OK);
	assert_int_equal(bus_count(&f->out.down, EV_user_in), 0);
	join(f, 1, BOB);
	assert_true(bus_find(&f->out.down, EV_user_in, 0, &ev));
	assert_int_equal(ev.as.user_in.version, version + 1);
	bus_put_leave(&f->gateway[0].batch, &(struct ev_leave){.room = ROOM, .user = ANN});
	send(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 0);
	bus_put_leave(&f->gateway[1].batch, &(struct ev_leave){.room = ROOM, .user = ANN});
	send(f, &f->gateway[1]);
	assert_true(bus_find(&f->out.down, EV_user_out, 0, &ev));
	assert_int_equal(ev.as.user_out.version, version + 2);
	bus_put_presence_ask(&f->gateway[0].batch, &(struct ev_presence_ask){.room = ROOM});
	send(f, &f->gateway[0]);
	assert_true(bus_find(&f->out.down, EV_presence, 0, &ev));
	assert_int_equal(ev.as.presence.names.count, 1);
	assert_int_equal(ev.as.presence.version, version + 2);
	assert_true(ev.as.presence.last);
}

static void test_typing_ends(void **state)
{
	struct fixture *f = *state;
	const struct ev_typing typing = {.room = ROOM, .user = ANN};
	join_public(f, 0, ANN);
	bus_put_typing(&f->gateway[0].batch, &typing);
	send(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_typing_on), 1);
	f->now_ms += SECOND_MS / 2;
	bus_put_typing(&f->gateway[0].batch, &typing);
	send(f, &f->gateway[0]);
	assert_int_equal(f->out.down.count, 0); /* at most once a second */
	tick(f, TYPING_MS - 1);
	assert_int_equal(f->out.down.count, 0);
	tick(f, 1);
	assert_int_equal(bus_count(&f->out.down, EV_typing_off), 1);
}

static void test_a_dead_gateway_leaves_no_ghosts(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	join_public(f, 1, BOB);
	f->now_ms += LEASE_MS / 2;
	send(f, &f->gateway[1]); /* this one lives */
	tick(f, LEASE_MS / 2);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
	f->gateway[1].self.epoch++; /* this one restarts */
	f->gateway[1].self.seq = 0;
	send(f, &f->gateway[1]);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
}

static void test_a_round_sweeps_out_who_is_not_named(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	join_public(f, 0, BOB);
	f->gateway[0].self.seq++; /* something was lost */
	join(f, 0, EVE);
	assert_int_equal(join_status(f, 0), ERR_OK);
	bus_put_member_room(&f->gateway[0].batch,
			    &(struct ev_member_room){.room = ROOM, .user = ANN});
	say_members(f, &f->gateway[0]);
	struct bus_event ev;
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
	assert_true(bus_find(&f->out.down, EV_user_out, 0, &ev));
	assert_true(
		str_equal(ev.as.user_out.user, BOB)); /* EVE came after the round was asked for */
}

/* Losses that go on are made good together; a round that something was lost of sweeps nobody out.
 */
static void test_losses_do_not_begin_a_round_each(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	size_t asked = 0;
	join_public(f, 0, ANN);
	f->gateway[0].self.seq++;
	send(f, &f->gateway[0]);
	assert_true(bus_find(&f->out.down, EV_members_ask, 0, &ask));
	uint64_t broken = ask.as.members_ask.round;
	for (size_t i = 0; i < 100; i++) {
		f->gateway[0].self.seq++;
		bus_put_members_end(&f->gateway[0].batch,
				    &(struct ev_members_end){.round = broken});
		send(f, &f->gateway[0]);
		asked += bus_count(&f->out.down, EV_members_ask);
		assert_int_equal(bus_count(&f->out.down, EV_user_out), 0);
		send(f, &f->gateway[1]); /* this one lives, too */
		tick(f, 100);
		asked += bus_count(&f->out.down, EV_members_ask);
	}
	assert_in_range(asked, 2, 8);
	for (asked = 0; asked == 0; asked = bus_count(&f->out.down, EV_members_ask))
		tick(f, 100);
	say_members(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
}

/* What is due is done however busy the bus is: a request for members that was lost is asked again.
 */
static void test_a_busy_bus_puts_nothing_off(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	f->gateway[0].self.seq++; /* something was lost, and then the request, too */
	send(f, &f->gateway[0]);
	assert_true(bus_find(&f->out.down, EV_members_ask, 0, &ask));
	size_t asked = 0;
	for (uint64_t end_ms = f->now_ms + LEASE_MS; f->now_ms < end_ms; f->now_ms += 100) {
		send(f, &f->gateway[0]);
		send(f, &f->gateway[1]);
		if (roomd_next_due(f->roomd) > f->now_ms)
			continue;
		tick(f, 0);
		asked += bus_count(&f->out.down, EV_members_ask);
	}
	assert_in_range(asked, 1, 4);
}

static void test_garbage_is_counted(void **state)
{
	struct fixture *f = *state;
	struct rng rng = {3};
	struct roomd_stats stats;
	char bytes[64];
	for (int i = 0; i < 5000; i++) {
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (char)rng_next(&rng);
		const struct bus_source source = {.kind = SERVICE_ANY};
		roomd_step(f->roomd, f->now_ms, &source,
			   str_of(bytes, rng_below(&rng, sizeof bytes)), &f->out);
	}
	roomd_stats(f->roomd, &stats);
	assert_in_range(stats.bus_bad_total, 4900, 5000);
	join_public(f, 0, ANN);
}

/* A gateway that died while a join waited for historyd has nobody in the room afterwards. */
static void test_a_waiting_join_dies_with_its_gateway(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	join(f, 0, ANN);
	assert_true(asked(f, EV_room_ask, 0, &ask));
	uint64_t req = ask.as.room_ask.req;
	f->gateway[0].self.epoch++;
	f->gateway[0].self.seq = 0;
	send(f, &f->gateway[0]);
	say_members(f, &f->gateway[0]);
	bus_put_room_facts(&f->historyd.batch, &(struct ev_room_facts){.req = req, .room = ROOM});
	send(f, &f->historyd);
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 0);
	assert_int_equal(bus_count(&f->out.down, EV_user_in), 0);
}

static void test_closes_with_many_gateways(void **state)
{
	struct fixture *f = *state;
	for (uint64_t i = 2; i < 100; i++) {
		struct bus_peer g = {
			.self = {.from = SERVICE_GATEWAY, .id = i, .epoch = 1},
		};
		bus_put_join(&g.batch, &(struct ev_join){.room = ROOM, .user = ANN});
		send(f, &g);
		bus_peer_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers_nothing_before_it_has_settled),
		TEST(test_names_belong_to_their_keys),
		TEST(test_first_in_and_last_out_are_announced),
		TEST(test_typing_ends),
		TEST(test_a_dead_gateway_leaves_no_ghosts),
		TEST(test_a_round_sweeps_out_who_is_not_named),
		TEST(test_losses_do_not_begin_a_round_each),
		TEST(test_a_busy_bus_puts_nothing_off),
		TEST(test_garbage_is_counted),
		TEST(test_a_waiting_join_dies_with_its_gateway),
		TEST(test_closes_with_many_gateways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
