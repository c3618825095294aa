// SPDX-License-Identifier: MIT
/* test_gateway_backlog.c — what a client may make the gateway do and keep by what it sends: frames
 * of thousands of events, answers that it does not read, too much of anything; and that what
 * follows a join under way is taken in order. */
#include "tests/unit/test_gateway.h"

enum { SESSION_BYTES = 64 * 1024, FRAME_BYTES = 64 * 1024 };

/* Client 0 anew, as one that speaks parlor.v1. */
static void speak_batched(struct fixture *f)
{
	gateway_disconnect(f->gateway, f->now_ms, f->client[0], &f->out);
	f->client[0] = gateway_connect(f->gateway, f->now_ms, &f->handle[0], WIRE_NATIVE, true);
}

static struct str repeated(const char *line, size_t bytes)
{
	static char frame[FRAME_BYTES];
	size_t len = strlen(line);
	for (size_t at = 0; at + len <= bytes; at += len)
		memcpy(frame + at, line, len);
	return str_of(frame, bytes / len * len);
}

static void say_text(struct fixture *f, size_t client, struct str text)
{
	begin(f);
	gateway_frame(f->gateway, f->now_ms, f->client[client], text, &f->out);
	flush(f);
}

static void test_errors_without_id_of_one_frame_end(void **state)
{
	struct fixture *f = *state;
	speak_batched(f);
	uint64_t turns = 1;
	begin(f);
	gateway_frame(f->gateway, f->now_ms, f->client[0], repeated("[\n", FRAME_BYTES), &f->out);
	assert_in_range(stats(f)->owed_bytes, 1, FRAME_BYTES);
	bool has_more = gateway_flush(f->gateway, f->now_ms, &f->out);
	assert_int_equal(count_ops(f, CLIENT_PAUSE, 0), 1);
	for (; has_more; turns++)
		has_more = turn(f);
	assert_in_range(turns, 300, 1000); /* each a small one */
	assert_in_range(stats(f)->errors_total, 1, 10);
	assert_int_equal(stats(f)->owed_bytes, 0);
	assert_int_equal(count_ops(f, CLIENT_RESUME, 0), 1);
}

static void test_questions_end_where_answers_are_not_read(void **state)
{
	struct fixture *f = *state;
	speak_batched(f);
	block(f, 0);
	size_t bytes = 0;
	say_text(f, 0, repeated("{\"id\":123}\n", FRAME_BYTES));
	do {
		bytes += sent_bytes(f, 0);
		(void)turn(f);
	} while (f->out.op_count);
	assert_in_range(bytes, SESSION_BYTES, SESSION_BYTES + 1024);
	assert_in_range(stats(f)->owed_bytes, bytes, bytes + FRAME_BYTES);
	say_text(f, 0, repeated("{\"id\":123}\n", FRAME_BYTES)); /* on its way before the pause */
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_POLICY), 0);
	say_text(f, 0,
		 repeated("{\"id\":123}\n", FRAME_BYTES)); /* the pause was not meant for it */
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_POLICY), 1);
	gateway_disconnect(f->gateway, f->now_ms, f->client[0], &f->out);
	assert_int_equal(stats(f)->owed_bytes, 0);
	f->client[0] = gateway_connect(f->gateway, f->now_ms, &f->handle[0], WIRE_NATIVE, true);
}

static void test_whatever_has_an_id_is_answered(void **state)
{
	struct fixture *f = *state;
	char frame[4096] = "";
	speak_batched(f);
	for (int i = 0; i < 150; i++)
		snprintf(frame + strlen(frame), sizeof frame - strlen(frame), "{\"id\":%d}\n", i);
	say_text(f, 0, str_from(frame));
	json_int_t next = 0;
	do {
		json_t *all = heard(f, 0);
		for (size_t i = 0; i < json_array_size(all); i++)
			assert_int_equal(
				json_integer_value(json_object_get(json_array_get(all, i), "id")),
				next++);
		json_decref(all);
		(void)turn(f);
	} while (f->out.op_count);
	assert_int_equal(next, 150);
}

