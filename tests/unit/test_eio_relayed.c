// SPDX-License-Identifier: MIT
/* test_eio_relayed.c — polls that come by way of another gateway, which may die with the answer.
 * Not here: how their arrival is told (test_relay_arrival.c). */
#include "tests/unit/test_eio.h"

/* What a relayed answer brought may be lost with the gateway between: the next poll waits until
 * that is known, and the end too. */
static void test_the_next_poll_waits_for_the_arrival_of_a_relayed_answer(void **state)
{
	struct fixture *f = *state;
	struct eio_request open = {0};
	struct eio_request first = {.is_relayed = true};
	struct eio_request second = {0};
	struct eio_request third = {.is_relayed = true};
	get(f, &open, "");
	eio_send_message(f->session, STR("a"), false);
	get(f, &first, eio_sid(f->session));
	assert_string_equal(f->body, "4a");
	eio_send_message(f->session, STR("b"), false);
	get(f, &second, eio_sid(f->session));
	assert_int_equal(f->status, 0);
	eio_send_message(f->session, STR("c"), false);
	eio_response_arrived(&f->eio, 1, &first);
	assert_string_equal(f->body, "4b\0364c");
	eio_response_arrived(&f->eio, 1, &first); /* says nothing new */

	eio_send_message(f->session, STR("d"), false);
	get(f, &third, eio_sid(f->session));
	assert_string_equal(f->body, "4d");
	eio_end(f->session, 1);
	get(f, &second, eio_sid(f->session));
	assert_int_equal(f->status, 0);
	assert_int_equal(f->eio.sessions.count, 1);
	eio_response_arrived(&f->eio, 1, &third);
	assert_string_equal(f->body, "1");
	assert_int_equal(f->eio.sessions.count, 0);
}

static void test_a_lost_relayed_answer_ends_the_poll_that_waits(void **state)
{
	struct fixture *f = *state;
	struct eio_request open = {0};
	struct eio_request first = {.is_relayed = true};
	struct eio_request second = {.is_relayed = true};
	struct eio_query q;
	char text[200];
	get(f, &open, "");
	snprintf(text, sizeof text, "EIO=4&transport=polling&sid=%s", eio_sid(f->session));
	eio_query_read(&q, str_from(text));
	eio_send_message(f->session, STR("a"), false);
	get(f, &first, eio_sid(f->session));
	eio_send_message(f->session, STR("b"), false);
	get(f, &second, q.sid);
	eio_response_lost(&f->eio, 1, &q);
	assert_string_equal(f->body, "1");
	assert_int_equal(f->closed, 1);
	assert_null(first.session);
	assert_null(second.session);
}

/* Whoever can reach the bus may say anything; a session that is opened so would refer to an answer
 * that is freed when nobody says that it arrived. */
static void test_a_relayed_poll_opens_no_session(void **state)
{
	struct fixture *f = *state;
	struct eio_request open = {.is_relayed = true};
	get(f, &open, "");
	assert_int_equal(f->status, 400);
	assert_int_equal(f->eio.sessions.count, 0);
	assert_null(open.session);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_eio, close_eio)
	const struct CMUnitTest tests[] = {
		TEST(test_the_next_poll_waits_for_the_arrival_of_a_relayed_answer),
		TEST(test_a_lost_relayed_answer_ends_the_poll_that_waits),
		TEST(test_a_relayed_poll_opens_no_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
