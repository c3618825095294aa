// SPDX-License-Identifier: MIT
/* test_roomd.c — roomd's core, with the test as its gateways and its historyd. */
#include "roomd/roomd.h"
#include "tests/sim/rng.h"
#include "tests/support/bus_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

#define ROOM STR("den")
#define ANN STR("ann")
#define BOB STR("bob")
#define EVE STR("eve")
#define KEY STR("0123456789abcdef")

struct fixture {
	struct roomd *roomd;
	struct roomd_out out;
	struct bus_peer gateway[2], historyd;
	uint64_t now_ms;
};

static void send(struct fixture *f, struct bus_peer *from)
{
	roomd_out_reset(&f->out);
	roomd_step(f->roomd, f->now_ms, bus_peer_message(from), &f->out);
}

static void tick(struct fixture *f, uint64_t ms)
{
	roomd_out_reset(&f->out);
	f->now_ms += ms;
	roomd_tick(f->roomd, f->now_ms, &f->out);
}

/* The gateway says that nobody is there, or whoever was put into its batch before. */
static void say_members(struct fixture *f, struct bus_peer *g)
{
	struct bus_event ask;
	assert_true(bus_find(&f->out.down, EV_members_ask, 0, &ask));
	assert_int_equal(ask.as.members_ask.gateway, g->self.id);
	bus_put_members_end(&g->batch, &(struct ev_members_end){.round = ask.as.members_ask.round});
	send(f, g);
}

static int open_roomd(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	f->now_ms = 1000;
	f->roomd = roomd_open(&(struct roomd_options){.historyd_shards = 1, .seed = 1}, f->now_ms);
	for (uint64_t i = 0; i < 2; i++)
		f->gateway[i].self =
			(struct envelope){.from = SERVICE_GATEWAY, .id = i, .epoch = 1};
	f->historyd.self = (struct envelope){.from = SERVICE_HISTORYD, .epoch = 1};
	f->historyd.is_answering = true;
	for (size_t i = 0; i < 2; i++) {
		send(f, &f->gateway[i]);
		say_members(f, &f->gateway[i]);
	}
	tick(f, 1500);
	*state = f;
	return 0;
}

static int close_roomd(void **state)
{
	struct fixture *f = *state;
	roomd_close(f->roomd);
	roomd_out_free(&f->out);
	bus_peer_free(&f->gateway[0]);
	bus_peer_free(&f->gateway[1]);
	bus_peer_free(&f->historyd);
	mem_free(f);
	return 0;
}

static void join(struct fixture *f, size_t g, struct str user)
{
	bus_put_join(&f->gateway[g].batch, &(struct ev_join){.room = ROOM, .user = user});
	send(f, &f->gateway[g]);
}

/* Answers the room_ask that is in the outbox. */
static void give_facts(struct fixture *f, struct str owner, struct str guest)
{
	struct bus_event ask;
	assert_true(bus_find(&f->out.ask[0], EV_room_ask, 0, &ask));
	bus_put_room_facts(&f->historyd.batch, &(struct ev_room_facts){.req = ask.as.room_ask.req,
								       .room = ROOM,
								       .owner = owner,
								       .guest = guest});
	send(f, &f->historyd);
}

static enum err join_status(const struct fixture *f, size_t n)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.down, EV_join_answer, n, &ev));
	return (enum err)ev.as.join_answer.status;
}

static void join_public(struct fixture *f, size_t g, struct str user)
{
	join(f, g, user);
	if (bus_count(&f->out.ask[0], EV_room_ask))
		give_facts(f, STR(""), STR(""));
	assert_int_equal(join_status(f, 0), ERR_OK);
}

static enum err claim(struct fixture *f, size_t g, struct str user, struct str key)
{
	struct bus_event ev;
	bus_put_claim(&f->gateway[g].batch, &(struct ev_claim){.user = user, .key = key});
	send(f, &f->gateway[g]);
	assert_true(bus_find(&f->out.down, EV_claim_answer, 0, &ev));
	assert_int_equal(ev.as.claim_answer.gateway, g);
	return (enum err)ev.as.claim_answer.status;
}

static void release(struct fixture *f, size_t g, struct str user)
{
	bus_put_release(&f->gateway[g].batch, &(struct ev_release){.user = user});
	send(f, &f->gateway[g]);
}

static void test_answers_nothing_before_it_has_settled(void **state)
{
	struct fixture *f = *state;
	roomd_close(f->roomd);
	f->roomd = roomd_open(&(struct roomd_options){.historyd_shards = 1}, f->now_ms);
	assert_false(roomd_is_ready(f->roomd, f->now_ms));
	bus_put_claim(&f->gateway[0].batch, &(struct ev_claim){.user = ANN});
	send(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_claim_answer), 0);
	say_members(f, &f->gateway[0]);
	tick(f, 1500);
	assert_true(roomd_is_ready(f->roomd, f->now_ms));
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
	for (int i = 0; i < 59; i++) { /* 59 s, with its gateways alive */
		tick(f, 1000);
		send(f, &f->gateway[0]);
		send(f, &f->gateway[1]);
	}
	assert_int_equal(claim(f, 0, ANN, STR("another")), ERR_NAME_TAKEN);
	tick(f, 1001);
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

static void test_private_rooms_refuse_others(void **state)
{
	struct fixture *f = *state;
	join(f, 0, EVE);
	join(f, 0, ANN);
	roomd_out_reset(&f->out);
	tick(f, 1000); /* the question is repeated */
	give_facts(f, ANN, BOB);
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 2);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	assert_int_equal(join_status(f, 1), ERR_OK);
	assert_int_equal(bus_count(&f->out.down, EV_user_in), 1);
}

