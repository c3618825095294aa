// SPDX-License-Identifier: MIT
/* test_gateway_presence.c — who is here, as the gateway's core tells its clients. */
#include "tests/unit/test_gateway.h"

static void come(struct fixture *f, const char *user, uint64_t version)
{
	bus_put_user_in(&f->roomd.batch, &(struct ev_user_in){.room = STR("main"),
							      .user = str_from(user),
							      .version = version});
	send(f, &f->roomd);
}

static void test_who_comes_and_goes_is_told_and_lists_are_coalesced(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	for (int i = 0; i < 5; i++) {
		bus_put_user_in(&f->roomd.batch, &(struct ev_user_in){.room = STR("main"),
								      .user = STR("zoe"),
								      .version = ++f->versions});
		bus_put_user_out(&f->roomd.batch, &(struct ev_user_out){.room = STR("main"),
									.user = STR("zoe"),
									.version = ++f->versions});
	}
	send(f, &f->roomd);
	assert_string_equal(events(f, 0),
			    "userJoin userLeave userJoin userLeave userJoin userLeave "
			    "userJoin userLeave userJoin userLeave activeUsers");
	come(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "");
	come(f, "yan", ++f->versions);
	assert_string_equal(events(f, 0), "");
	tick(f, ANNOUNCE_MS);
	assert_string_equal(events(f, 0), "userJoin userJoin activeUsers");

	/* Who comes is seen before what they say. */
	come(f, "xia", ++f->versions);
	assert_string_equal(events(f, 0), "");
	store(f, 0, 4, STR("xia"));
	assert_string_equal(events(f, 0), "userJoin updateChat");
	tick(f, ANNOUNCE_MS);
	assert_string_equal(events(f, 0), "activeUsers");

	come(f, "wim", f->versions + 2); /* one was lost */
	assert_int_equal(f->out.op_count, 0);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_presence_ask), 1);
}

/* Two come while a third is told nothing yet: the list of the second holds the first, so only the
 * second is news to the first, and neither hears of oneself. */
static void test_who_is_greeted_meanwhile_hears_only_what_is_new(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	come(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "userJoin activeUsers");
	say(f, 1, "{\"event\":\"userJoin\",\"data\":{\"username\":\"bob\",\"room\":\"main\"}}");
	admit(f, "bob", HEAD);
	assert_string_equal(events(f, 1), "activeUsers msgHistory");
	say(f, 2, "{\"event\":\"userJoin\",\"data\":{\"username\":\"cyd\",\"room\":\"main\"}}");
	admit(f, "cyd", HEAD);
	assert_string_equal(events(f, 2), "activeUsers msgHistory");
	assert_string_equal(events(f, 0), "");
	tick(f, ANNOUNCE_MS);
	assert_string_equal(events(f, 0), "userJoin userJoin activeUsers");
	assert_string_equal(events(f, 1), "userJoin activeUsers");
	assert_string_equal(events(f, 2), "");
}

static void go(struct fixture *f, const char *user, uint64_t version)
{
	bus_put_user_out(&f->roomd.batch, &(struct ev_user_out){.room = STR("main"),
								.user = str_from(user),
								.version = version});
	send(f, &f->roomd);
}

/* Who is gone by the list had changes that nobody was told yet, about others who are gone too: all
 * of it within one message, while the list is walked. */
static void test_a_list_without_those_whose_changes_wait(void **state)
{
	struct fixture *f = *state;
	struct buf names = {0};
	join(f, 0, "ann");
	come(f, "bob", ++f->versions); /* told at once; what follows waits */
	come(f, "zoe", ++f->versions);
	go(f, "bob", ++f->versions);
	come(f, "bob", ++f->versions);
	go(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "");
	bus_pack_name(&names, &(struct rec_name){.user = STR("ann")});
	bus_put_presence(&f->roomd.batch,
			 &(struct ev_presence){.gateway = GATEWAY_ID,
					       .room = STR("main"),
					       .version = f->versions + 1,
					       .last = 1,
					       .names = {.count = 1, .packed = buf_view(&names)}});
	send(f, &f->roomd);
	tick(f, ANNOUNCE_MS);
	assert_string_equal(events(f, 0),
			    "userJoin userLeave userJoin userLeave userLeave activeUsers");
	buf_free(&names);
}

static void test_typing_is_told_at_once_and_behind_the_coming(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	come(f, "bob", ++f->versions);
	come(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "");
	bus_put_typing_on(&f->roomd.batch,
			  &(struct ev_typing_on){.room = STR("main"), .user = STR("zoe")});
	send(f, &f->roomd);
	assert_string_equal(events(f, 0), "userJoin userTyping");
	bus_put_typing_on(&f->roomd.batch,
			  &(struct ev_typing_on){.room = STR("main"), .user = STR("ann")});
	bus_put_typing_off(&f->roomd.batch,
			   &(struct ev_typing_off){.room = STR("main"), .user = STR("zoe")});
	send(f, &f->roomd);
	assert_string_equal(events(f, 0), "userStoppedTyping"); /* nobody is told of oneself */
}

