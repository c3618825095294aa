// SPDX-License-Identifier: MIT
/* test_gateway_epochs.c — historyd has begun a new epoch: a gateway takes no message of it before a
 * page has told what stands, and where that is not what clients have, they begin anew. */
#include "tests/unit/test_gateway.h"

/* Somebody's message, stored. */
static void stored(struct fixture *f, uint64_t seq, uint64_t epoch)
{
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.gateway = ANOTHER_GATEWAY,
									 .room = STR("main"),
									 .seq = seq,
									 .user = STR("eve"),
									 .cid = STR("x"),
									 .body = STR("hi"),
									 .epoch = epoch});
	send(f, &f->historyd);
}

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

/* The nth of so many pages that are asked for. */
static struct ev_page_ask asked_of(struct fixture *f, size_t count, size_t nth)
{
	struct bus_event ev;
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), count);
	assert_true(bus_find(&f->out.read[0], EV_page_ask, nth, &ev));
	return ev.as.page_ask;
}

static struct ev_page_ask asked(struct fixture *f)
{
	struct ev_page_ask ask = asked_of(f, 1, 0);
	assert_true(ask.may_reset);
	return ask;
}

/* A page of the messages first … last, in a room with these two epochs. */
static void answer(struct fixture *f, uint64_t req, bool is_reset, uint64_t first, uint64_t last,
		   struct rec_epoch old, struct rec_epoch new, struct str user)
{
	struct buf records = {0};
	struct buf epochs = {0};
	for (uint64_t seq = first; seq <= last; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq,
							   .time = STORED_MS,
							   .user = user,
							   .cid = STR("k"),
							   .body = STR("hi")});
	bus_pack_epoch(&epochs, &old);
	bus_pack_epoch(&epochs, &new);
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = req,
				       .room = STR("main"),
				       .head = last,
				       .reset = is_reset,
				       .messages = {.count = (uint32_t)(last + 1 - first),
						    .packed = buf_view(&records)},
				       .epochs = {.count = 2, .packed = buf_view(&epochs)}});
	send(f, &f->pages);
	buf_free(&records);
	buf_free(&epochs);
}

static const struct rec_epoch seven = {.epoch = 7, .first = 4};

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

