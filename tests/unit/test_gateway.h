// SPDX-License-Identifier: MIT
/* test_gateway.h — what the tests of the gateway's core share: a core with three clients, whose
 * roomd and historyd are the test, and what a client hears as a line of text. The
 * core's invariants are checked before and after each flush. */
#ifndef PARLOR_TESTS_TEST_GATEWAY_H
#define PARLOR_TESTS_TEST_GATEWAY_H

#include "gateway/core/gateway.h"
#include "tests/support/bus_peer.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum {
	CLIENTS = 3,
	GATEWAY_ID = 4,
	ANOTHER_GATEWAY = 5,
	GATEWAY_EPOCH = 9,
	PEER_EPOCH = 5,
	START_MS = 1000,
	HEAD = 3,       /* messages that main has before anybody joins */
	STORED_MS = 77, /* when each message was stored */

	/* As gateway_options_default and core/state.h have them. */
	RETRY_MS = 960,
	ANNOUNCE_MS = 250,
	JOIN_MS = 30000,
	STALL_MS = 30000,
	PING_MS = 25000,
	PONG_MS = 20000,

	SETTLED_MS = ANNOUNCE_MS + 50, /* all is told of who came and went */
	LOOK_MS = 100,
	PATIENCE_MS = 10000,
};

struct fixture {
	struct gateway *gateway;
	struct gateway_out out;
	struct bus_peer roomd, historyd, pages;
	struct session *client[CLIENTS];
	int handle[CLIENTS]; /* their addresses are the shell's `conn` */
	uint64_t now_ms, versions;
	char events[512]; /* of the last call of that name */
};

static inline const struct gateway_stats *stats(struct fixture *f)
{
	return gateway_stats(f->gateway);
}

static inline void begin(struct fixture *f)
{
	gateway_out_reset(&f->out);
}

static inline void flush(struct fixture *f)
{
	gateway_check(f->gateway);
	(void)gateway_flush(f->gateway, f->now_ms, &f->out);
	gateway_check(f->gateway);
}

static inline void say(struct fixture *f, size_t client, const char *frame)
{
	begin(f);
	gateway_frame(f->gateway, f->now_ms, f->client[client], str_from(frame), &f->out);
	flush(f);
}

static inline void send(struct fixture *f, struct bus_peer *from)
{
	begin(f);
	const struct bus_source source = bus_peer_source(from);
	gateway_step(f->gateway, f->now_ms, &source, bus_peer_message(from), &f->out);
	flush(f);
}

static inline void tick(struct fixture *f, uint64_t ms)
{
	f->now_ms += ms;
	begin(f);
	gateway_tick(f->gateway, f->now_ms, &f->out);
	flush(f);
}

/* All text frames for one client, as one JSON array that the caller frees. */
static inline json_t *heard(struct fixture *f, size_t client)
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
			size_t width = len == 126 ? 2 : len == 127 ? 8 : 0;
			for (size_t n = 0; n < width; n++)
				len = (n ? len << 8 : 0) | at[n];
			at += width;
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
static inline const char *events(struct fixture *f, size_t client)
{
	size_t i;
	json_t *frame;
	json_t *all = heard(f, client);
	char *text = f->events;
	text[0] = '\0';
	json_array_foreach(all, i, frame)
	{
		const char *event = json_string_value(json_object_get(frame, "event"));
		const char *code =
			json_string_value(json_object_get(json_object_get(frame, "data"), "code"));
		size_t at = strlen(text);
		snprintf(text + at, sizeof f->events - at, "%s%s%s%s", at ? " " : "", event,
			 code ? ":" : "", code ? code : "");
	}
	json_decref(all);
	return text;
}

/* Time passes until the client is told something; how much. */
static inline uint64_t wait_until_told(struct fixture *f, size_t client)
{
	uint64_t waited_ms = 0;
	for (; !*events(f, client) && waited_ms < PATIENCE_MS; waited_ms += LOOK_MS)
		tick(f, LOOK_MS);
	return waited_ms;
}

/* Bytes of frames for one client. */
static inline size_t sent_bytes(const struct fixture *f, size_t client)
{
	size_t bytes = 0;
	for (size_t i = 0; i < f->out.op_count; i++)
		if (f->out.ops[i].kind == CLIENT_SEND && f->out.ops[i].conn == &f->handle[client])
			bytes += f->out.ops[i].len;
	return bytes;
}

/* Another turn, in which nothing comes in; whether there is more to do. */
static inline bool turn(struct fixture *f)
{
	begin(f);
	return gateway_flush(f->gateway, f->now_ms, &f->out);
}

static inline void block(struct fixture *f, size_t client)
{
	gateway_blocked(f->gateway, f->now_ms, f->client[client]);
}

