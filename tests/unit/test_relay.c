// SPDX-License-Identifier: MIT
/* test_relay.c — relayed requests: executed once, answered once, waited for within bounds. Not
 * here: whether an answer has arrived (test_relay_arrival.c). */
#include "tests/unit/test_relay.h"

static void test_a_request_is_answered(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "now");
	pass(w, 10);
	assert_int_equal(w->caller[0].responses, 1);
	assert_string_equal(w->caller[0].body, "now");
	pass(w, 10);
	assert_int_equal(w->side[1].relay.kept_bytes, 0); /* it has arrived */
}

static void test_a_poll_waits_as_long_as_it_has_to(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "hold");
	pass(w, 45000);
	assert_int_equal(w->runs, 1);
	assert_int_equal(w->caller[0].responses, 0);
	relay_finish(&w->side[1].relay, w->now_ms, w->held,
		     &(struct eio_response){.status = 200, .body = STR("late")});
	pass(w, 10);
	assert_string_equal(w->caller[0].body, "late");
}

static void test_each_is_executed_once_and_answered_once(void **state)
{
	struct world *w = *state;
	w->loss = 40;
	w->repeats = 40;
	w->delay_ms = 900;
	for (size_t i = 0; i < CALLERS; i++) {
		char query[8];
		snprintf(query, sizeof query, "q%zu", i);
		ask(w, &w->caller[i], query);
		pass(w, 100);
	}
	pass(w, PATIENCE_MS);
	unsigned reached = 0;
	for (size_t i = 0; i < CALLERS; i++) {
		char query[8];
		snprintf(query, sizeof query, "q%zu", i);
		assert_int_equal(w->caller[i].responses, 1);
		if (w->caller[i].is_unreachable)
			continue;
		assert_string_equal(w->caller[i].body, query);
		reached++;
	}
	assert_int_equal(w->runs, CALLERS);
	assert_true(reached > CALLERS - 3); /* seven in a row may be lost */
}

static void test_a_hang_up_is_passed_on(void **state)
{
	struct world *w = *state;
	w->loss = 50;
	ask(w, &w->caller[0], "hold");
	pass(w, 5000);
	assert_non_null(w->held);
	relay_hang_up(&w->side[0].relay, w->now_ms, w->caller[0].call);
	pass(w, 6000);
	assert_int_equal(w->gones, 1);
	assert_null(w->held);
}

static void test_an_owner_out_of_reach_is_given_up(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "hold");
	pass(w, 3000);
	w->is_cut = true;
	pass(w, RELAY_SILENCE_MS + RELAY_REPEAT_MS);
	assert_int_equal(w->caller[0].responses, 1);
	assert_true(w->caller[0].is_unreachable);
	assert_int_equal(w->gones, 1); /* and the owner does not wait for ever either */
}

/* What nobody has confirmed is kept within a bound, and never executed again. */
static void test_answers_kept_are_bounded(void **state)
{
	enum { RESPONSES = RELAY_BYTES_MAX / RELAYED_MAX + 4 };
	struct world *w = *state;
	for (size_t i = 0; i < RESPONSES; i++) {
		ask_slowly(w, &w->caller[i], "big");
		pass(w, 10);
	}
	assert_int_equal(w->losts, 4);
	assert_true(w->side[1].relay.kept_bytes <= RELAY_BYTES_MAX);
	pass(w, 3000);
	assert_int_equal(w->runs, RESPONSES);
}

static void test_an_owner_may_become_known(void **state)
{
	struct world *w = *state;
	w->is_unknown = true;
	ask(w, &w->caller[0], "now");
	ask(w, &w->caller[1], "now");
	pass(w, 2000);
	assert_int_equal(w->caller[0].responses, 0);
	w->is_unknown = false;
	pass(w, RELAY_LOOK_MS + 20);
	assert_string_equal(w->caller[0].body, "now");
	assert_string_equal(w->caller[1].body, "now");

	w->is_unknown = true;
	ask(w, &w->caller[0], "now");
	pass(w, RELAY_UNKNOWN_MS + RELAY_LOOK_MS);
	assert_true(w->caller[0].is_unreachable);
}

static void test_invented_owners_do_not_fill_the_line(void **state)
{
	struct world *w = *state;
	w->is_unknown = true;
	const struct relay_request q = {.kind = RELAY_GET, .query = STR("now")};
	for (int i = 0; i < RELAY_UNKNOWN_MAX; i++)
		w->caller[0].call =
			relay_ask(&w->side[0].relay, w->now_ms, (uint64_t)i, &q, &w->caller[0]);
	assert_null(relay_ask(&w->side[0].relay, w->now_ms, 1, &q, &w->caller[1]));
	w->is_unknown = false; /* one whose owner is there gets through all the same */
	ask(w, &w->caller[2], "now");
	pass(w, 10);
	assert_string_equal(w->caller[2].body, "now");
	w->is_unknown = true;
	w->caller[0].is_slow = true; /* it has given none of them back */
	pass(w, RELAY_UNKNOWN_MS + RELAY_LOOK_MS);
	assert_int_equal(w->side[0].relay.unknown_count, 0);
	w->is_unknown = false;
	ask(w, &w->caller[1], "now");
	pass(w, 10);
	assert_string_equal(w->caller[1].body, "now");
}

static void test_a_restart_of_the_asker_repeats_nothing(void **state)
{
	struct world *w = *state;
	ask(w, &w->caller[0], "hold");
	pass(w, 100);
	relay_close(&w->side[0].relay);
	open_side(w, 0, 2);
	ask(w, &w->caller[1], "now"); /* with the number of the one before */
	pass(w, 100);
	assert_string_equal(w->caller[1].body, "now");
	pass(w, RELAY_SILENCE_MS);
	assert_int_equal(w->gones, 1);
}

static void test_strange_bytes_harm_nobody(void **state)
{
	struct world *w = *state;
	char bytes[64];
	for (int i = 0; i < 5000; i++) {
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (char)rng_next(&w->rng);
		relay_receive(&w->side[0].relay, w->now_ms,
			      str_of(bytes, rng_below(&w->rng, sizeof bytes)),
			      i % 2 ? STR("1") : (struct str){0});
	}
	ask(w, &w->caller[0], "now");
	pass(w, 10);
	assert_int_equal(w->caller[0].responses, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_is_answered),
		TEST(test_a_poll_waits_as_long_as_it_has_to),
		TEST(test_each_is_executed_once_and_answered_once),
		TEST(test_a_hang_up_is_passed_on),
		TEST(test_an_owner_out_of_reach_is_given_up),
		TEST(test_answers_kept_are_bounded),
		TEST(test_an_owner_may_become_known),
		TEST(test_invented_owners_do_not_fill_the_line),
		TEST(test_a_restart_of_the_asker_repeats_nothing),
		TEST(test_strange_bytes_harm_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
