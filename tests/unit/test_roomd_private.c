// SPDX-License-Identifier: MIT
/* test_roomd_private.c — roomd's core: whose a room is, and invitations. */
#include "tests/unit/test_roomd.h"

/* A second later, with both gateways alive; returns how many such requests went out. */
static size_t one_second(struct fixture *f, enum ev_type type)
{
	send(f, &f->gateway[0]);
	send(f, &f->gateway[1]);
	tick(f, SECOND_MS);
	return count_asked(f, type);
}

/* Until the request goes out. */
static void wait_for(struct fixture *f, enum ev_type type)
{
	for (int s = 0; s < 10; s++)
		if (one_second(f, type))
			return;
	fail_msg("not asked again");
}

static void test_private_rooms_refuse_others(void **state)
{
	struct fixture *f = *state;
	join(f, 0, EVE);
	join(f, 0, ANN);
	roomd_out_reset(&f->out);
	tick(f, QUESTION_MS); /* the request is repeated */
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
	assert_int_equal(f->out.down.count, 0); /* behind the request */
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

static void say_facts(struct fixture *f, uint64_t req, struct str owner, struct str guest)
{
	bus_put_room_facts(
		&f->historyd.batch,
		&(struct ev_room_facts){.req = req, .room = ROOM, .owner = owner, .guest = guest});
	send(f, &f->historyd);
}

/* A private room is two people's; facts that say otherwise are as good as lost. */
static void test_facts_of_one_person_are_no_answer(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	join(f, 0, ANN);
	assert_true(asked(f, EV_room_ask, 0, &ask));
	say_facts(f, ask.as.room_ask.req, ANN, STR(""));
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 0);
	say_facts(f, ask.as.room_ask.req, STR(""), ANN);
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 0);
	say_facts(f, ask.as.room_ask.req, ANN, BOB);
	assert_int_equal(join_status(f, 0), ERR_OK);
}

static void test_a_room_with_others_is_taken(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	join_public(f, 1, EVE);
	ask_private(f, ANN, BOB);
	assert_int_equal(private_status(f), ERR_ROOM_TAKEN);
	assert_int_equal(count_asked(f, EV_private_put), 0);
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
	assert_int_equal(count_asked(f, EV_invite_drop), 1);
}

/* A stranger whom his gateway names, in a room that nobody waits for any more. */
static void test_a_room_outlives_whoever_asked_about_it(void **state)
{
	struct fixture *f = *state;
	struct bus_event ask;
	join(f, 0, ANN);
	assert_true(asked(f, EV_room_ask, 0, &ask));
	bus_put_member_room(&f->gateway[1].batch,
			    &(struct ev_member_room){.room = ROOM, .user = EVE});
	send(f, &f->gateway[1]);
	bus_put_leave(&f->gateway[0].batch, &(struct ev_leave){.room = ROOM, .user = ANN});
	send(f, &f->gateway[0]);
	bus_put_room_facts(&f->historyd.batch, &(struct ev_room_facts){.req = ask.as.room_ask.req,
								       .room = ROOM,
								       .owner = ANN,
								       .guest = BOB});
	send(f, &f->historyd);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
	struct roomd_stats stats;
	roomd_stats(f->roomd, &stats);
	assert_int_equal(stats.rooms, 0);
}

static void test_who_came_while_a_room_was_made_private_is_put_out(void **state)
{
	struct fixture *f = *state;
	struct bus_event put;
	join_public(f, 0, ANN);
	ask_private(f, ANN, BOB);
	assert_true(bus_find(&f->out.ask[0], EV_private_put, 0, &put));
	bus_put_member_room(&f->gateway[1].batch,
			    &(struct ev_member_room){.room = ROOM, .user = EVE});
	send(f, &f->gateway[1]);
	assert_int_equal(bus_count(&f->out.down, EV_user_in), 1);
	bus_put_private_done(&f->historyd.batch,
			     &(struct ev_private_done){.req = put.as.private_put.req,
						       .room = ROOM,
						       .status = ERR_OK});
	send(f, &f->historyd);
	assert_int_equal(private_status(f), ERR_OK);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
}

/* A word that was lost would leave the stranger there. */
static void test_who_is_put_out_is_told_until_the_gateway_lets_go(void **state)
{
	struct fixture *f = *state;
	bus_put_member_room(&f->gateway[1].batch,
			    &(struct ev_member_room){.room = ROOM, .user = EVE});
	send(f, &f->gateway[1]);
	give_facts(f, ANN, BOB);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	(void)one_second(f, EV_room_ask);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	bus_put_leave(&f->gateway[1].batch, &(struct ev_leave){.room = ROOM, .user = EVE});
	send(f, &f->gateway[1]);
	(void)one_second(f, EV_room_ask);
	assert_int_equal(bus_count(&f->out.down, EV_join_answer), 0);
}

/* After a restart of roomd nobody need join for a stranger to be noticed. */
static void test_whose_a_named_room_is_gets_asked_until_it_is_known(void **state)
{
	struct fixture *f = *state;
	bus_put_member_room(&f->gateway[1].batch,
			    &(struct ev_member_room){.room = ROOM, .user = EVE});
	send(f, &f->gateway[1]);
	size_t times = count_asked(f, EV_room_ask);
	for (int s = 0; s < 30; s++) /* historyd is away */
		times += one_second(f, EV_room_ask);
	assert_in_range(times, 6, 12);
	wait_for(f, EV_room_ask);
	give_facts(f, ANN, BOB);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
	assert_int_equal(bus_count(&f->out.down, EV_user_out), 1);
}

