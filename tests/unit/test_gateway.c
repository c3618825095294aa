// SPDX-License-Identifier: MIT
/* test_gateway.c — the gateway's core, with the test as its clients, its roomd and its historyd. */
#include "gateway/gateway.h"
#include "tests/support/bus_peer.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum { CLIENTS = 3 };

struct fixture {
	struct gateway *gateway;
	struct gateway_out out;
	struct bus_peer roomd, historyd, pages;
	struct session *client[CLIENTS];
	int handle[CLIENTS]; /* their addresses are the shell's `conn` */
	uint64_t now_ms, versions;
};

static const struct gateway_stats *stats(struct fixture *f)
{
	return gateway_stats(f->gateway);
}

static void begin(struct fixture *f)
{
	gateway_out_reset(&f->out);
}

static void flush(struct fixture *f)
{
	(void)gateway_flush(f->gateway, f->now_ms, &f->out);
}

static void say(struct fixture *f, size_t client, const char *frame)
{
	begin(f);
	gateway_frame(f->gateway, f->now_ms, f->client[client], str_from(frame), &f->out);
	flush(f);
}

static void send(struct fixture *f, struct bus_peer *from)
{
	begin(f);
	gateway_step(f->gateway, f->now_ms, bus_peer_message(from), &f->out);
	flush(f);
}

static void tick(struct fixture *f, uint64_t ms)
{
	f->now_ms += ms;
	begin(f);
	gateway_tick(f->gateway, f->now_ms, &f->out);
	flush(f);
}

/* All text frames for one client, as one JSON array that the caller frees. */
static json_t *heard(struct fixture *f, size_t client)
{
	json_t *all = json_array();
	for (size_t i = 0; i < f->out.op_count; i++) {
		const struct client_op *op = &f->out.ops[i];
		const unsigned char *at = (const unsigned char *)op->ptr;
		if (op->kind != CLIENT_SEND || op->conn != &f->handle[client])
			continue;
		while (at < (const unsigned char *)op->ptr + op->len) {
			size_t len = at[1];
			at += 2;
			if (len == 126) {
				len = (size_t)at[0] << 8 | at[1];
				at += 2;
			}
			json_t *frame =
				json_loadb((const char *)at, len, JSON_REJECT_DUPLICATES, NULL);
			assert_non_null(frame);
			json_array_append_new(all, frame);
			at += len;
		}
	}
	return all;
}

/* "event event …" of what the client was sent; errors as "error:code", acks as "ack". */
static const char *events(struct fixture *f, size_t client)
{
	static char text[512];
	size_t i;
	json_t *frame;
	json_t *all = heard(f, client);
	text[0] = '\0';
	json_array_foreach(all, i, frame)
	{
		const char *event = json_string_value(json_object_get(frame, "event"));
		const char *code =
			json_string_value(json_object_get(json_object_get(frame, "data"), "code"));
		size_t at = strlen(text);
		snprintf(text + at, sizeof text - at, "%s%s%s%s", at ? " " : "", event,
			 code ? ":" : "", code ? code : "");
	}
	json_decref(all);
	return text;
}

static size_t count_ops(const struct fixture *f, enum client_op_kind kind, uint16_t code)
{
	size_t count = 0;
	for (size_t i = 0; i < f->out.op_count; i++)
		count += f->out.ops[i].kind == kind && f->out.ops[i].code == code;
	return count;
}

static int open_gateway(void **state)
{
	struct fixture *f = mem_alloc(sizeof *f);
	struct gateway_options o;
	gateway_options_default(&o);
	o.id = 4;
	o.epoch = 9;
	f->now_ms = 1000;
	f->gateway = gateway_open(&o, f->now_ms);
	f->roomd.self = (struct envelope){.from = SERVICE_ROOMD, .epoch = 5};
	f->historyd.self = (struct envelope){.from = SERVICE_HISTORYD, .epoch = 5};
	f->pages.self = f->historyd.self;
	f->pages.is_answering = true;
	bus_put_heartbeat(&f->roomd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->roomd);
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->historyd);
	for (size_t i = 0; i < CLIENTS; i++)
		f->client[i] =
			gateway_connect(f->gateway, f->now_ms, &f->handle[i], WIRE_NATIVE, false);
	*state = f;
	return 0;
}

static int close_gateway(void **state)
{
	struct fixture *f = *state;
	gateway_close(f->gateway);
	gateway_out_free(&f->out);
	bus_peer_free(&f->roomd);
	bus_peer_free(&f->historyd);
	bus_peer_free(&f->pages);
	mem_free(f);
	return 0;
}

/* Lets a user through whose userJoin was just said: name, room, list, messages 1 … head of the
 * room. */