static inline void unblock(struct fixture *f, size_t client)
{
	begin(f);
	gateway_writable(f->gateway, f->now_ms, f->client[client], &f->out);
	flush(f);
}

static inline size_t count_ops(const struct fixture *f, enum client_op_kind kind, uint16_t code)
{
	size_t count = 0;
	for (size_t i = 0; i < f->out.op_count; i++)
		count += f->out.ops[i].kind == kind && f->out.ops[i].code == code;
	return count;
}

/* A core with these options whose roomd and historyd are ready, and nobody connected. */
static inline struct fixture *open_core(const struct gateway_options *options)
{
	struct fixture *f = mem_alloc(sizeof *f);
	f->now_ms = START_MS;
	f->gateway = gateway_open(options, f->now_ms);
	f->roomd.self = (struct envelope){.from = SERVICE_ROOMD, .epoch = PEER_EPOCH};
	f->historyd.self = (struct envelope){.from = SERVICE_HISTORYD, .epoch = PEER_EPOCH};
	f->pages.self = f->historyd.self;
	f->pages.is_answering = true;
	bus_put_heartbeat(&f->roomd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->roomd);
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->historyd);
	return f;
}

static inline struct gateway_options test_options(void)
{
	struct gateway_options o;
	gateway_options_default(&o);
	o.id = GATEWAY_ID;
	o.epoch = GATEWAY_EPOCH;
	return o;
}

static inline int open_gateway_as(void **state, const struct gateway_options *options)
{
	struct fixture *f = open_core(options);
	for (size_t i = 0; i < CLIENTS; i++)
		f->client[i] =
			gateway_connect(f->gateway, f->now_ms, &f->handle[i], WIRE_NATIVE, false);
	*state = f;
	return 0;
}

static inline int open_gateway(void **state)
{
	const struct gateway_options o = test_options();
	return open_gateway_as(state, &o);
}

static inline int open_unlimited(void **state)
{
	struct gateway_options o = test_options();
	o.rate = 0;
	return open_gateway_as(state, &o);
}

static inline int close_gateway(void **state)
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
static inline void admit(struct fixture *f, const char *user, uint64_t head)
{
	struct bus_event ev;
	struct str name = str_from(user);
	uint64_t page = bus_find(&f->out.read[0], EV_page_ask, 0, &ev) ? ev.as.page_ask.req : 0;
	if (bus_find(&f->out.roomd[0], EV_claim, 0, &ev)) {
		bus_put_claim_answer(&f->roomd.batch,
				     &(struct ev_claim_answer){.gateway = GATEWAY_ID,
							       .user = name,
							       .key = ev.as.claim.key});
		send(f, &f->roomd);
	}
	assert_int_equal(bus_count(&f->out.roomd[0], EV_join), 1);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_presence_ask), page != 0);
	f->versions++;
	bus_put_user_in(
		&f->roomd.batch,
		&(struct ev_user_in){.room = STR("main"), .user = name, .version = f->versions});
	bus_put_join_answer(&f->roomd.batch, &(struct ev_join_answer){.gateway = GATEWAY_ID,
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
		&(struct ev_presence){.gateway = GATEWAY_ID,
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

static inline void join(struct fixture *f, size_t client, const char *user)
{
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"%s\",\"room\":\"main\"}"
		 "}",
		 user);
	say(f, client, frame);
	admit(f, user, HEAD);
	assert_string_equal(events(f, client), "ack activeUsers msgHistory");
	tick(f, SETTLED_MS);
}

static const char post[] = "{\"event\":\"updateChat\",\"id\":2,\"data\":{\"room\":\"main\","
			   "\"body\":\"hi\",\"cid\":\"k\"}}";

static inline void store(struct fixture *f, uint64_t req, uint64_t seq, struct str user)
{
	bus_put_chat_stored(&f->historyd.batch, &(struct ev_chat_stored){.gateway = GATEWAY_ID,
									 .req = req,
									 .room = STR("main"),
									 .seq = seq,
									 .time = STORED_MS,
									 .user = user,
									 .cid = STR("k"),
									 .body = STR("hi")});
	send(f, &f->historyd);
}

/* The number of the post that is in the outbox. */
static inline uint64_t posted(struct fixture *f)
{
	struct bus_event ev;
	assert_true(bus_find(&f->out.historyd[0], EV_chat_post, 0, &ev));
	assert_true(str_equal(ev.as.chat_post.cid, STR("k")));
	return ev.as.chat_post.req;
}

#define TEST_UNLIMITED(name) cmocka_unit_test_setup_teardown(name, open_unlimited, close_gateway)
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_gateway, close_gateway)

#endif
