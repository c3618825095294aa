// SPDX-License-Identifier: MIT
/* test_gateway_private.c — strangers in a room that has become private while this gateway was cut
 * off, and replies that come exactly once. */
#include "tests/unit/test_gateway.h"

static const char join_again[] = "{\"event\":\"userJoin\",\"id\":5,\"data\":{\"username\":\"eve\","
				 "\"room\":\"main\",\"since\":9}}";

/* Answers the page that was asked for first: message `seq`, in a room that is ann's and bob's. */
static void give_private_page(struct fixture *f, uint64_t req, uint64_t seq)
{
	struct buf records = {0};
	bus_pack_chat(&records, &(struct rec_chat){.seq = seq,
						   .user = STR("bob"),
						   .cid = STR("c"),
						   .body = STR("secret")});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = req,
				       .room = STR("main"),
				       .head = seq,
				       .messages = {.count = 1, .packed = buf_view(&records)},
				       .owner = STR("ann"),
				       .guest = STR("bob")});
	send(f, &f->pages);
	buf_free(&records);
}

static uint64_t asked_page(struct fixture *f)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
	return ev.as.page_ask.req;
}

static void lose_one(struct fixture *f)
{
	f->historyd.self.seq++;
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->historyd);
}

static void test_a_page_puts_strangers_out(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "eve");
	lose_one(f);
	give_private_page(f, asked_page(f), 4);
	assert_string_equal(events(f, 0), "updateChat");
	assert_string_equal(events(f, 1), "error:forbidden");
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
}

static void test_a_stranger_alone_ends_the_room(void **state)
{
	struct fixture *f = *state;
	join(f, 1, "eve");
	lose_one(f);
	give_private_page(f, asked_page(f), 4);
	assert_string_equal(events(f, 1), "error:forbidden");
	assert_int_equal(stats(f)->rooms, 0);
}

/* historyd knows before this gateway does whose the room is. */
static void test_whose_message_is_forbidden_is_put_out(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	join(f, 1, "eve");
	say(f, 1, post);
	assert_true(bus_find(&f->out.historyd[0], EV_chat_post, 0, &ev));
	bus_put_chat_refused(&f->historyd.batch,
			     &(struct ev_chat_refused){.gateway = GATEWAY_ID,
						       .req = ev.as.chat_post.req,
						       .room = STR("main"),
						       .status = ERR_FORBIDDEN});
	send(f, &f->historyd);
	assert_string_equal(events(f, 1), "error:forbidden error:forbidden");
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
	say(f, 0, post);
	assert_string_equal(events(f, 0), "");
}

/* So does roomd, when a stranger asks for the room to be made private to himself. */
static void test_whose_newroom_is_forbidden_is_put_out(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	join(f, 1, "eve");
	say(f, 1,
	    "{\"event\":\"newRoom\",\"id\":6,\"data\":{\"username\":\"eve\",\"username2\":\"bob\","
	    "\"room\":\"main\"}}");
	assert_true(bus_find(&f->out.roomd[0], EV_private_ask, 0, &ev));
	bus_put_private_answer(&f->roomd.batch,
			       &(struct ev_private_answer){.gateway = GATEWAY_ID,
							   .req = ev.as.private_ask.req,
							   .status = ERR_FORBIDDEN});
	send(f, &f->roomd);
	assert_string_equal(events(f, 1), "error:forbidden error:forbidden");
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave), 1);
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
	say(f, 0, post);
	assert_string_equal(events(f, 0), "");
}

/* It is the user who may not be there, on whichever of its connections it has asked. */
static void test_all_connections_of_the_forbidden_are_put_out(void **state)
{
	struct fixture *f = *state;
	join(f, 1, "eve");
	say(f, 2,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"eve\",\"room\":\"main\"}}");
	assert_string_equal(events(f, 2), "ack activeUsers msgHistory");
	say(f, 1, post);
	bus_put_chat_refused(&f->historyd.batch,
			     &(struct ev_chat_refused){.gateway = GATEWAY_ID,
						       .req = posted(f),
						       .room = STR("main"),
						       .status = ERR_FORBIDDEN});
	send(f, &f->historyd);
	assert_string_equal(events(f, 1), "error:forbidden error:forbidden");
	assert_string_equal(events(f, 2), "error:forbidden");
	assert_int_equal(stats(f)->rooms, 0);
}

static void test_a_stranger_gets_no_history(void **state)
{
	struct fixture *f = *state;
	join(f, 1, "eve");
	say(f, 1, "{\"event\":\"history\",\"id\":8,\"data\":{\"room\":\"main\"}}");
	give_private_page(f, asked_page(f), 4);
	assert_string_equal(events(f, 1), "error:forbidden error:forbidden");
}

static void test_a_stranger_who_joins_again_is_put_out(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "eve");
	say(f, 1, join_again);
	give_private_page(f, asked_page(f), 10);
	assert_string_equal(events(f, 1), "error:forbidden");
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
}

static void test_a_stored_message_names_the_two(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "eve");
	say(f, 1, join_again);
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.room = STR("main"),
									 .seq = 4,
									 .user = STR("bob"),
									 .cid = STR("x"),
									 .body = STR("secret"),
									 .owner = STR("ann"),
									 .guest = STR("bob")});
	send(f, &f->historyd);
	assert_string_equal(events(f, 1), "error:forbidden");
	assert_string_equal(events(f, 0), "updateChat");
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
}