static enum err private_status(const struct fixture *f)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.down, EV_private_answer, 0, &ev));
	assert_int_equal(ev.as.private_answer.req, 7);
	return (enum err)ev.as.private_answer.status;
}

static void ask_private(struct fixture *f, struct str user, struct str user2)
{
	bus_put_private_ask(
		&f->gateway[0].batch,
		&(struct ev_private_ask){.req = 7, .room = ROOM, .user = user, .user2 = user2});
	send(f, &f->gateway[0]);
}

static void test_a_room_is_made_private_while_others_wait(void **state)
{
	struct fixture *f = *state;
	struct bus_event put;
	join_public(f, 0, ANN);
	ask_private(f, ANN, BOB);
	assert_true(bus_find(&f->out.ask[0], EV_private_put, 0, &put));
	uint64_t req = put.as.private_put.req;
	join(f, 1, EVE);
	assert_int_equal(f->out.down.count, 0); /* behind the question */
	bus_put_private_done(&f->historyd.batch,
			     &(struct ev_private_done){.req = req, .room = ROOM, .status = ERR_OK});
	send(f, &f->historyd);
	assert_int_equal(private_status(f), ERR_OK);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	join(f, 1, BOB);
	assert_int_equal(join_status(f, 0), ERR_OK);
	ask_private(f, ANN, BOB);
	assert_int_equal(private_status(f), ERR_ALREADY_IN);
	ask_private(f, EVE, BOB);
	assert_int_equal(private_status(f), ERR_FORBIDDEN);
	ask_private(f, ANN, EVE);
	assert_int_equal(private_status(f), ERR_ROOM_TAKEN);
}

static void test_a_room_with_others_is_taken(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	join_public(f, 1, EVE);
	ask_private(f, ANN, BOB);
	assert_int_equal(private_status(f), ERR_ROOM_TAKEN);
	assert_int_equal(bus_count(&f->out.ask[0], EV_private_put), 0);
}

static void test_invitations_are_kept_before_they_are_told(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	const struct ev_invite_ask ask = {.req = 9, .room = ROOM, .user = ANN, .user2 = BOB};
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK);
	bus_put_invite_ask(&f->gateway[0].batch, &ask);
	send(f, &f->gateway[0]);
	assert_int_equal(f->out.down.count, 0);
	assert_true(bus_find(&f->out.ask[0], EV_invite_put, 0, &ev));
	bus_put_invite_done(
		&f->historyd.batch,
		&(struct ev_invite_done){
			.req = ev.as.invite_put.req, .room = ROOM, .user2 = BOB, .status = ERR_OK});
	send(f, &f->historyd);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 1);
	assert_true(bus_find(&f->out.down, EV_invite_answer, 0, &ev));
	assert_int_equal(ev.as.invite_answer.req, 9);
	bus_put_invite_seen(&f->gateway[1].batch,
			    &(struct ev_invite_seen){.room = ROOM, .user2 = BOB});
	send(f, &f->gateway[1]);
	assert_int_equal(bus_count(&f->out.ask[0], EV_invite_drop), 1);
}

static void test_typing_ends(void **state)
{
	struct fixture *f = *state;
	const struct ev_typing typing = {.room = ROOM, .user = ANN};
	join_public(f, 0, ANN);
	bus_put_typing(&f->gateway[0].batch, &typing);
	send(f, &f->gateway[0]);
	assert_int_equal(bus_count(&f->out.down, EV_typing_on), 1);
	f->now_ms += 500;
	bus_put_typing(&f->gateway[0].batch, &typing);
	send(f, &f->gateway[0]);
	assert_int_equal(f->out.down.count, 0); /* at most once a second */
	tick(f, 4999);
	assert_int_equal(f->out.down.count, 0);
	tick(f, 1);
	assert_int_equal(bus_count(&f->out.down, EV_typing_off), 1);
}

static void test_a_dead_gateway_leaves_no_ghosts(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	join_public(f, 1, BOB);
	f->now_ms += 3000;
	send(f, &f->gateway[1]); /* this one lives */
	tick(f, 2000);
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

static void test_garbage_is_counted(void **state)
{
	struct fixture *f = *state;
	struct rng rng = {3};
	struct roomd_stats stats;
	char bytes[64];
	for (int i = 0; i < 5000; i++) {
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (char)rng_next(&rng);
		roomd_step(f->roomd, f->now_ms, str_of(bytes, rng_below(&rng, sizeof bytes)),
			   &f->out);
	}
	roomd_stats(f->roomd, &stats);
	assert_in_range(stats.bad_messages, 4900, 5000);
	join_public(f, 0, ANN);
}

/* A gateway that died while a join waited for historyd has nobody in the room afterwards. */
static void test_a_waiting_join_dies_with_its_gateway(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	join(f, 0, ANN);
	assert_true(bus_find(&f->out.ask[0], EV_room_ask, 0, &ask));
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_roomd, close_roomd)
	const struct CMUnitTest tests[] = {
		TEST(test_answers_nothing_before_it_has_settled),
		TEST(test_names_belong_to_their_keys),
		TEST(test_first_in_and_last_out_are_announced),
		TEST(test_private_rooms_refuse_others),
		TEST(test_a_room_is_made_private_while_others_wait),
		TEST(test_a_room_with_others_is_taken),
		TEST(test_invitations_are_kept_before_they_are_told),
		TEST(test_typing_ends),
		TEST(test_a_dead_gateway_leaves_no_ghosts),
		TEST(test_a_round_sweeps_out_who_is_not_named),
		TEST(test_garbage_is_counted),
		TEST(test_a_waiting_join_dies_with_its_gateway),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
