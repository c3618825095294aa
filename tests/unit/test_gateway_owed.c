// SPDX-License-Identifier: MIT
/* test_gateway_owed.c — what a client is owed is bounded, whatever it is, and all of it comes at
 * the pace at which the client reads: pages, greetings, messages of many rooms. */
#include "tests/unit/test_gateway.h"

enum { SESSION_BYTES = 64 * 1024, PIECE_BYTES = 64 * 1024, BODY_BYTES = 4000 };

/* In JSON each byte of it is six. */
static struct str long_body(void)
{
	static char body[BODY_BYTES];
	memset(body, 1, sizeof body);
	return str_of(body, sizeof body);
}

static void respond(struct fixture *f, uint64_t req, uint64_t first, uint64_t last, uint64_t head,
		    bool more)
{
	struct buf records = {0};
	for (uint64_t seq = first; seq <= last; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq,
							   .user = STR("old"),
							   .cid = STR("c"),
							   .body = long_body()});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = req,
				       .room = STR("main"),
				       .head = head,
				       .more = more,
				       .messages = {.count = (uint32_t)(last - first + 1),
						    .packed = buf_view(&records)}});
	send(f, &f->pages);
	buf_free(&records);
}

static uint64_t page_asked(struct fixture *f, size_t n)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.read[0], EV_page_ask, n, &ev));
	return ev.as.page_ask.req;
}

static const char ask[] =
	"{\"event\":\"history\",\"id\":%d,\"data\":{\"room\":\"main\",%s\"limit\":"
	"200}}";

static void say_ask(struct fixture *f, int id, const char *where)
{
	char frame[200];
	snprintf(frame, sizeof frame, ask, id, where);
	say(f, 0, frame);
}

/* The seqs of the only frame, a page. */
static void check_page(struct fixture *f, json_int_t id, json_int_t first, json_int_t last)
{
	json_t *all = heard(f, 0);
	assert_int_equal(json_array_size(all), 1);
	assert_in_range(sent_bytes(f, 0), 1, PIECE_BYTES + 7 * BODY_BYTES);
	const json_t *frame = json_array_get(all, 0);
	const json_t *messages = json_object_get(json_object_get(frame, "data"), "messages");
	size_t count = json_array_size(messages);
	assert_int_equal(json_integer_value(json_object_get(frame, "id")), id);
	assert_true(json_is_true(json_object_get(json_object_get(frame, "data"), "more")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(messages, 0), "seq")),
			 first);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(messages, count - 1), "seq")),
		last);
	json_decref(all);
}

static void test_a_page_is_one_piece_next_to_where_it_was_asked(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say_ask(f, 7, "\"before\":101,");
	respond(f, page_asked(f, 0), 1, 100, 100, false);
	check_page(f, 7, 99, 100);
	say_ask(f, 8, "\"after\":0,");
	respond(f, page_asked(f, 0), 1, 100, 100, false);
	check_page(f, 8, 1, 2);
}

static void test_pages_wait_for_who_cannot_take_them(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say_ask(f, 0, "");
	uint64_t req = page_asked(f, 0);
	for (int i = 1; i < 4; i++) {
		say_ask(f, i, "");
		assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0); /* one at a time */
	}
	respond(f, req, 1, 100, 100, false);
	check_page(f, 0, 99, 100);
	req = page_asked(f, 0);
	block(f, 0);
	respond(f, req, 1, 100, 100, false);
	assert_int_equal(sent_bytes(f, 0), 0);
	tick(f, 20000); /* nobody is told that it is unavailable */
	assert_int_equal(sent_bytes(f, 0), 0);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 0);
	unblock(f, 0);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 1);
		respond(f, page_asked(f, 0), 1, 100, 100, false);
		check_page(f, i, 99, 100);
	}
	assert_false(turn(f));
	assert_int_equal(f->out.op_count, 0);
}

static void test_pages_that_nobody_has_are_given_up_together(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	for (int i = 0; i < 3; i++)
		say_ask(f, i, "");
	assert_in_range(wait_until_told(f, 0), 4000, 5000);
	assert_string_equal(events(f, 0), "error:unavailable error:unavailable error:unavailable");
	assert_false(turn(f));
}

/* A page that waits for others waits as long as they do, but for the time in which the client takes
 * nothing. */
static void test_a_page_behind_others_is_answered_in_time(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say_ask(f, 1, "");
	uint64_t req = page_asked(f, 0);
	say_ask(f, 2, "");
	tick(f, 4000);
	respond(f, req, 1, 100, 100, false);
	check_page(f, 1, 99, 100);
	assert_int_equal(bus_count(&f->out.read[0], EV_page_ask), 1);
	tick(f, 1000);
	assert_string_equal(events(f, 0), "error:unavailable");

	say_ask(f, 3, "");
	req = page_asked(f, 0);
	block(f, 0);
	respond(f, req, 1, 100, 100, false);
	tick(f, 20000);
	unblock(f, 0);
	tick(f, 4000);
	assert_string_equal(events(f, 0), "");
	tick(f, 1000);
	assert_string_equal(events(f, 0), "error:unavailable");
}