static const char join_leave_join[] =
	"{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\"}}\n"
	"{\"event\":\"updateChat\",\"id\":2,\"data\":{\"room\":\"main\",\"body\":\"hi\",\"cid\":"
	"\"k\"}}\n"
	"{\"event\":\"userTyping\",\"id\":3,\"data\":{\"room\":\"main\"}}\n"
	"{\"event\":\"userLeave\",\"id\":4,\"data\":{\"room\":\"main\"}}\n"
	"{\"event\":\"userTyping\",\"id\":5,\"data\":{\"room\":\"main\"}}";

static void test_what_follows_a_join_is_taken_in_order(void **state)
{
	struct fixture *f = *state;
	speak_batched(f);
	say_text(f, 0, str_from(join_leave_join));
	assert_string_equal(events(f, 0), "");
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 0);
	admit(f, "ann", HEAD);
	/* The post is with historyd; the leave did not wait for it. */
	assert_string_equal(events(f, 0), "ack activeUsers msgHistory ack ack error:not_joined");
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave), 1);
}

static void test_what_follows_a_join_that_fails_is_answered_in_time(void **state)
{
	struct fixture *f = *state;
	speak_batched(f);
	say_text(f, 0, str_from(join_leave_join));
	assert_in_range(wait_until_told(f, 0), 4000, 5000);
	assert_string_equal(events(f, 0), "error:unavailable error:not_joined error:not_joined "
					  "error:not_joined error:not_joined");
}

static void test_what_waits_behind_a_message_that_is_given_up_is_so_too(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, post);
	tick(f, 3000);
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":3,\"data\":{\"username\":\"ann\",\"room\":\"side\"}}");
	say(f, 0, "{\"event\":\"userTyping\",\"id\":4,\"data\":{\"room\":\"side\"}}"); /* waits */
	say(f, 0, post);
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 0);
	tick(f, 1800);
	assert_string_equal(events(f, 0), "error:unavailable"); /* the first */
	say(f, 0, post);
	tick(f, 3000);
	assert_string_equal(events(f, 0), "error:unavailable error:not_joined error:unavailable "
					  "error:unavailable");
	say(f, 0, post);
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 1);
}

static void test_bytes_have_a_rate_too_and_who_is_far_over_is_closed(void **state)
{
	struct fixture *f = *state;
	struct str frame = repeated("[],", FRAME_BYTES);
	int said = 0;
	for (; stats(f)->rate_limited_total == 0; said++)
		say_text(f, 0, frame);
	assert_in_range(said, 3, 6); /* 256 KiB at once */
	tick(f, 1000);
	say(f, 0, "{}");
	assert_string_equal(events(f, 0), "error:bad_event");
	for (said = 0; count_ops(f, CLIENT_CLOSE, CLOSE_POLICY) == 0; said++)
		say_text(f, 0, frame);
	assert_in_range(said, 10, 100);
	assert_int_equal(stats(f)->overrates_total, 1);
}

/* A second session of one connection: leaving and coming again gives nobody more. */
static void test_a_spent_allowance_is_that_of_a_moment(void **state)
{
	enum { AT_ONCE = 5 };
	struct fixture *f = *state;
	gateway_spend(f->gateway, f->client[0]);
	for (int i = 0; i < AT_ONCE; i++) {
		say(f, 0, "{\"event\":\"none\",\"id\":1}");
		assert_string_equal(events(f, 0), "error:bad_event");
	}
	say(f, 0, "{\"event\":\"none\",\"id\":1}");
	assert_string_equal(events(f, 0), "error:rate_limited");
	f->now_ms += 1000; /* from then on it is as for everybody */
	for (int i = 0; i < 50; i++) {
		say(f, 0, "{\"event\":\"none\",\"id\":1}");
		assert_string_equal(events(f, 0), "error:bad_event");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_spent_allowance_is_that_of_a_moment),
		TEST_UNLIMITED(test_errors_without_id_of_one_frame_end),
		TEST_UNLIMITED(test_questions_end_where_answers_are_not_read),
		TEST_UNLIMITED(test_whatever_has_an_id_is_answered),
		TEST(test_what_follows_a_join_is_taken_in_order),
		TEST(test_what_follows_a_join_that_fails_is_answered_in_time),
		TEST(test_what_waits_behind_a_message_that_is_given_up_is_so_too),
		TEST(test_bytes_have_a_rate_too_and_who_is_far_over_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
