// SPDX-License-Identifier: MIT
/* test_gateway_roomlog.c — what a room's newest messages may take, and that whoever joins gets
 * those that it had to drop from historyd. */
#include "gateway/core/roomlog.h"
#include "tests/unit/test_gateway.h"

enum { LOG_BYTES = 64 * 1024, BODY_BYTES = 4000 };
#define NEVER UINT64_MAX

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

static struct str body_of(size_t bytes)
{
	struct str body = long_body();
	body.len = bytes;
	return body;
}

static const struct {
	const char *what;
	size_t log_bytes;
	uint64_t head;        /* behind which the log starts */
	uint64_t messages;    /* … so many are appended … */
	size_t bodies[2];     /* … of these lengths by turns; each byte is six in JSON */
	uint64_t socketio;    /* so many are there when Socket.IO is wanted; NEVER */
	uint32_t least, most; /* of them are kept */
	size_t held_max;
} logs[] = {
	{"a first message", LOG_BYTES, 0, 1, {1, 1}, NEVER, 1, 1, 1024},
	{"a first message behind others", LOG_BYTES, 41, 1, {1, 1}, NEVER, 1, 1, 1024},
	{"all of few", LOG_BYTES, 0, 100, {1, 1}, NEVER, 100, 100, LOG_BYTES},
	{"the newest of many", LOG_BYTES, 0, 1000, {1, 1}, NEVER, 300, 400, LOG_BYTES},
	{"the newest of long ones", LOG_BYTES, 0, 50, {4000, 4000}, NEVER, 2, 2, LOG_BYTES},
	{"long and short by turns", LOG_BYTES, 0, 501, {4000, 1}, NEVER, 3, 5, LOG_BYTES},
	{"both forms of all", LOG_BYTES, 0, 50, {1, 1}, 0, 50, 50, LOG_BYTES},
	{"both forms of half as many", LOG_BYTES, 0, 1000, {1, 1}, 0, 140, 200, LOG_BYTES},
	{"the other form wanted late", LOG_BYTES, 0, 1000, {1, 1}, 500, 140, 200, LOG_BYTES},
	{"the other form wanted last", LOG_BYTES, 0, 1000, {1, 1}, 1000, 140, 200, LOG_BYTES},
	{"one that is larger than the log", 4096, 0, 10, {4000, 4000}, NEVER, 1, 1, 4000 * 7},
	{"such a one in both forms", 4096, 0, 10, {4000, 4000}, 0, 1, 1, 4000 * 14},
	{"a short one after such", 4096, 0, 10, {4000, 1}, NEVER, 1, 1, 4000 * 7},
	{"no bytes at all", 0, 0, 10, {1, 1}, NEVER, 1, 1, 1024},
};

static void check_kept(const struct roomlog *log, size_t row, uint64_t messages)
{
	uint64_t head = logs[row].head + messages;
	roomlog_check(log);
	assert_int_equal(log->head, head);
	assert_in_range(held(log), 1, logs[row].held_max);
	for (uint64_t seq = log->first_seq; seq <= head; seq++)
		assert_memory_equal(roomlog_object(log, seq).ptr, "{\"username\":\"u\"", 15);
	struct str frames = roomlog_frames(log, WIRE_NATIVE, log->first_seq, head);
	assert_in_range(frames.len, 1, logs[row].held_max);
}

static void test_what_a_log_keeps(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
		struct roomlog log;
		struct buf json = {0};
		roomlog_init(&log, logs[i].head);
		for (uint64_t n = 0; n <= logs[i].messages; n++) {
			if (n == logs[i].socketio)
				roomlog_want(&log, WIRE_SOCKETIO, STR("r"), logs[i].log_bytes,
					     &json);
			if (n == logs[i].messages)
				break;
			roomlog_append(&log, STR("r"),
				       &(struct rec_chat){.seq = logs[i].head + n + 1,
							  .user = STR("u"),
							  .body = body_of(logs[i].bodies[n % 2])},
				       0, logs[i].log_bytes, &json);
			check_kept(&log, i, n + 1);
		}
		if (log.count < logs[i].least || log.count > logs[i].most)
			fail_msg("%s: %u are kept", logs[i].what, log.count);
		roomlog_restart(&log, 7);
		roomlog_check(&log);
		assert_int_equal(log.head, 7);
		assert_int_equal(log.stream[WIRE_SOCKETIO].is_on, logs[i].socketio != NEVER);
		roomlog_free(&log);
		buf_free(&json);
	}
}

enum { FITTED = 9 }; /* messages whose frames are of one length */

static const struct {
	uint64_t from, to;
	size_t frames, more; /* the bytes that there are: so many frames, and so many more */
	uint64_t fits;
} fits[] = {
	{1, FITTED, 0, 0, 1}, /* one goes in any case */
	{1, FITTED, 1, 0, 1},           {1, FITTED, 2, 0, 2},
	{1, FITTED, 2, 1, 2},           {1, FITTED, FITTED - 1, 0, FITTED - 1},
	{1, FITTED, FITTED, 0, FITTED}, {1, FITTED, FITTED, 1, FITTED},
	{1, 3, FITTED, 0, 3},           {4, FITTED, 3, 0, 6},
	{FITTED, FITTED, 0, 0, FITTED},
};

static void test_how_many_fit(void **state)
{
	struct roomlog log;
	struct buf json = {0};
	(void)state;
	roomlog_init(&log, 0);
	for (uint64_t seq = 1; seq <= FITTED; seq++)
		roomlog_append(&log, STR("r"), &(struct rec_chat){.seq = seq, .user = STR("u")}, 0,
			       LOG_BYTES, &json);
	size_t frame = roomlog_frames(&log, WIRE_NATIVE, 1, 1).len;
	for (size_t i = 0; i < ARRAY_LEN(fits); i++)
		assert_int_equal(roomlog_fit(&log, WIRE_NATIVE, fits[i].from, fits[i].to,
					     fits[i].frames * frame + fits[i].more),
				 fits[i].fits);
	roomlog_free(&log);
	buf_free(&json);
}

static uint64_t respond_page(struct fixture *f, uint64_t first, uint64_t last, bool more)
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
	assert_int_equal(respond_page(f, 4, 53, true), 50);
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
		cmocka_unit_test(test_what_a_log_keeps),
		cmocka_unit_test(test_how_many_fit),
		TEST(test_a_greeting_reads_what_the_log_has_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