static void test_a_members_round_names_exactly_who_is_here(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	join(f, 1, "bob");
	begin(f);
	gateway_disconnect(f->gateway, f->now_ms, f->client[1], &f->out);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_release), 1);
	bus_put_members_ask(&f->roomd.batch,
			    &(struct ev_members_ask){.gateway = GATEWAY_ID, .round = 8});
	send(f, &f->roomd);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_user), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_room), 1);
	assert_true(bus_find(&f->out.roomd[0], EV_members_end, 0, &ev));
	assert_int_equal(ev.as.members_end.round, 8);
}

static void test_a_taken_name_is_refused(void **state)
{
	struct fixture *f = *state;
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	bus_put_claim_answer(&f->roomd.batch, &(struct ev_claim_answer){.gateway = GATEWAY_ID,
									.user = STR("ann"),
									.status = ERR_NAME_TAKEN});
	send(f, &f->roomd);
	assert_string_equal(events(f, 0), "error:name_taken");
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"amy\",\"room\":\"main\"}}");
	admit(f, "amy", 0);
	assert_string_equal(events(f, 0), "ack activeUsers msgHistory");
}

static size_t lists_asked(const struct fixture *f)
{
	return bus_count(&f->out.roomd[0], EV_presence_ask);
}

static void send_list(struct fixture *f, uint32_t names)
{
	struct buf list = {0};
	for (uint32_t i = 1; i <= names; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%u", i);
		bus_pack_name(&list, &(struct rec_name){.user = str_from(name)});
	}
	bus_put_presence(
		&f->roomd.batch,
		&(struct ev_presence){.gateway = GATEWAY_ID,
				      .room = STR("main"),
				      .version = 9,
				      .last = 1,
				      .names = {.count = names, .packed = buf_view(&list)}});
	send(f, &f->roomd);
	buf_free(&list);
}

static void hang_up(struct fixture *f, size_t client)
{
	begin(f);
	gateway_disconnect(f->gateway, f->now_ms, f->client[client], &f->out);
	flush(f);
	f->client[client] =
		gateway_connect(f->gateway, f->now_ms, &f->handle[client], WIRE_NATIVE, false);
}

/* Somebody comes, and stays; how often that asks for the list. */
static size_t come_in(struct fixture *f)
{
	say(f, 0, "{\"event\":\"userJoin\",\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	bus_put_claim_answer(&f->roomd.batch,
			     &(struct ev_claim_answer){.gateway = GATEWAY_ID, .user = STR("ann")});
	send(f, &f->roomd);
	return lists_asked(f);
}

/* The only one of a room here, who comes and goes all the time. */
static void test_a_large_list_is_not_asked_for_again_and_again(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(come_in(f), 1);
		send_list(f, 3);
		hang_up(f, 0);
	}
	assert_int_equal(come_in(f), 1);
	send_list(f, 600);
	for (int i = 0; i < 20; i++) {
		hang_up(f, 0);
		assert_int_equal(come_in(f), 0);
	}
	tick(f, RETRY_MS);
	assert_int_equal(lists_asked(f), 1); /* it was only put off */
	assert_int_equal(stats(f)->lists_asked_total, 22);
	assert_int_equal(stats(f)->lists_delayed_total, 20);
}

static void test_a_list_under_way_is_not_asked_for_again(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(come_in(f), 1);
	for (int i = 0; i < 20; i++) {
		hang_up(f, 0);
		assert_int_equal(come_in(f), 0);
	}
	send_list(f, 3); /* what was asked for before will do */
	hang_up(f, 0);
	tick(f, RETRY_MS);
	assert_int_equal(come_in(f), 1);
}

static void test_losses_in_a_large_room_ask_for_its_list_now_and_then(void **state)
{
	struct fixture *f = *state;
	size_t asked = 0;
	join(f, 0, "ann");
	send_list(f, 600);
	for (uint64_t i = 0; i < 20; i++) {
		come(f, "zoe", 100 + 2 * i);
		asked += lists_asked(f);
		send_list(f, 600);
		tick(f, 100);
		asked += lists_asked(f);
	}
	assert_in_range(asked, 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_comes_and_goes_is_told_and_lists_are_coalesced),
		TEST(test_who_is_greeted_meanwhile_hears_only_what_is_new),
		TEST(test_a_list_without_those_whose_changes_wait),
		TEST(test_typing_is_told_at_once_and_behind_the_coming),
		TEST(test_a_members_round_names_exactly_who_is_here),
		TEST(test_a_taken_name_is_refused),
		TEST_UNLIMITED(test_a_large_list_is_not_asked_for_again_and_again),
		TEST_UNLIMITED(test_a_list_under_way_is_not_asked_for_again),
		TEST_UNLIMITED(test_losses_in_a_large_room_ask_for_its_list_now_and_then),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
