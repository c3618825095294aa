// SPDX-License-Identifier: MIT
/* test_gateway_roomlog.c — what a room's newest messages may take, and that whoever joins gets
 * those that it had to drop from historyd. */
#include "gateway/core/roomlog.h"
#include "tests/unit/test_gateway.h"

enum { LOG_BYTES = 64 * 1024, BODY_BYTES = 4000 };

/* Escaped in JSON, a message of these is 24,000 bytes long. */
static struct str long_body(void)
{
	static char body[BODY_BYTES];
	memset(body, 1, sizeof body);
	return str_of(body, sizeof body);
}

static size_t held(const struct roomlog *log)
{
	return log->stream[WIRE_NATIVE].cap + log->stream[WIRE_SOCKETIO].cap;
}

static void append(struct roomlog *log, uint64_t seq, struct str body, struct buf *json)
{
	roomlog_append(log, STR("r"),
		       &(struct rec_chat){.seq = seq, .user = STR("u"), .body = body}, 0, LOG_BYTES,
		       json);
}

static void test_a_log_obeys_its_bytes_whatever_the_count(void **state)
{
	struct roomlog log;
	struct buf json = {0};
	(void)state;
	roomlog_init(&log, 0);
	for (uint64_t seq = 1; seq <= 500; seq++) {
		append(&log, seq, seq % 3 ? long_body() : STR("short"), &json);
		assert_in_range(held(&log), 1, LOG_BYTES);
		assert_int_equal(log.first_seq + log.count - 1, seq);
	}
	assert_in_range(log.count, 2, 6);
	roomlog_want(&log, WIRE_SOCKETIO, STR("r"), LOG_BYTES, &json);
	for (uint64_t seq = 501; seq <= 1000; seq++) {
		append(&log, seq, STR("short"), &json);
		assert_in_range(held(&log), 1, LOG_BYTES);
		struct str frames = roomlog_frames(&log, WIRE_SOCKETIO, log.first_seq, seq);
		assert_in_range(frames.len, 1, LOG_BYTES / 2);
		assert_memory_equal(roomlog_object(&log, seq).ptr, "{\"username\":\"u\"", 15);
	}
	assert_in_range(log.count, 100, 400);
	roomlog_free(&log);
	buf_free(&json);
}

static void test_a_message_larger_than_the_log_is_kept_alone(void **state)
{
	struct roomlog log;
	struct buf json = {0};
	(void)state;
	roomlog_init(&log, 0);
	for (uint64_t seq = 1; seq <= 10; seq++) {
		roomlog_append(
			&log, STR("r"),
			&(struct rec_chat){.seq = seq, .user = STR("u"), .body = long_body()}, 0,
			4096, &json);
		assert_int_equal(log.count, 1);
		assert_in_range(held(&log), BODY_BYTES * 6, BODY_BYTES * 7);
	}
	roomlog_free(&log);
	buf_free(&json);
}

static uint64_t answer_page(struct fixture *f, uint64_t first, uint64_t last, bool more)
{
	struct bus_event ev;
	struct buf records = {0};
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
	for (uint64_t seq = first; seq <= last; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq, .user = STR("old")});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = ev.as.page_ask.req,
				       .room = STR("main"),
				       .head = last,
				       .more = more,
				       .messages = {.count = (uint32_t)(last - first + 1),
						    .packed = buf_view(&records)}});
	send(f, &f->pages);
	buf_free(&records);
	return ev.as.page_ask.limit;
}

static void test_a_greeting_reads_what_the_log_has_dropped(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	for (uint64_t seq = 4; seq < 54; seq++) {
		bus_put_chat_stored(&f->historyd.batch,
				    &(struct ev_chat_stored){.room = STR("main"),
							     .seq = seq,
							     .user = STR("old"),
							     .cid = STR("c"),
							     .body = long_body()});
		send(f, &f->historyd);
	}
	say(f, 1,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"bob\",\"room\":"
	    "\"main\"}}");
	admit(f, "bob", 0);
	assert_string_equal(events(f, 1), "");
	assert_int_equal(answer_page(f, 4, 53, true), 50);
	assert_string_equal(events(f, 1), "ack activeUsers msgHistory");
	json_t *all = heard(f, 1);
	const json_t *history = json_array_get(all, 2);
	assert_int_equal(json_array_size(json_object_get(history, "data")), 50);
	assert_true(json_is_true(json_object_get(history, "more")));
	json_decref(all);
	store(f, 0, 54, STR("old"));
	assert_string_equal(events(f, 1), "updateChat");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_log_obeys_its_bytes_whatever_the_count),
		cmocka_unit_test(test_a_message_larger_than_the_log_is_kept_alone),
		TEST(test_a_greeting_reads_what_the_log_has_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