static void admit(struct fixture *f, const char *user, uint64_t head)
{
	struct bus_event ev;
	struct str name = str_from(user);
	uint64_t page = bus_find(&f->out.read[0], EV_page_ask, 0, &ev) ? ev.as.page_ask.req : 0;
	if (bus_count(&f->out.roomd[0], EV_claim)) {
		bus_put_claim_answer(&f->roomd.batch,
				     &(struct ev_claim_answer){.gateway = 4, .user = name});
		send(f, &f->roomd);
	}
	assert_int_equal(bus_count(&f->out.roomd[0], EV_join), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_presence_ask), page != 0);
	f->versions++;
	bus_put_user_in(
		&f->roomd.batch,
		&(struct ev_user_in){.room = STR("main"), .user = name, .version = f->versions});
	bus_put_join_answer(&f->roomd.batch, &(struct ev_join_answer){.gateway = 4,
								      .room = STR("main"),
								      .user = name,
								      .version = f->versions});
	send(f, &f->roomd);
	if (!page)
		return; /* the room is known here */
	struct buf records = {0};
	bus_pack_name(&records, &(struct rec_name){.user = name});
	bus_put_presence(
		&f->roomd.batch,
		&(struct ev_presence){.gateway = 4,
				      .room = STR("main"),
				      .version = f->versions,
				      .last = 1,
				      .names = {.count = 1, .packed = buf_view(&records)}});
	send(f, &f->roomd);
	assert_int_equal(f->out.op_count, 0); /* no greeting without the history */
	buf_reset(&records);
	for (uint64_t seq = 1; seq <= head; seq++)
		bus_pack_chat(&records, &(struct rec_chat){.seq = seq,
							   .user = STR("old"),
							   .cid = STR("c"),
							   .body = STR("b")});
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){
			     .req = page,
			     .room = STR("main"),
			     .head = head,
			     .messages = {.count = (uint32_t)head, .packed = buf_view(&records)}});
	send(f, &f->pages);
	buf_free(&records);
}

static void join(struct fixture *f, size_t client, const char *user)
{
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"%s\",\"room\":\"main\"}"
		 "}",
		 user);
	say(f, client, frame);
	admit(f, user, 3);
	assert_string_equal(events(f, client), "ack activeUsers msgHistory");
	tick(f, 300); /* the coalesced lists are through */
}

static const char post[] = "{\"event\":\"updateChat\",\"id\":2,\"data\":{\"room\":\"main\","
			   "\"body\":\"hi\",\"cid\":\"k\"}}";

static void store(struct fixture *f, uint64_t req, uint64_t seq, struct str user)
{
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.gateway = 4,
									 .req = req,
									 .room = STR("main"),
									 .seq = seq,
									 .time = 77,
									 .user = user,
									 .cid = STR("k"),
									 .body = STR("hi")});
	send(f, &f->historyd);
}

/* The number of the post that is in the outbox. */
static uint64_t posted(struct fixture *f)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.historyd[0], EV_chat_post, 0, &ev));
	assert_true(str_equal(ev.as.chat_post.cid, STR("k")));
	return ev.as.chat_post.req;
}

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
	tick(f, 960);
	assert_int_equal(posted(f) > 0, 1);
	f->historyd.self.epoch++; /* it restarts: asked again at once */
	f->historyd.self.seq = 0;
	send(f, &f->historyd);
	assert_int_equal(posted(f) > 0, 1);
	uint64_t waited = 960;
	while (stats(f)->posts_unavailable_total == 0 && waited < 10000) {
		tick(f, 100);
		waited += 100;
	}
	assert_string_equal(events(f, 0), "error:unavailable");
	assert_in_range(waited, 4000, 6000);
}

static void test_a_blocked_reader_waits_and_catches_up(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	gateway_blocked(f->gateway, f->now_ms, f->client[0]);
	store(f, 0, 4, STR("bob"));
	assert_int_equal(count_ops(f, CLIENT_PAUSE, 0), 1);
	assert_string_equal(events(f, 0), "");
	assert_string_equal(events(f, 1), "updateChat");
	store(f, 0, 5, STR("bob"));
	begin(f);
	gateway_writable(f->gateway, f->now_ms, f->client[0], &f->out);
	flush(f);
	assert_string_equal(events(f, 0), "updateChat updateChat");
	assert_int_equal(count_ops(f, CLIENT_RESUME, 0), 1);
	gateway_blocked(f->gateway, f->now_ms, f->client[0]);
	tick(f, 29999);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 0);
	tick(f, 1);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_STALLED), 1);
}

static void come(struct fixture *f, const char *user, uint64_t version)
{
	bus_put_user_in(&f->roomd.batch, &(struct ev_user_in){.room = STR("main"),
							      .user = str_from(user),
							      .version = version});
	send(f, &f->roomd);
}

