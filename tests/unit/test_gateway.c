// SPDX-License-Identifier: MIT
/* test_gateway.c — messages through the gateway's core, bad input, and clients that fall silent. */
#include "tests/unit/test_gateway.h"

static void test_a_message_is_acked_in_its_place_and_delivered(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	say(f, 0, post);
	uint64_t req = posted(f);
	store(f, 0, 4, STR("bob")); /* somebody was faster, by another gateway */
	assert_string_equal(events(f, 0), "updateChat");
	store(f, req, 5, STR("ann"));
	assert_string_equal(events(f, 0), "ack");
	assert_string_equal(events(f, 1), "updateChat");
	store(f, req, 5, STR("ann")); /* a repetition */
	assert_int_equal(f->out.op_count, 0);
}

static void test_a_gap_is_filled_from_historyd(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	store(f, 0, 6, STR("bob")); /* 4 and 5 are missing */
	assert_int_equal(f->out.op_count, 0);
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
	assert_int_equal(ev.as.page_ask.after, 3);
	struct buf records = {0};
	for (uint64_t seq = 4; seq <= 6; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq, .user = STR("bob")});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = ev.as.page_ask.req,
				       .room = STR("main"),
				       .head = 6,
				       .messages = {.count = 3, .packed = buf_view(&records)}});
	send(f, &f->pages);
	assert_string_equal(events(f, 0), "updateChat updateChat updateChat");
	buf_free(&records);
}

static void test_a_post_is_repeated_and_given_up_within_5_s(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	say(f, 0, post);
	tick(f, RETRY_MS);
	assert_int_equal(posted(f) > 0, 1);
	f->historyd.self.epoch++; /* it restarts: asked again at once */
	f->historyd.self.seq = 0;
	send(f, &f->historyd);
	assert_int_equal(posted(f) > 0, 1);
	assert_in_range(RETRY_MS + wait_until_told(f, 0), 4000, 5000);
	assert_string_equal(events(f, 0), "error:unavailable");
	assert_int_equal(stats(f)->posts_unavailable_total, 1);
}

static void test_a_blocked_reader_waits_and_catches_up(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	gateway_blocked(f->gateway, f->now_ms, f->client[0]);
	store(f, 0, 4, STR("bob"));
	assert_string_equal(events(f, 0), "");
	assert_string_equal(events(f, 1), "updateChat");
	store(f, 0, 5, STR("bob"));
	begin(f);
	gateway_writable(f->gateway, f->now_ms, f->client[0], &f->out);
	flush(f);
	assert_string_equal(events(f, 0), "updateChat updateChat");
	gateway_blocked(f->gateway, f->now_ms, f->client[0]);
	tick(f, STALL_MS - 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 0);
	tick(f, 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 1);
}

static void test_bad_input_gets_its_code(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *frame, *response;
	} rows[] = {
		{"", "error:bad_json"},
		{"[]", "error:bad_json"},
		{"{\"event\":1,\"event\":2}", "error:bad_json"},
		{"{\"a\":[[[[[[[[1]]]]]]]]}", "error:bad_json"},
		{"{\"event\":\"\xff\"}", "error:bad_json"},
		{"{}", "error:bad_event"},
		{"{\"event\":\"shout\",\"data\":{}}", "error:bad_event"},
		{"{\"event\":\"history\"}", "error:bad_field"},
		{"{\"event\":\"history\",\"data\":{},\"id\":-1}", "error:bad_field"},
		{"{\"event\":\"userJoin\",\"data\":{\"username\":\" a\",\"room\":\"r\"}}",
		 "error:bad_field"},
		{"{\"event\":\"userJoin\",\"data\":{\"username\":\"a\",\"room\":\"\"}}",
		 "error:bad_field"},
		{"{\"event\":\"userJoin\",\"data\":{\"username\":\"a\",\"room\":\"r\",\"key\":"
		 "\"short\"}}",
		 "error:bad_field"},
		{"{\"event\":\"updateChat\",\"data\":{\"room\":\"else\",\"body\":\"x\"}}",
		 "error:not_joined"},
		{"{\"event\":\"userLeave\",\"data\":{\"room\":\"else\"}}", "error:not_joined"},
		{"{\"event\":\"userJoin\",\"data\":{\"username\":\"eve\",\"room\":\"r\"}}",
		 "error:username_mismatch"},
		{"{\"event\":\"history\",\"data\":{\"room\":\"main\",\"limit\":201}}",
		 "error:bad_field"},
		{"{\"event\":\"newRoom\",\"data\":{\"username2\":\"ann\",\"room\":\"x\"}}",
		 "error:bad_field"},
	};
	join(f, 0, "ann");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		say(f, 0, rows[i].frame);
		assert_string_equal(events(f, 0), rows[i].response);
	}
	static char large[6000];
	snprintf(large, sizeof large,
		 "{\"event\":\"updateChat\",\"data\":{\"room\":\"main\",\"body\":\"%04001d\"}}", 0);
	say(f, 0, large);
	assert_string_equal(events(f, 0), "error:too_large");
	for (int i = 0; i < 200; i++)
		say(f, 0, "{}");
	assert_string_equal(events(f, 0), "error:rate_limited");
}

static void test_silent_clients_are_closed(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	gateway_on_activity(f->gateway, f->now_ms, f->client[0]);
	tick(f, PING_MS);
	assert_in_range(count_ops(f, CLIENT_PING, 0), 1, 3);
	tick(f, JOIN_MS - PING_MS - SETTLED_MS);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_NO_JOIN),
			 2); /* the two who never joined */
	tick(f, PING_MS + PONG_MS + SETTLED_MS - JOIN_MS);
	assert_in_range(count_ops(f, CLIENT_CLOSE, CLOSE_SILENT), 1, 3);
}

static void lose(struct fixture *f, struct bus_peer *who)
{
	who->self.seq++;
	bus_put_heartbeat(&who->batch, &(struct ev_heartbeat){.ready = 1});
	send(f, who);
}

/* It may have been read before what was lost was stored, and would hide that. */
static void test_a_page_asked_for_before_a_loss_does_not_count(void **state)
{
	struct fixture *f = *state;
	struct bus_event early;
	struct bus_event ev;
	join(f, 0, "ann");
	lose(f, &f->historyd);
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &early));
	uint64_t req = early.as.page_ask.req;
	f->now_ms += 500;
	lose(f, &f->historyd); /* message 4 */
	size_t last = bus_count(&f->out.read[0], EV_page_ask) - 1;
	assert_true(bus_find(&f->out.read[0], EV_page_ask, last, &ev));
	assert_true(ev.as.page_ask.req != req);
	uint64_t late = ev.as.page_ask.req;
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = req, .room = STR("main"), .head = 3});
	send(f, &f->pages);
	struct buf record = {0};
	bus_pack_chat(&record,
		      &(struct rec_chat){
			      .seq = 4, .user = STR("bob"), .cid = STR("c"), .body = STR("b")});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = late,
				       .room = STR("main"),
				       .head = 4,
				       .messages = {.count = 1, .packed = buf_view(&record)}});
	send(f, &f->pages);
	assert_string_equal(events(f, 0), "updateChat");
	buf_free(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_is_acked_in_its_place_and_delivered),
		TEST(test_a_gap_is_filled_from_historyd),
		TEST(test_a_post_is_repeated_and_given_up_within_5_s),
		TEST(test_a_blocked_reader_waits_and_catches_up),
		TEST(test_bad_input_gets_its_code),
		TEST(test_silent_clients_are_closed),
		TEST(test_a_page_asked_for_before_a_loss_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
