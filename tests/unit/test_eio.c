// SPDX-License-Identifier: MIT
/* test_eio.c — Engine.IO's sessions, with the test as transport and application. What the authors'
 * conformance suites cover is not repeated here. Not here: bytes and queries (test_eio_payload.c).
 */
#include "gateway/engineio/state.h"
#include "tests/unit/test_eio.h"

enum {
	PING_MS = NOW_MS + PING_INTERVAL_MS, /* when it is asked for a sign of life … */
	END_MS = PING_MS + PING_TIMEOUT_MS,  /* … and given up */
	LITTLE_LATE_MS = LATE_MS - 20,
	FAR_LATE_MS = 10000,
	LATE_END_MS = PING_MS + FAR_LATE_MS - LATE_MS + PING_TIMEOUT_MS,
	STRANGERS = 100 /* who open a session and do not use it */
};

static void test_a_sid_names_its_owner(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	uint64_t owner = 0;
	get(f, r, "");
	assert_int_equal(f->status, 200);
	assert_true(eio_owner(eio_sid(f->session), &owner));
	assert_int_equal(owner, OWNER);
	assert_false(eio_owner("", &owner));
	assert_false(eio_owner("-1", &owner));
	assert_false(eio_owner("zz-", &owner));
	assert_false(eio_owner("12", &owner));
}

static void test_sessions_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = f->requests;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		get(f, &r[i], "");
		assert_int_equal(f->status, 200);
		get(f, &r[i], eio_sid(f->session)); /* it is used */
	}
	get(f, &r[SESSIONS_MAX], "");
	assert_int_equal(f->status, 400);
	assert_int_equal(f->closed, 0);
}

static void test_unused_sids_are_the_first_to_go(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	struct eio_request *used = &f->requests[1];
	char sid[EIO_SID_MAX];
	get(f, used, "");
	snprintf(sid, sizeof sid, "%s", eio_sid(f->session));
	get(f, used, sid);
	for (size_t i = 0; i < STRANGERS; i++) {
		get(f, r, "");
		assert_int_equal(f->status, 200);
		assert_int_equal(f->closed, i);
	}
	eio_tick(&f->eio, NOW_MS + UNUSED_MS);
	assert_int_equal(f->closed, STRANGERS);
	assert_int_equal(f->eio.sessions.count, 1);
}

static void test_a_poller_is_blocked_until_it_polls(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	get(f, r, "");
	eio_send_message(f->session, STR("one"), false);
	eio_send_message(f->session, STR("two"), false);
	assert_int_equal(f->blocked, 1);
	get(f, r, eio_sid(f->session));
	assert_string_equal(f->body, "4one\0364two");
	assert_int_equal(f->writable, 1);
	get(f, r, eio_sid(f->session));
	assert_int_equal(f->status, 0); /* it waits */
	eio_send_message(f->session, STR("three"), false);
	assert_string_equal(f->body, "4three");
	assert_int_equal(f->blocked, 1);
}

/* Its client has reset: the answer cannot be sent, and the request is gone before respond returns.
 */
static void test_an_answer_may_end_its_request(void **state)
{
	struct fixture *f = *state;
	struct eio_request *open = &f->requests[0];
	struct eio_request *r = mem_alloc(sizeof *r);
	*r = (struct eio_request){0};
	get(f, open, "");
	get(f, r, eio_sid(f->session));
	assert_int_equal(f->status, 0); /* it waits */
	f->is_freed = true;
	eio_send_message(f->session, STR("one"), false);
	assert_string_equal(f->body, "4one");
}

static void test_who_never_polls_is_let_go(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	char much[PAYLOAD_MAX];
	memset(much, 'x', sizeof much);
	get(f, r, "");
	for (size_t sent = 0; sent <= PENDING_BYTES && !f->closed; sent += sizeof much)
		eio_send_message(f->session, str_of(much, sizeof much), false);
	assert_int_equal(f->closed, 1);
}

static void post(struct fixture *f, struct eio_request *r, const char *body)
{
	char text[200];
	struct eio_query q;
	snprintf(text, sizeof text, "EIO=4&transport=polling&sid=%s", eio_sid(f->session));
	eio_query_read(&q, str_from(text));
	f->status = 0;
	if (eio_post_begin(&f->eio, NOW_MS, &q, r))
		eio_post(&f->eio, NOW_MS, r, false, str_from(body));
}

static void test_a_post_waits_while_the_session_is_paused(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	get(f, r, "");
	eio_pause(f->session, true);
	post(f, r, "4a\0364b");
	assert_int_equal(f->status, 0);
	eio_tick(&f->eio, 2);
	assert_int_equal(f->messages, 0);
	eio_pause(f->session, false); /* and changes its mind */
	eio_pause(f->session, true);
	assert_int_equal(eio_next_due(&f->eio), 0);
	eio_tick(&f->eio, 3);
	assert_int_equal(f->status, 0);
	eio_pause(f->session, false);
	eio_tick(&f->eio, 4);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->messages, 2);
	post(f, r, "4c");
	assert_int_equal(f->status, 200);
	assert_int_equal(f->messages, 3);
}

