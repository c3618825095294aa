// SPDX-License-Identifier: MIT
/* test_relay_arrival.c — whether a relayed answer has reached its client: the owner hears of it, or
 * ends the session. */
#include "tests/unit/test_relay.h"

static void test_an_answer_that_did_not_arrive_ends_the_session(void **state)
{
	struct world *w = *state;
	ask_slowly(w, &w->caller[0], "now");
	pass(w, 3000);
	assert_int_equal(w->caller[0].responses, 1);
	assert_int_equal(w->losts, 0);
	w->loss = 50;
	relay_hang_up(&w->side[0].relay, w->now_ms, w->caller[0].call);
	pass(w, 6000);
	assert_int_equal(w->losts, 1);
}

/* However often what is said gets lost. */
static void test_an_arrival_is_said_until_it_is_heard(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "now");
	w->is_deaf = true; /* the answer comes back, and then nothing goes out */
	pass(w, 3000);
	assert_int_equal(w->caller[0].responses, 1);
	assert_int_equal(w->arrivals, 0);
	w->is_deaf = false;
	pass(w, RELAY_REPEAT_MS + 20);
	assert_int_equal(w->arrivals, 1);
	pass(w, PATIENCE_MS);
	assert_int_equal(w->arrivals, 1);
	assert_int_equal(w->losts, 0);
	assert_int_equal(w->side[0].relay.calls_by_number.count, 0);
}

/* A gateway that dies with the answer says nothing any more: what was in it may be lost. */
static void test_an_answer_of_which_nothing_is_heard_ends_the_session(void **state)
{
	struct world *w = *state;
	ask_slowly(w, &w->caller[0], "now");
	pass(w, 100);
	assert_int_equal(w->caller[0].responses, 1);
	relay_close(&w->side[0].relay);
	open_side(w, 0, 2);
	pass(w, RELAY_SILENCE_MS - 1000);
	assert_int_equal(w->losts, 0);
	pass(w, 1100);
	assert_int_equal(w->losts, 1);
	assert_int_equal(w->side[1].relay.unconfirmed_total, 1);
	assert_int_equal(w->side[1].relay.kept_bytes, 0);
}

/* A client may take its answer slowly, as long as somebody says that it does. */
static void test_a_slow_reader_keeps_its_session(void **state)
{
	struct world *w = *state;
	w->loss = 30;
	ask_slowly(w, &w->caller[0], "big");
	pass(w, PATIENCE_MS);
	assert_int_equal(w->caller[0].responses, 1);
	assert_int_equal(w->losts, 0);
	relay_delivered(&w->side[0].relay, w->now_ms, w->caller[0].call);
	pass(w, 5000);
	assert_int_equal(w->arrivals, 1);
	assert_int_equal(w->losts, 0);
}

/* What is late of the answer itself says nothing about its arrival. */
static void test_a_late_answer_confirms_nothing(void **state)
{
	struct world *w = *state;
	w->repeats = 100;
	w->delay_ms = 500;
	ask(w, &w->caller[0], "now");
	while (!w->caller[0].responses)
		pass(w, 10);
	w->is_deaf = true;
	w->repeats = 0;
	pass(w, 600);
	assert_int_equal(w->arrivals + w->side[0].relay.calls_by_number.count, 1);
	w->is_deaf = false;
	pass(w, 2000);
	assert_int_equal(w->arrivals, 1);
}

/* An owner that has started anew knows nothing of it, and one that is gone hears nothing. */
static void test_what_nobody_can_hear_ends(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "now");
	w->is_deaf = true;
	pass(w, 10);
	relay_close(&w->side[1].relay);
	open_side(w, 1, 2);
	w->is_deaf = false;
	pass(w, RELAY_REPEAT_MS + 20);
	assert_int_equal(w->side[0].relay.calls_by_number.count, 0);
	ask(w, &w->caller[0], "now");
	w->is_deaf = true;
	pass(w, RELAY_SILENCE_MS + RELAY_REPEAT_MS);
	assert_int_equal(w->side[0].relay.calls_by_number.count, 0);
	assert_int_equal(w->losts, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_that_did_not_arrive_ends_the_session),
		TEST(test_an_arrival_is_said_until_it_is_heard),
		TEST(test_an_answer_of_which_nothing_is_heard_ends_the_session),
		TEST(test_a_slow_reader_keeps_its_session),
		TEST(test_a_late_answer_confirms_nothing),
		TEST(test_what_nobody_can_hear_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