static void test_who_comes_and_goes_is_told_and_lists_are_coalesced(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	for (int i = 0; i < 5; i++) {
		bus_put_user_in(&f->roomd.batch, &(struct ev_user_in){.room = STR("main"),
								      .user = STR("zoe"),
								      .version = ++f->versions});
		bus_put_user_out(&f->roomd.batch, &(struct ev_user_out){.room = STR("main"),
									.user = STR("zoe"),
									.version = ++f->versions});
	}
	send(f, &f->roomd);
	assert_string_equal(events(f, 0),
			    "userJoin userLeave userJoin userLeave userJoin userLeave "
			    "userJoin userLeave userJoin userLeave activeUsers");
	come(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "");
	come(f, "yan", ++f->versions);
	assert_string_equal(events(f, 0), "");
	tick(f, 250);
	assert_string_equal(events(f, 0), "userJoin userJoin activeUsers");

	/* Who comes is seen before what they say. */
	come(f, "xia", ++f->versions);
	assert_string_equal(events(f, 0), "");
	store(f, 0, 4, STR("xia"));
	assert_string_equal(events(f, 0), "userJoin updateChat");
	tick(f, 250);
	assert_string_equal(events(f, 0), "activeUsers");

	come(f, "wim", f->versions + 2); /* one was lost */
	assert_int_equal(f->out.op_count, 0);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_presence_ask), 1);
}

/* Two come while a third is told nothing yet: the list of the second holds the first, so only the
 * second is news to the first, and neither hears of oneself. */
static void test_who_is_greeted_meanwhile_hears_only_what_is_new(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	come(f, "zoe", ++f->versions);
	assert_string_equal(events(f, 0), "userJoin activeUsers");
	say(f, 1, "{\"event\":\"userJoin\",\"data\":{\"username\":\"bob\",\"room\":\"main\"}}");
	admit(f, "bob", 3);
	assert_string_equal(events(f, 1), "activeUsers msgHistory");
	say(f, 2, "{\"event\":\"userJoin\",\"data\":{\"username\":\"cyd\",\"room\":\"main\"}}");
	admit(f, "cyd", 3);
	assert_string_equal(events(f, 2), "activeUsers msgHistory");
	assert_string_equal(events(f, 0), "");
	tick(f, 250);
	assert_string_equal(events(f, 0), "userJoin userJoin activeUsers");
	assert_string_equal(events(f, 1), "userJoin activeUsers");
	assert_string_equal(events(f, 2), "");
}

static void test_a_members_round_names_exactly_who_is_here(void **state)
{
	struct fixture *f = *state;
	struct bus_event ev;
	join(f, 0, "ann");
	join(f, 1, "bob");
	begin(f);
	gateway_disconnect(f->gateway, f->now_ms, f->client[1], &f->out);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_leave), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_release), 1);
	bus_put_members_ask(&f->roomd.batch, &(struct ev_members_ask){.gateway = 4, .round = 8});
	send(f, &f->roomd);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_user), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_member_room), 1);
	assert_true(bus_find(&f->out.roomd[0], EV_members_end, 0, &ev));
	assert_int_equal(ev.as.members_end.round, 8);
}

static void test_bad_input_gets_its_code(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *frame, *answer;
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
		assert_string_equal(events(f, 0), rows[i].answer);
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

static void test_a_taken_name_is_refused(void **state)
{
	struct fixture *f = *state;
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	bus_put_claim_answer(&f->roomd.batch, &(struct ev_claim_answer){.gateway = 4,
									.user = STR("ann"),
									.status = ERR_NAME_TAKEN});
	send(f, &f->roomd);
	assert_string_equal(events(f, 0), "error:name_taken");
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"amy\",\"room\":\"main\"}}");
	admit(f, "amy", 0);
	assert_string_equal(events(f, 0), "ack activeUsers msgHistory");
}

static void test_silent_clients_are_closed(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	gateway_heard(f->gateway, f->now_ms, f->client[0]);
	tick(f, 25000);
	assert_in_range(count_ops(f, CLIENT_PING, 0), 1, 3);
	tick(f, 4700);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_NO_JOIN),
			 2); /* the two who never joined */
	tick(f, 15300);
	assert_in_range(count_ops(f, CLIENT_CLOSE, CLOSE_SILENT), 1, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_gateway, close_gateway)
	const struct CMUnitTest tests[] = {
		TEST(test_a_message_is_acked_in_its_place_and_delivered),
		TEST(test_a_gap_is_filled_from_historyd),
		TEST(test_a_post_is_repeated_and_given_up_within_5_s),
		TEST(test_a_blocked_reader_waits_and_catches_up),
		TEST(test_who_comes_and_goes_is_told_and_lists_are_coalesced),
		TEST(test_who_is_greeted_meanwhile_hears_only_what_is_new),
		TEST(test_a_members_round_names_exactly_who_is_here),
		TEST(test_bad_input_gets_its_code),
		TEST(test_a_taken_name_is_refused),
		TEST(test_silent_clients_are_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