static void test_posts_wait_while_too_much_is_unread(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	char much[PAYLOAD_MAX];
	memset(much, 'x', sizeof much);
	get(f, r, "");
	for (size_t sent = 0; sent <= HOLD_BYTES; sent += sizeof much)
		eio_send_message(f->session, str_of(much, sizeof much), false);
	post(f, r, "4a");
	assert_int_equal(f->status, 0);
	eio_pause(f->session, true);
	eio_pause(f->session, false); /* is not enough */
	eio_tick(&f->eio, 2);
	assert_int_equal(f->status, 0);
	struct eio_request *poll = &f->requests[1];
	get(f, poll, eio_sid(f->session));
	f->status = 0;
	eio_tick(&f->eio, 3);
	assert_int_equal(f->status, 200);
	assert_int_equal(f->messages, 1);
}

static void test_a_post_that_waits_ends_with_its_session(void **state)
{
	struct fixture *f = *state;
	struct eio_request *first = &f->requests[0];
	struct eio_request *second = &f->requests[1];
	get(f, first, "");
	eio_pause(f->session, true);
	post(f, first, "4a");
	post(f, second, "4b"); /* two at once: it is confused */
	assert_int_equal(f->status, 400);
	assert_int_equal(f->closed, 1);
	get(f, first, "");
	eio_pause(f->session, true);
	post(f, first, "4a");
	eio_pause(f->session, false);
	eio_request_gone(&f->eio, 2, first);
	eio_tick(&f->eio, 3);
	assert_int_equal(f->closed, 2);
	assert_int_equal(f->messages, 0);
}

static void test_newcomers_are_refused_when_all_is_full(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	get(f, r, "");
	f->is_full = true;
	get(f, r, eio_sid(f->session));
	assert_int_equal(f->status, 0);
	eio_send_message(f->session, STR("x"), false);
	assert_int_equal(f->status, 200);
	get(f, r, "");
	assert_int_equal(f->status, 503);
}

static void test_an_end_waits_for_the_next_poll(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	char sid[EIO_SID_MAX];
	get(f, r, "");
	snprintf(sid, sizeof sid, "%s", eio_sid(f->session));
	eio_send_message(f->session, STR("last"), false);
	eio_end(f->session, 5);
	assert_int_equal(f->closed, 1);
	get(f, r, sid);
	assert_string_equal(f->body, "4last\0361");
	get(f, r, sid);
	assert_int_equal(f->status, 400);
}

static void test_silence_ends_a_session(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	get(f, r, "");
	get(f, r, eio_sid(f->session));
	assert_int_equal(eio_next_due(&f->eio), PING_MS);
	eio_tick(&f->eio, PING_MS);
	assert_string_equal(f->body, "2");
	assert_int_equal(eio_next_due(&f->eio), END_MS);
	eio_tick(&f->eio, END_MS - 1);
	assert_int_equal(f->closed, 0);
	eio_tick(&f->eio, END_MS);
	assert_int_equal(f->closed, 1);
}

static void test_a_late_loop_does_not_put_off_the_end(void **state)
{
	struct fixture *f = *state;
	struct eio_request *r = &f->requests[0];
	get(f, r, "");
	get(f, r, eio_sid(f->session));
	eio_tick(&f->eio, PING_MS + LITTLE_LATE_MS);
	assert_string_equal(f->body, "2");
	assert_int_equal(eio_next_due(&f->eio), END_MS);
	get(f, r, "");
	get(f, r, eio_sid(f->session));
	eio_tick(&f->eio, PING_MS + FAR_LATE_MS); /* and far too late: then it has its time */
	assert_int_equal(f->closed, 0);
	eio_tick(&f->eio, END_MS);
	assert_int_equal(f->closed, 1);
	eio_tick(&f->eio, LATE_END_MS - 1);
	assert_int_equal(f->closed, 1);
	eio_tick(&f->eio, LATE_END_MS);
	assert_int_equal(f->closed, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_eio, close_eio)
	const struct CMUnitTest tests[] = {
		TEST(test_a_sid_names_its_owner),
		TEST(test_sessions_are_bounded),
		TEST(test_unused_sids_are_the_first_to_go),
		TEST(test_a_poller_is_blocked_until_it_polls),
		TEST(test_an_answer_may_end_its_request),
		TEST(test_who_never_polls_is_let_go),
		TEST(test_a_post_waits_while_the_session_is_paused),
		TEST(test_posts_wait_while_too_much_is_unread),
		TEST(test_a_post_that_waits_ends_with_its_session),
		TEST(test_newcomers_are_refused_when_all_is_full),
		TEST(test_an_end_waits_for_the_next_poll),
		TEST(test_silence_ends_a_session),
		TEST(test_a_late_loop_does_not_put_off_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