static void test_a_greeting_is_one_piece_and_the_rest_follows(void **state)
{
	struct fixture *f = *state;
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\","
	    "\"since\":0}}");
	admit(f, "ann", 0);
	for (uint64_t seq = 1; seq <= 8; seq++) {
		bus_put_chat_stored(&f->historyd.batch,
				    &(struct ev_chat_stored){.room = STR("main"),
							     .seq = seq,
							     .user = STR("old"),
							     .cid = STR("c"),
							     .body = long_body()});
	}
	send(f, &f->historyd);
	say(f, 1,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"bob\",\"room\":\"main\","
	    "\"since\":0}}");
	block(f, 1);
	admit(f, "bob", 0);
	assert_string_equal(events(f, 1), ""); /* it could not take it */
	tick(f, 6000);                         /* and is not told that it is unavailable */
	assert_string_equal(events(f, 1), "");
	unblock(f, 1);
	assert_string_equal(events(f, 1), "ack activeUsers msgHistory");
	assert_in_range(sent_bytes(f, 1), PIECE_BYTES / 2, PIECE_BYTES + 1024);
	size_t more = 0;
	for (bool has_more = true; has_more;) {
		has_more = turn(f);
		json_t *all = heard(f, 1);
		more += json_array_size(all);
		json_decref(all);
		assert_in_range(sent_bytes(f, 1), 0, SESSION_BYTES + 7 * BODY_BYTES);
	}
	assert_int_equal(more, 8 - 2);
}

static void test_a_page_for_a_reader_ends_where_it_takes_no_more(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	block(f, 0);
	for (uint64_t seq = 4; seq <= 60; seq++)
		bus_put_chat_stored(&f->historyd.batch,
				    &(struct ev_chat_stored){.room = STR("main"),
							     .seq = seq,
							     .user = STR("old"),
							     .cid = STR("c"),
							     .body = long_body()});
	send(f, &f->historyd);
	unblock(f, 0);
	uint64_t req = page_asked(f, 0);
	block(f, 0);
	respond(f, req, 4, 50, 60, true);
	assert_int_equal(sent_bytes(f, 0), 0);
	unblock(f, 0);
	for (json_int_t next = 4; next <= 60;) {
		struct bus_event ev;
		if (bus_find(&f->out.read[0], EV_page_ask, 0, &ev))
			respond(f, ev.as.page_ask.req, ev.as.page_ask.after + 1, 60, 60, false);
		json_t *all = heard(f, 0);
		for (size_t i = 0; i < json_array_size(all); i++) {
			const json_t *data = json_object_get(json_array_get(all, i), "data");
			assert_int_equal(json_integer_value(json_object_get(data, "seq")), next++);
		}
		json_decref(all);
		assert_in_range(sent_bytes(f, 0), 0, SESSION_BYTES + 7 * BODY_BYTES);
		turn(f);
	}
}

static void test_newcomers_are_refused_when_all_are_owed_too_much(void **state)
{
	struct fixture *f = *state;
	struct gateway_options o;
	int handle;
	(void)f;
	gateway_options_default(&o);
	o.sessions_bytes = 3000;
	struct gateway *g = gateway_open(&o, 1);
	struct gateway_out out = {0};
	struct session *s = gateway_connect(g, 1, &handle, WIRE_NATIVE, true);
	assert_false(gateway_is_full(g));
	for (int i = 0; i < 60; i++)
		gateway_frame(g, 1, s, STR("{\"id\":5}"), &out);
	(void)gateway_flush(g, 1, &out);
	gateway_blocked(g, 1, s);
	assert_true(gateway_is_full(g));
	assert_int_equal(gateway_stats(g)->newcomers_refused_total, 1);
	gateway_writable(g, 1, s, &out);
	assert_false(gateway_is_full(g));
	gateway_out_free(&out);
	gateway_close(g);
}

static void test_who_was_blocked_before_its_first_join_must_still_join(void **state)
{
	struct fixture *f = *state;
	tick(f, JOIN_MS / 3);
	block(f, 0);
	tick(f, JOIN_MS / 3);
	unblock(f, 0);
	tick(f, JOIN_MS / 3 - 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_NO_JOIN), 0);
	tick(f, 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_NO_JOIN), CLIENTS);
}

static void test_who_takes_something_is_not_closed(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	block(f, 0);
	block(f, 1);
	for (int i = 0; i < 10; i++) {
		tick(f, STALL_MS / 8);
		assert_int_equal(count_ops(f, CLIENT_LOOK, 0), i < 8 ? 2 : 1);
		gateway_progress(f->gateway, f->now_ms, f->client[0]);
		if (i == 7)
			assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 1);
	}
	tick(f, STALL_MS - 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 0);
	tick(f, 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_page_is_one_piece_next_to_where_it_was_asked),
		TEST(test_pages_wait_for_who_cannot_take_them),
		TEST(test_pages_that_nobody_has_are_given_up_together),
		TEST(test_a_page_behind_others_is_answered_in_time),
		TEST(test_a_greeting_is_one_piece_and_the_rest_follows),
		TEST(test_a_page_for_a_reader_ends_where_it_takes_no_more),
		TEST(test_newcomers_are_refused_when_all_are_owed_too_much),
		TEST(test_who_was_blocked_before_its_first_join_must_still_join),
		TEST(test_who_takes_something_is_not_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
