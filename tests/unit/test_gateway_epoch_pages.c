// SPDX-License-Identifier: MIT
/* test_gateway_epoch_pages.c — historyd has begun a new epoch: a page counts only beside a log that
 * knows of the same one. Next: test_gateway_epochs.c. */
#include "tests/unit/test_gateway_epochs.h"

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
	respond(f, ask.req, true, 4, 5, seven, (struct rec_epoch){8, 9}, STR("eve"));
	json_t *all = heard(f, 0);
	const json_t *told = json_array_get(all, json_array_size(all) - 1);
	assert_true(json_is_true(json_object_get(told, "reset")));
	assert_int_equal(json_array_size(json_object_get(told, "data")), 2);
	json_decref(all);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* A page that the client asked for in an epoch which the log does not know. What the log holds may
 * be gone and must not follow it: the log is told first. */
static void expect_behind_the_log(struct fixture *f, uint64_t req, const char *then)
{
	const struct rec_epoch six = {.epoch = 6, .first = 5};
	respond(f, req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 0), "");
	const struct ev_page_ask view = asked_of(f, 2, 0);
	assert_int_equal(view.after, 5);
	req = asked_of(f, 2, 1).req;
	respond(f, view.req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 1), "msgHistory");
	respond(f, req, true, 1, 4, seven, six, STR("eve"));
	assert_string_equal(events(f, 0), then);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
}

/* One that contradicts itself is as good as lost. */
static void test_a_page_that_is_not_sound_is_not_taken(void **state)
{
	struct fixture *f = *state;
	const struct rec_epoch eight = {8, 9}, late = {7, 10};
	begin_in_seven(f);
	say(f, 0, "{\"event\":\"history\",\"id\":5,\"data\":{\"room\":\"main\",\"after\":0}}");
	uint64_t req = asked_of(f, 1, 0).req;
	respond(f, req, false, 1, 5, late, eight, STR("eve"));
	assert_string_equal(events(f, 0), "");
	respond(f, req, false, 0, 5, seven, eight, STR("eve")); /* no message has seq 0 */
	assert_string_equal(events(f, 0), "");
	respond(f, req, false, UINT64_MAX, UINT64_MAX - 1, seven, eight, STR("eve"));
	assert_string_equal(events(f, 0), "");
	respond(f, req, false, 1, 5, seven, eight, STR("eve"));
	assert_string_equal(events(f, 0), "ack");
}

static void test_pages_of_a_new_epoch_come_behind_the_log(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	say(f, 0, "{\"event\":\"history\",\"id\":5,\"data\":{\"room\":\"main\",\"after\":0}}");
	expect_behind_the_log(f, asked_of(f, 1, 0).req, "ack");
}

static void test_greetings_of_a_new_epoch_come_behind_the_log(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	come_back(f, 9, 7);
	expect_behind_the_log(f, asked(f).req, "activeUsers msgHistory");
}

/* It was read before historyd began anew, and comes late. */
static void test_a_joiners_page_of_an_ended_epoch(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	come_back(f, 9, 7);
	uint64_t req = asked(f).req;
	stored(f, 5, 6);
	respond(f, asked(f).req, true, 1, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
	respond(f, req, false, 10, 12, (struct rec_epoch){3, 1}, seven, STR("eve"));
	assert_string_equal(events(f, 0), "");
	req = asked(f).req; /* once more, and nobody believes that there is a 12 */
	respond(f, req, true, 1, 5, seven, (struct rec_epoch){6, 5}, STR("eve"));
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
	respond(f, req, false, 6, 5, seven, (struct rec_epoch){6, 6}, STR("eve"));
	const struct ev_page_ask ask = asked(f);
	assert_true(ask.after == 6 && ask.epoch == 7);
	respond(f, ask.req, true, 1, 5, seven, (struct rec_epoch){6, 6}, STR("eve"));
	assert_string_equal(events(f, 1), "msgHistory");
}

/* The next epoch may begin far above: a seq between is of what is gone. */
static void test_since_that_the_log_has_passed(void **state)
{
	struct fixture *f = *state;
	begin_in_seven(f);
	stored(f, 1000, 6);
	respond(f, asked(f).req, false, 1000, 1199, seven, (struct rec_epoch){6, 1000}, STR("eve"));
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
	respond(f, asked(f).req, false, 1000, 1199, seven, six, STR("eve"));
	unblock(f, 1);
	struct ev_page_ask ask = asked_of(f, 1, 0);
	assert_int_equal(ask.after, 5);
	respond(f, ask.req, false, 1000, 1002, six, (struct rec_epoch){5, 1003}, STR("ann"));
	assert_string_equal(events(f, 1), "");
	ask = asked_of(f, 2, 0); /* the view's, then again */
	assert_true(ask.may_reset && ask.after == 1199);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_since_of_another_epoch),
		TEST(test_pages_of_a_new_epoch_come_behind_the_log),
		TEST(test_a_page_that_is_not_sound_is_not_taken),
		TEST(test_greetings_of_a_new_epoch_come_behind_the_log),
		TEST(test_a_joiners_page_of_an_ended_epoch),
		TEST(test_a_page_is_judged_by_the_end_of_the_log),
		TEST(test_since_that_the_log_has_passed),
		TEST(test_a_readers_page_of_a_new_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
