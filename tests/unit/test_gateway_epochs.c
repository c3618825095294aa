// SPDX-License-Identifier: MIT
/* test_gateway_epochs.c — historyd has begun a new epoch: a gateway takes no message of it before a
 * page has told what stands, and where that is not what clients have, they begin anew. */
#include "tests/unit/test_gateway_epochs.h"

/* ann's. */
static void own_stored(struct fixture *f, uint64_t req, uint64_t seq, uint64_t epoch)
{
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.gateway = GATEWAY_ID,
									 .req = req,
									 .room = STR("main"),
									 .seq = seq,
									 .user = STR("ann"),
									 .cid = STR("k"),
									 .body = STR("hi"),
									 .epoch = epoch});
	send(f, &f->historyd);
}

static json_int_t number(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

/* The nth frame for the client; the caller frees *all. */
static const json_t *frame(struct fixture *f, size_t client, size_t nth, json_t **all)
{
	*all = heard(f, client);
	return json_array_get(*all, nth);
}

/* The epoch that the nth frame for the client names; 0: none. */
static json_int_t told_epoch(struct fixture *f, size_t client, size_t nth)
{
	json_t *all;
	json_int_t epoch = number(json_object_get(frame(f, client, nth, &all), "data"), "epoch");
	json_decref(all);
	return epoch;
}

static void test_a_new_epoch_goes_on(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	stored(f, 6, 6);
	assert_string_equal(events(f, 0), "");
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 5 && ask.epoch == 7);
	respond(f, ask.req, false, 6, 6, seven, (struct rec_epoch){6, 6}, STR("eve"));
	assert_int_equal(told_epoch(f, 0, 0), 6);
	stored(f, 7, 6);
	assert_int_equal(told_epoch(f, 0, 0), 0);
	assert_int_equal(stats(f)->resets_total, 0);
}

/* Who cannot take it now begins anew later, and the log goes on meanwhile. */
static void test_a_room_that_went_back(void **state)
{
	struct fixture *f = *state;
	json_t *all;
	begin_in_seven(f);
	block(f, 1);
	stored(f, 5, 6); /* in the place of another */
	assert_string_equal(events(f, 0), "");
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 5 && ask.epoch == 7);
	respond(f, ask.req, true, 4, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	const json_t *told = frame(f, 0, 0, &all);
	assert_int_equal(json_array_size(all), 1);
	assert_string_equal(json_string_value(json_object_get(told, "event")), "msgHistory");
	assert_true(json_is_true(json_object_get(told, "reset")));
	assert_int_equal(number(told, "epoch"), 6);
	assert_int_equal(json_array_size(json_object_get(told, "data")), 2);
	json_decref(all);
	assert_string_equal(events(f, 1), "");
	assert_int_equal(stats(f)->resets_total, 1);

	stored(f, 6, 6);
	assert_string_equal(events(f, 0), "updateChat");
	assert_string_equal(events(f, 1), "");
	unblock(f, 1);
	told = frame(f, 1, 0, &all);
	assert_int_equal(json_array_size(all), 1);
	assert_true(json_is_true(json_object_get(told, "reset")));
	assert_int_equal(json_array_size(json_object_get(told, "data")), 3);
	json_decref(all);
}

/* An own message of a new epoch is acked where it stands, when that is known. */
static void test_own_message_of_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	json_t *all;
	begin_in_seven(f);
	say(f, 0, post);
	own_stored(f, posted(f), 5, 6);
	assert_string_equal(events(f, 0), "");
	respond(f, asked(f).req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("ann"));
	assert_string_equal(events(f, 0), "msgHistory ack");
	const json_t *told = frame(f, 0, 1, &all);
	assert_int_equal(number(json_object_get(told, "data"), "seq"), 5);
	assert_int_equal(number(json_object_get(told, "data"), "epoch"), 6);
	json_decref(all);
	assert_string_equal(events(f, 1), "msgHistory");
}

/* What was said in the new epoch while the page that told of it was under way, and stands behind
 * it. */
static void test_what_came_while_a_room_went_back(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	stored(f, 5, 6);
	uint64_t req = asked(f).req;
	stored(f, 6, 6);
	stored(f, 7, 6);
	respond(f, req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	assert_string_equal(events(f, 1), "msgHistory");
	assert_int_equal(asked(f).after, 5);
}

/* Its ack waits behind a message that was lost on the way, when an older copy without both is put
 * back. */
static void test_an_own_message_behind_the_log_is_gone(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	say(f, 0, post);
	uint64_t own = posted(f);
	own_stored(f, own, 7, 7);
	assert_string_equal(events(f, 0), "");
	uint64_t req = asked(f).req; /* for 6 */
	respond(f, req, false, 6, 5, seven, (struct rec_epoch){9, 6}, STR("eve"));
	assert_string_equal(events(f, 0), "ack msgHistory");
	assert_string_equal(events(f, 1), "");
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0); /* nor asked for for ever */
}

/* It may stand where the client saw another message. */
static void test_a_repeat_of_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	begin_in_seven(f);
	say(f, 0, post);
	assert_true(bus_find(&f->out.historyd[0], EV_chat_post, 0, &ev));
	bus_put_chat_repeat(&f->historyd.batch, &(struct ev_chat_repeat){.gateway = GATEWAY_ID,
									 .req = ev.as.chat_post.req,
									 .room = STR("main"),
									 .seq = 5,
									 .epoch = 6});
	send(f, &f->historyd);
	assert_string_equal(events(f, 0), "");
	respond(f, asked(f).req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("ann"));
	assert_string_equal(events(f, 0), "msgHistory ack");
}

/* Whoever has left and is coming back waits with its ack for a place that is another's now. */
static void test_an_ack_does_not_wait_for_what_is_gone(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	say(f, 0, post);
	uint64_t own = posted(f);
	say(f, 0, "{\"event\":\"userLeave\",\"data\":{\"room\":\"main\"}}");
	say(f, 0, "{\"event\":\"userJoin\",\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	own_stored(f, own, 6, 7);
	assert_string_equal(events(f, 0), "");
	stored(f, 5, 6);
	respond(f, asked(f).req, true, 4, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	assert_string_equal(events(f, 0), "ack");
}

/* Who joined while there was none was told an epoch that no message may have been stored in. */
static void test_a_first_message_tells_its_epoch(void **state)
{
	struct fixture *f = *state;
	const struct rec_epoch none = {9, 1};
	join(f, 0, "ann");
	stored(f, 4, 7);
	respond(f, asked(f).req, true, 1, 0, (struct rec_epoch){7, 1}, none, STR("eve"));
	assert_string_equal(events(f, 0), "msgHistory");
	uint64_t req = asked(f).req; /* where 4 is, which was heard of */
	stored(f, 1, 6);
	respond(f, req, false, 1, 1, (struct rec_epoch){6, 1}, (struct rec_epoch){8, 2},
		STR("eve"));
	assert_int_equal(told_epoch(f, 0, 0), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_epoch_goes_on),
		TEST(test_a_room_that_went_back),
		TEST(test_own_message_of_a_new_epoch),
		TEST(test_what_came_while_a_room_went_back),
		TEST(test_an_own_message_behind_the_log_is_gone),
		TEST(test_a_repeat_of_a_new_epoch),
		TEST(test_an_ack_does_not_wait_for_what_is_gone),
		TEST(test_a_first_message_tells_its_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