static void test_roomds_no_ends_joining_again(void **state)
{
	struct fixture *f = *state;
	join(f, 1, "eve");
	say(f, 1, join_again);
	bus_put_join_answer(&f->roomd.batch, &(struct ev_join_answer){.gateway = GATEWAY_ID,
								      .room = STR("main"),
								      .user = STR("eve"),
								      .status = ERR_FORBIDDEN});
	send(f, &f->roomd);
	assert_string_equal(events(f, 1), "error:forbidden");
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave),
			 1); /* roomd need not say it again */
	say(f, 1, post);
	assert_string_equal(events(f, 1), "error:not_joined");
}

/* ---- exactly one reply ---- */

static const char leave[] = "{\"event\":\"userLeave\",\"id\":3,\"data\":{\"room\":\"main\"}}";

static void test_a_post_is_acked_though_its_author_leaves(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, post);
	uint64_t req = posted(f);
	store(f, req, 9, STR("ann")); /* what stands before it is missing here */
	assert_string_equal(events(f, 0), "");
	say(f, 0, leave);
	assert_string_equal(events(f, 0), "ack ack");
	/* The leave's first: from then on an ack says nothing of what stands before it. */
	json_t *all = heard(f, 0);
	json_t *first = json_array_get(all, 0);
	assert_null(json_object_get(json_object_get(first, "data"), "seq"));
	json_decref(all);
}

static void test_a_post_is_acked_after_its_author_has_left(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, post);
	uint64_t req = posted(f);
	say(f, 0, leave);
	assert_string_equal(events(f, 0), "ack");
	store(f, req, 4, STR("ann"));
	assert_string_equal(events(f, 0), "ack");
}

static void test_a_post_is_acked_by_the_greeting(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, post);
	uint64_t req = posted(f);
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":5,\"data\":{\"username\":\"ann\",\"room\":\"main\","
	    "\"since\":9}}");
	uint64_t page = asked_page(f);
	store(f, req, 4, STR("ann"));
	assert_string_equal(events(f, 0), "");
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = page, .room = STR("main"), .head = 4});
	send(f, &f->pages);
	assert_string_equal(events(f, 0), "ack activeUsers msgHistory ack");
}

/* What newRoom's join waits for, at once. */
static void let_in_to(struct fixture *f, struct str room, struct str user)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
	bus_put_page(&f->pages.batch, &(struct ev_page){.req = ev.as.page_ask.req, .room = room});
	struct buf records = {0};
	bus_pack_name(&records, &(struct rec_name){.user = user});
	f->now_ms += 2000;
	send(f, &f->pages);
	bus_put_join_answer(&f->roomd.batch, &(struct ev_join_answer){.gateway = GATEWAY_ID,
								      .room = room,
								      .user = user,
								      .version = 1});
	bus_put_presence(
		&f->roomd.batch,
		&(struct ev_presence){.gateway = GATEWAY_ID,
				      .room = room,
				      .version = 1,
				      .last = 1,
				      .names = {.count = 1, .packed = buf_view(&records)}});
	send(f, &f->roomd);
	buf_free(&records);
}

/* Its three steps share one wait; each of them may be slow. */
static void test_newroom_is_answered_within_its_wait(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	uint64_t asked_ms = f->now_ms;
	say(f, 0,
	    "{\"event\":\"newRoom\",\"id\":6,\"data\":{\"username\":\"ann\",\"username2\":\"bob\","
	    "\"room\":\"duo\"}}");
	assert_true(bus_find(&f->out.roomd[0], EV_private_ask, 0, &ev));
	f->now_ms += 2000;
	bus_put_private_answer(
		&f->roomd.batch,
		&(struct ev_private_answer){.gateway = GATEWAY_ID, .req = ev.as.private_ask.req});
	send(f, &f->roomd);
	let_in_to(f, STR("duo"), STR("ann"));
	assert_string_equal(events(f, 0), "activeUsers msgHistory");
	assert_int_equal(bus_count(&f->out.roomd[0], EV_invite_ask), 1);
	tick(f, asked_ms + 5000 - f->now_ms);
	assert_string_equal(events(f, 0), "error:unavailable");
	tick(f, 10000);
	assert_string_equal(events(f, 0), "");
}

static void say_invited(struct fixture *f, struct str room, struct str user)
{
	bus_put_invited(&f->roomd.batch,
			&(struct ev_invited){.room = room, .user = user, .user2 = STR("ann")});
}

/* By oneself, into nothing, by nobody: whatever a roomd says. */
static void test_what_is_no_invitation_is_not_shown(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	say_invited(f, STR("den"), STR("ann"));
	say_invited(f, STR(""), STR("bob"));
	say_invited(f, STR("den"), STR(""));
	say_invited(f, STR("duo"), STR("bob"));
	send(f, &f->roomd);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_invite_seen), 1);
	assert_true(bus_find(&f->out.roomd[0], EV_invite_seen, 0, &ev));
	assert_true(str_equal(ev.as.invite_seen.room, STR("duo")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_page_puts_strangers_out),
		TEST(test_a_stranger_alone_ends_the_room),
		TEST(test_whose_message_is_forbidden_is_put_out),
		TEST(test_whose_newroom_is_forbidden_is_put_out),
		TEST(test_all_connections_of_the_forbidden_are_put_out),
		TEST(test_a_stranger_gets_no_history),
		TEST(test_a_stranger_who_joins_again_is_put_out),
		TEST(test_a_stored_message_names_the_two),
		TEST(test_roomds_no_ends_joining_again),
		TEST(test_a_post_is_acked_though_its_author_leaves),
		TEST(test_a_post_is_acked_after_its_author_has_left),
		TEST(test_a_post_is_acked_by_the_greeting),
		TEST(test_newroom_is_answered_within_its_wait),
		TEST(test_what_is_no_invitation_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