/* Two in a room of three messages, behind which 4 and 5 are of epoch 7. */
static void begin_in_seven(struct fixture *f)
{
	join(f, 0, "ann");
	join(f, 1, "bob");
	stored(f, 4, 7);
	assert_string_equal(events(f, 0), "");
	answer(f, asked(f).req, false, 4, 4, seven, (struct rec_epoch){8, 9}, STR("eve"));
	assert_string_equal(events(f, 0), "updateChat");
	stored(f, 5, 7);
	assert_string_equal(events(f, 1), "updateChat");
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* ann, who says that she has seen so much. */
static void come_back(struct fixture *f, unsigned since, unsigned epoch)
{
	char text[120];
	snprintf(text, sizeof text,
		 "{\"event\":\"userJoin\",\"data\":{\"username\":\"ann\",\"room\":\"main\","
		 "\"since\":%u,\"epoch\":%u}}",
		 since, epoch);
	say(f, 0, text);
}

static void test_a_new_epoch_goes_on(void **state)
{
	struct fixture *f = *state;
	json_t *all;
	begin_in_seven(f);
	stored(f, 6, 6);
	assert_string_equal(events(f, 0), "");
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 5 && ask.epoch == 7);
	answer(f, ask.req, false, 6, 6, seven, (struct rec_epoch){6, 6}, STR("eve"));
	const json_t *told = frame(f, 0, 0, &all);
	assert_int_equal(number(json_object_get(told, "data"), "epoch"), 6);
	json_decref(all);
	stored(f, 7, 6);
	told = frame(f, 0, 0, &all);
	assert_null(json_object_get(json_object_get(told, "data"), "epoch"));
	json_decref(all);
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
	answer(f, ask.req, true, 4, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
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
	answer(f, asked(f).req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("ann"));
	assert_string_equal(events(f, 0), "msgHistory ack");
	const json_t *told = frame(f, 0, 1, &all);
	assert_int_equal(number(json_object_get(told, "data"), "seq"), 5);
	assert_int_equal(number(json_object_get(told, "data"), "epoch"), 6);
	json_decref(all);
	assert_string_equal(events(f, 1), "msgHistory");
}

/* A client that comes back with another epoch than that of its seq is historyd's to judge. */
static void test_since_of_another_epoch(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	come_back(f, 5, 7);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
	come_back(f, 5, 5);
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 5 && ask.epoch == 5);
	answer(f, ask.req, true, 4, 5, seven, (struct rec_epoch){8, 9}, STR("eve"));
	json_t *all = heard(f, 0);
	const json_t *told = json_array_get(all, json_array_size(all) - 1);
	assert_true(json_is_true(json_object_get(told, "reset")));
	assert_int_equal(json_array_size(json_object_get(told, "data")), 2);
	json_decref(all);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* What the log of the room here holds may be gone: it must not follow the page. */
static void test_a_joiners_page_of_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	const struct rec_epoch six = {.epoch = 6, .first = 5};
	begin_in_seven(f);
	come_back(f, 9, 7);
	answer(f, asked(f).req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 0), "");
	const struct ev_page_ask view = asked_of(f, 2, 0);
	uint64_t req = asked_of(f, 2, 1).req;
	assert_int_equal(view.after, 5);
	answer(f, view.req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 0), "");
	assert_string_equal(events(f, 1), "msgHistory");
	answer(f, req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 0), "activeUsers msgHistory");
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* It was read before historyd began anew, and comes late. */
static void test_a_joiners_page_of_an_ended_epoch(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	come_back(f, 9, 7);
	uint64_t req = asked(f).req;
	stored(f, 5, 6);
	answer(f, asked(f).req, true, 1, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	answer(f, req, false, 10, 12, (struct rec_epoch){3, 1}, seven, STR("eve"));
	assert_string_equal(events(f, 0), "");
	req = asked(f).req; /* once more, and nobody believes that there is a 12 */
	answer(f, req, true, 1, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	assert_string_equal(events(f, 0), "activeUsers msgHistory");
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* It has stood still at 5 when the page was asked for, and gone on since. */
static void test_a_page_is_judged_by_the_end_of_the_log(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	stored(f, 5, 6); /* whatever: it is asked for */
	uint64_t req = asked(f).req;
	stored(f, 6, 7);
	assert_string_equal(events(f, 1), "updateChat");
	answer(f, req, false, 6, 5, seven, (struct rec_epoch){6, 6}, STR("eve"));
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 6 && ask.epoch == 7);
	answer(f, ask.req, true, 1, 5, seven, (struct rec_epoch){6, 6}, STR("eve"));
	assert_string_equal(events(f, 1), "msgHistory");
}

/* The next epoch may begin far above: a seq between is of what is gone. */
static void test_since_that_the_log_has_passed(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	stored(f, 1000, 6);
	answer(f, asked(f).req, false, 1000, 1199, seven, (struct rec_epoch){6, 1000}, STR("eve"));
	(void)events(f, 0);
	come_back(f, 1000, 6);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
	come_back(f, 5, 7);
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 5 && ask.epoch == 7);
}

/* What a reader is behind with is read from historyd, which may have gone back meanwhile: the view
 * is told first. */
static void test_a_readers_page_of_a_new_epoch(void **state)
{
	struct fixture *f = *state;
	const struct rec_epoch six = {6, 1000};
	begin_in_seven(f);
	block(f, 1);
	stored(f, 1000, 6);
	answer(f, asked(f).req, false, 1000, 1199, seven, six, STR("eve"));
	unblock(f, 1);
	struct ev_page_ask ask = asked_of(f, 1, 0);
	assert_int_equal(ask.after, 5);
	answer(f, ask.req, false, 1000, 1002, six, (struct rec_epoch){5, 1003}, STR("ann"));
	assert_string_equal(events(f, 1), "");
	ask = asked_of(f, 2, 0); /* the view's, then again */
	assert_true(ask.may_reset && ask.after == 1199);
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
	answer(f, req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
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
	answer(f, req, false, 6, 5, seven, (struct rec_epoch){9, 6}, STR("eve"));
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
	answer(f, asked(f).req, true, 5, 5, seven, (struct rec_epoch){6, 5}, STR("ann"));
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
	answer(f, asked(f).req, true, 4, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	assert_string_equal(events(f, 0), "ack");
}

/* Who joined while there was none was told an epoch that no message may have been stored in. */
static void test_a_first_message_tells_its_epoch(void **state)
{
	struct fixture *f = *state;
	json_t *all;
	const struct rec_epoch none = {9, 1};
	join(f, 0, "ann");
	stored(f, 4, 7);
	answer(f, asked(f).req, true, 1, 0, (struct rec_epoch){7, 1}, none, STR("eve"));
	assert_string_equal(events(f, 0), "msgHistory");
	uint64_t req = asked(f).req; /* where 4 is, which was heard of */
	stored(f, 1, 6);
	answer(f, req, false, 1, 1, (struct rec_epoch){6, 1}, (struct rec_epoch){8, 2}, STR("eve"));
	const json_t *told = frame(f, 0, 0, &all);
	assert_int_equal(number(json_object_get(told, "data"), "epoch"), 6);
	json_decref(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_new_epoch_goes_on),
		TEST(test_a_room_that_went_back),
		TEST(test_own_message_of_a_new_epoch),
		TEST(test_since_of_another_epoch),
		TEST(test_a_joiners_page_of_a_new_epoch),
		TEST(test_a_joiners_page_of_an_ended_epoch),
		TEST(test_a_page_is_judged_by_the_end_of_the_log),
		TEST(test_since_that_the_log_has_passed),
		TEST(test_a_readers_page_of_a_new_epoch),
		TEST(test_what_came_while_a_room_went_back),
		TEST(test_an_own_message_behind_the_log_is_gone),
		TEST(test_a_repeat_of_a_new_epoch),
		TEST(test_an_ack_does_not_wait_for_what_is_gone),
		TEST(test_a_first_message_tells_its_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