/* historyd may have stored it, though nobody heard of it. */
static void test_a_room_is_asked_about_again_after_an_unanswered_private_put(void **state)
{
	struct fixture *f = *state;
	join_public(f, 0, ANN);
	ask_private(f, ANN, BOB);
	for (int s = 0; s < 6; s++)
		(void)one_second(f, EV_private_put);
	join(f, 1, EVE);
	give_facts(f, ANN, BOB);
	assert_int_equal(join_status(f, 0), ERR_FORBIDDEN);
}

static void invite_bob(struct fixture *f, uint64_t req)
{
	bus_put_invite_ask(
		&f->gateway[0].batch,
		&(struct ev_invite_ask){.req = req, .room = ROOM, .user = ANN, .user2 = BOB});
	send(f, &f->gateway[0]);
}

static void give_invites(struct fixture *f, uint64_t req, struct str room)
{
	struct buf packed = {0};
	bus_pack_invitation(&packed, &(struct rec_invitation){.room = room, .user = EVE});
	bus_put_invites(&f->historyd.batch,
			&(struct ev_invites){.req = req,
					     .user2 = BOB,
					     .pending = {.count = 1, .packed = buf_view(&packed)}});
	send(f, &f->historyd);
	buf_free(&packed);
}

static void test_invitations_are_loaded_while_others_are_being_kept(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	invite_bob(f, 9);
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK);
	assert_true(bus_find(&f->out.ask[0], EV_invites_ask, 0, &ev));
	give_invites(f, ev.as.invites_ask.req, STR("attic"));
	assert_true(bus_find(&f->out.down, EV_invited, 0, &ev));
	assert_true(str_equal(ev.as.invited.room, STR("attic")));
}

static void test_invitations_are_asked_for_as_long_as_the_user_is_there(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK);
	for (int s = 0; s < 20; s++)
		(void)one_second(f, EV_invites_ask);
	wait_for(f, EV_invites_ask);
	assert_true(bus_find(&f->out.ask[0], EV_invites_ask, 0, &ev));
	give_invites(f, ev.as.invites_ask.req, STR("attic"));
	assert_int_equal(bus_count(&f->out.down, EV_invited), 1);
}

static void test_an_invitation_is_told_until_it_was_shown(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK);
	assert_true(bus_find(&f->out.ask[0], EV_invites_ask, 0, &ev));
	give_invites(f, ev.as.invites_ask.req, ROOM);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 1); /* and lost */
	tick(f, ANNOUNCE_AGAIN_MS - 1);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 0);
	send(f, &f->gateway[1]);
	tick(f, 1);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 1);
	bus_put_invite_seen(&f->gateway[1].batch,
			    &(struct ev_invite_seen){.room = ROOM, .user2 = BOB});
	send(f, &f->gateway[1]);
	send(f, &f->gateway[0]);
	tick(f, ANNOUNCE_AGAIN_MS - 1);
	send(f, &f->gateway[1]);
	tick(f, ANNOUNCE_AGAIN_MS - 1);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 0);
}

/* Kept while nobody held the name: the guest's gateway was silent, and comes back without a claim.
 */
static void test_an_invitation_is_told_to_who_is_named_again(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	assert_int_equal(claim(f, 1, BOB, STR("")), ERR_OK);
	assert_true(bus_find(&f->out.ask[0], EV_invites_ask, 0, &ev));
	bus_put_invites(&f->historyd.batch,
			&(struct ev_invites){.req = ev.as.invites_ask.req, .user2 = BOB});
	send(f, &f->historyd);
	for (int s = 0; s < 6; s++) {
		send(f, &f->gateway[0]);
		tick(f, SECOND_MS);
	}
	invite_bob(f, 9);
	assert_true(bus_find(&f->out.ask[0], EV_invite_put, 0, &ev));
	bus_put_invite_done(
		&f->historyd.batch,
		&(struct ev_invite_done){
			.req = ev.as.invite_put.req, .room = ROOM, .user2 = BOB, .status = ERR_OK});
	send(f, &f->historyd);
	assert_int_equal(bus_count(&f->out.down, EV_invited), 0);
	send(f, &f->gateway[1]);
	bus_put_member_user(&f->gateway[1].batch, &(struct ev_member_user){.user = BOB});
	say_members(f, &f->gateway[1]);
	if (!bus_count(&f->out.down, EV_invited)) {
		assert_true(bus_find(&f->out.ask[0], EV_invites_ask, 0, &ev));
		give_invites(f, ev.as.invites_ask.req, ROOM);
	}
	assert_int_equal(bus_count(&f->out.down, EV_invited), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_private_rooms_refuse_others),
		TEST(test_a_room_is_made_private_while_others_wait),
		TEST(test_facts_of_one_person_are_no_answer),
		TEST(test_a_room_with_others_is_taken),
		TEST(test_invitations_are_kept_before_they_are_told),
		TEST(test_a_room_outlives_whoever_asked_about_it),
		TEST(test_who_came_while_a_room_was_made_private_is_put_out),
		TEST(test_who_is_put_out_is_told_until_the_gateway_lets_go),
		TEST(test_whose_a_named_room_is_gets_asked_until_it_is_known),
		TEST(test_a_room_is_asked_about_again_after_an_unanswered_private_put),
		TEST(test_invitations_are_loaded_while_others_are_being_kept),
		TEST(test_invitations_are_asked_for_as_long_as_the_user_is_there),
		TEST(test_an_invitation_is_told_until_it_was_shown),
		TEST(test_an_invitation_is_told_to_who_is_named_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
