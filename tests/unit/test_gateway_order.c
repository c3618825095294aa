// SPDX-License-Identifier: MIT
/* test_gateway_order.c — posts are published, published again and given up in the order in which
 * clients sent them. */
#include "tests/unit/test_gateway.h"

enum { PUBLISHED_A_TURN = 1000, GIVEN_UP_MS = 4800, IN_FLIGHT = 1000 };

static void write_in(struct fixture *f, size_t client, const char *room, const char *cid)
{
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"updateChat\",\"id\":%d,\"data\":{\"room\":\"%s\",\"body\":\"hi\","
		 "\"cid\":\"%s\"}}",
		 cid[0], room, cid);
	say(f, client, frame);
}

static void write_one(struct fixture *f, size_t client, const char *cid)
{
	write_in(f, client, "main", cid);
}

/* The cids that are going out to historyd, "|" for posts_begin. */
static const char *published(struct fixture *f)
{
	static char text[64 * 1024];
	const struct batch *b = &f->out.historyd[0];
	struct bus_event ev;
	size_t begins = bus_count(b, EV_posts_begin);
	size_t len = 0;
	assert_in_range(begins, 0, 1);
	/* It stands where it should, or the text below is not what was sent. */
	if (begins) {
		assert_true(bus_find(b, EV_posts_begin, 0, &ev));
		uint64_t first = ev.as.posts_begin.first;
		text[len++] = '|';
		if (bus_find(b, EV_chat_post, 0, &ev))
			assert_int_equal(ev.as.chat_post.req, first);
		else
			assert_int_equal(first, 0);
	}
	for (size_t i = 0; bus_find(b, EV_chat_post, i, &ev); i++) {
		struct str cid = ev.as.chat_post.cid;
		memcpy(text + len, cid.ptr, cid.len);
		len += cid.len;
	}
	text[len] = '\0';
	return text;
}

static void ask(struct fixture *f)
{
	bus_put_posts_ask(&f->historyd.batch, &(struct ev_posts_ask){.gateway = GATEWAY_ID});
	send(f, &f->historyd);
}

static void lose_one(struct fixture *f)
{
	f->historyd.self.seq++;
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
}

static void test_again_in_their_order(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	write_one(f, 0, "a");
	tick(f, 500);
	write_one(f, 1, "b");
	tick(f, 500);
	assert_string_equal(published(f), "a"); /* its time has come */
	write_one(f, 0, "c");
	ask(f);
	assert_string_equal(published(f), "|abc");
	struct bus_event ev;
	assert_true(bus_find(&f->out.historyd[0], EV_chat_post, 1, &ev));
	bus_put_chat_refused(&f->historyd.batch,
			     &(struct ev_chat_refused){.gateway = GATEWAY_ID,
						       .req = ev.as.chat_post.req,
						       .room = STR("main"),
						       .status = ERR_FORBIDDEN});
	send(f, &f->historyd);
	lose_one(f);
	send(f, &f->historyd);
	assert_string_equal(published(f), "|ac");
	f->historyd.self.epoch++;
	f->historyd.self.seq = 0;
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->historyd);
	assert_string_equal(published(f), "|ac");
}

static void test_nothing_to_send_again(void **state)
{
	struct fixture *f = *state;
	ask(f);
	assert_string_equal(published(f), "|");
	bus_put_posts_ask(&f->historyd.batch, &(struct ev_posts_ask){.gateway = ANOTHER_GATEWAY});
	send(f, &f->historyd);
	assert_string_equal(published(f), "");
}

/* It takes posts as they come, and would count a beginning as unknown. */
static void test_older_historyd(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	write_one(f, 0, "a");
	tick(f, RETRY_MS);
	assert_string_equal(published(f), "a");
	write_one(f, 0, "b");
	lose_one(f);
	struct str message = bus_peer_message(&f->historyd);
	assert_int_equal(message.ptr[2], BUS_MINOR);
	f->historyd.message.ptr[2] = 0;
	begin(f);
	const struct bus_source source = bus_peer_source(&f->historyd);
	gateway_step(f->gateway, f->now_ms, &source, message, &f->out);
	flush(f);
	assert_string_equal(published(f), "ab");
}

static int open_for_many(void **state)
{
	struct gateway_options o = test_options();
	o.rate = 0;
	o.in_flight_max = IN_FLIGHT;
	return open_gateway_as(state, &o);
}

/* What a turn publishes again is bounded; new posts and repetitions wait for what is left. */
static void test_new_ones_wait(void **state)
{
	struct fixture *f = *state;
	static const size_t sizes[] = {200, 100, 100};
	static char all[64 * 1024];
	size_t count = 0;
	join(f, 0, "ann");
	join(f, 1, "bob");
	join(f, 2, "eve");
	for (size_t wave = 0; wave < ARRAY_LEN(sizes); wave++) {
		for (size_t i = 0; i < sizes[wave] * CLIENTS; i++) {
			char cid[8];
			snprintf(cid, sizeof cid, "%zu.", count++);
			write_one(f, i % CLIENTS, cid);
			strcat(all, cid);
		}
		if (wave + 1 < ARRAY_LEN(sizes))
			tick(f, 2000);
	}
	assert_true(count > PUBLISHED_A_TURN);
	f->now_ms += 700; /* so that repetitions are due … */
	lose_one(f);
	send(f, &f->historyd); /* … while all is to be published again */
	const char *some = published(f);
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), PUBLISHED_A_TURN);
	assert_memory_equal(some + 1, all, strlen(some + 1));
	const char *rest = all + strlen(some + 1);
	write_one(f, 0, "new");
	assert_string_equal(published(f), "");
	assert_true(gateway_next_due(f->gateway) <= f->now_ms);
	tick(f, 0);
	strcat(all, "new");
	assert_string_equal(published(f), rest);
	write_one(f, 0, "now");
	assert_string_equal(published(f), "now");
}

static void join_side(struct fixture *f, size_t client, const char *user)
{
	struct bus_event ev;
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"userJoin\",\"data\":{\"username\":\"%s\",\"room\":\"side\"}}", user);
	say(f, client, frame);
	assert_true(bus_find(&f->out.read[0], EV_page_ask, 0, &ev));
	bus_put_page(&f->pages.batch,
		     &(struct ev_page){.req = ev.as.page_ask.req, .room = STR("side")});
	bus_put_join_answer(&f->roomd.batch, &(struct ev_join_answer){.gateway = GATEWAY_ID,
								      .room = STR("side"),
								      .user = str_from(user)});
	bus_put_presence(
		&f->roomd.batch,
		&(struct ev_presence){.gateway = GATEWAY_ID, .room = STR("side"), .last = 1});
	send(f, &f->roomd);
	send(f, &f->pages);
	tick(f, 300);
}

static void test_later_ones_give_up_too(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join(f, 1, "bob");
	join_side(f, 0, "ann");
	write_one(f, 0, "a");
	tick(f, 1000);
	bus_put_heartbeat(&f->historyd.batch, &(struct ev_heartbeat){.ready = 1});
	send(f, &f->historyd);
	write_one(f, 1, "b");
	write_one(f, 0, "c");
	write_in(f, 0, "side", "d");
	tick(f, GIVEN_UP_MS - 1001);
	assert_string_equal(events(f, 0), "");
	write_one(f, 0, "e");
	assert_string_equal(published(f), "e");
	tick(f, 1);
	json_t *frames = heard(f, 0);
	assert_string_equal(events(f, 0), "error:unavailable error:unavailable error:unavailable");
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			json_integer_value(json_object_get(json_array_get(frames, i), "id")),
			"ace"[i]);
	json_decref(frames);
	assert_string_equal(events(f, 1), "");
	ask(f);
	assert_string_equal(published(f), "|bd");
	write_one(f, 0, "a");
	ask(f);
	assert_string_equal(published(f), "|bda");
	assert_int_equal(stats(f)->posts_unavailable_total, 3);
}

/* Behind a newRoom under way: what stands there has been sent, too. */
static void test_what_waits_gives_up_too(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join_side(f, 0, "ann");
	write_one(f, 0, "a");
	tick(f, 1000);
	say(f, 0,
	    "{\"event\":\"newRoom\",\"id\":1,\"data\":{\"username2\":\"bob\",\"room\":\"den\"}}");
	write_in(f, 0, "den", "x"); /* it waits, and all behind it */
	write_one(f, 0, "b");
	write_in(f, 0, "side", "c");
	assert_string_equal(published(f), "");
	tick(f, GIVEN_UP_MS - 1000);
	assert_string_equal(events(f, 0), "error:unavailable"); /* a */
	write_one(f, 0, "a"); /* comes behind b, which is to fail */
	tick(f, 1000);
	assert_string_equal(
		events(f, 0),
		"error:unavailable error:not_joined error:unavailable error:unavailable");
	assert_string_equal(published(f), "c");
	write_one(f, 0, "d");
	assert_string_equal(published(f), "d");
}

/* It makes no difference that the author leaves the room and comes back in between. */
static void test_what_waits_gives_up_though_its_author_leaves(void **state)
{
	struct fixture *f = *state;
	join(f, 0, "ann");
	join_side(f, 0, "ann");
	write_one(f, 0, "a");
	tick(f, 1000);
	say(f, 0,
	    "{\"event\":\"newRoom\",\"id\":1,\"data\":{\"username2\":\"bob\",\"room\":\"den\"}}");
	write_in(f, 0, "den", "x"); /* it waits, and all behind it */
	say(f, 0, "{\"event\":\"userLeave\",\"id\":2,\"data\":{\"room\":\"main\"}}");
	say(f, 0,
	    "{\"event\":\"userJoin\",\"id\":3,\"data\":{\"username\":\"ann\",\"room\":\"main\"}}");
	write_one(f, 0, "b");
	tick(f, GIVEN_UP_MS - 1000);
	assert_string_equal(events(f, 0), "error:unavailable"); /* a */
	tick(f, 1000); /* newRoom is over; the leave, and the join begins */
	assert_string_equal(events(f, 0), "error:unavailable error:not_joined ack");
	admit(f, "ann", HEAD);
	assert_string_equal(events(f, 0), "ack activeUsers msgHistory error:unavailable"); /* b */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_again_in_their_order),
		TEST(test_nothing_to_send_again),
		TEST(test_older_historyd),
		cmocka_unit_test_setup_teardown(test_new_ones_wait, open_for_many, close_gateway),
		TEST(test_later_ones_give_up_too),
		TEST(test_what_waits_gives_up_too),
		TEST(test_what_waits_gives_up_though_its_author_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
