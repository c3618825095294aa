// SPDX-License-Identifier: MIT
/* test_historyd_order.c — a gateway's posts are stored in the order in which it published them:
 * after one that is not taken, for whatever reason, none is, until the gateway begins again. */
#include "tests/unit/test_historyd.h"

#include <stdio.h>

/* Posts with these cids, one letter each, as one message of gateway 1. */
static void send_posts(struct rig *r, const char *cids)
{
	for (; *cids; cids++) {
		const char cid[2] = {*cids, '\0'};
		rig_post(r, (uint64_t)*cids, "main", "ann", cid, "x");
	}
	rig_step(r);
}

/* "abc": the cids that were stored or found stored, "!" for each request to begin again. */
static const char *taken(struct rig *r, enum err expected)
{
	static char text[64];
	size_t len = 0;
	const char *said = rig_flush(r, expected);
	for (; *said; said = strchr(said, '\n') + 1) {
		unsigned req = 0;
		if (sscanf(said, "stored g1 %u", &req) == 1 ||
		    sscanf(said, "repeat g1 %u", &req) == 1)
			text[len++] = (char)req;
		else if (strncmp(said, "ask g1\n", 7) == 0)
			text[len++] = '!';
		else
			fail_msg("said %s", said);
	}
	text[len] = '\0';
	return text;
}

static void lose(struct rig *r)
{
	r->link_seq++;
}

static void begin_again(struct rig *r, const char *cids)
{
	rig_begin(r);
	send_posts(r, cids);
}

static void test_loss_in_the_middle(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	send_posts(r, "a");
	lose(r); /* b */
	send_posts(r, "c");
	assert_string_equal(taken(r, ERR_OK), "a!");
	send_posts(r, "d");
	send_posts(r, "c"); /* a repetition whose time has come */
	assert_string_equal(taken(r, ERR_OK), "");
	assert_int_equal(rig_stats(r).messages_left_total, 3);
	begin_again(r, "bcd");
	send_posts(r, "e");
	assert_string_equal(taken(r, ERR_OK), "bcde");
	rig_free(r);
}

/* One batch goes out in several envelopes; the first of them, with the beginning, is lost. */
static void test_first_envelope_of_a_batch_lost(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	lose(r); /* ab */
	send_posts(r, "cd");
	assert_string_equal(taken(r, ERR_OK), "!");
	lose(r); /* that it begins again, and ab */
	send_posts(r, "cde");
	r->now_ms += 1000;
	send_posts(r, "f");
	assert_string_equal(taken(r, ERR_OK), "!");
	begin_again(r, "ab");
	send_posts(r, "cdef");
	assert_string_equal(taken(r, ERR_OK), "abcdef");
	rig_free(r);
}

/* Loss after the beginning in the same turn: what the beginning allowed is stopped again. */
static void test_loss_behind_the_beginning(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	lose(r);
	begin_again(r, "ab");
	lose(r); /* c */
	send_posts(r, "d");
	assert_string_equal(taken(r, ERR_OK), "ab!");
	begin_again(r, "cd");
	assert_string_equal(taken(r, ERR_OK), "cd");
	rig_free(r);
}

static void test_killed_between_turns(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	send_posts(r, "ab");
	assert_string_equal(taken(r, ERR_OK), "ab");
	send_posts(r, "cd"); /* killed before the commit */
	historyd_close(r->h);
	store_memory_crash(r->memory);
	r->h = historyd_open(&(struct historyd_options){.seed = 7, .rooms_max = 10}, r->store);
	send_posts(r, "e"); /* the gateway has not heard of it yet */
	assert_string_equal(taken(r, ERR_OK), "!");
	begin_again(r, "bcde"); /* nor that b is stored */
	assert_string_equal(taken(r, ERR_OK), "bcde");
	rig_free(r);
}

static void test_commit_fails(void **state)
{
	(void)state;
	for (int is_applied = 0; is_applied <= 1; is_applied++) {
		struct rig *r = rig_new(RIG_ROOMS);
		store_memory_fail_commit(r->memory, 1, is_applied);
		send_posts(r, "ab");
		assert_string_equal(taken(r, ERR_UNAVAILABLE), "!");
		send_posts(r, "c");
		assert_string_equal(taken(r, ERR_OK), "");
		begin_again(r, "abc");
		assert_string_equal(taken(r, ERR_OK), "abc");
		rig_free(r);
	}
}

static void test_not_writable_for_a_while(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	send_posts(r, "a");
	assert_string_equal(taken(r, ERR_OK), "a");
	historyd_set_writable(r->h, false);
	begin_again(r, "b"); /* cannot be heard now: what follows would not be taken */
	assert_string_equal(taken(r, ERR_OK), "");
	historyd_set_writable(r->h, true);
	send_posts(r, "c");
	assert_string_equal(taken(r, ERR_OK), "!");
	begin_again(r, "bc");
	assert_string_equal(taken(r, ERR_OK), "bc");
	rig_free(r);
}

/* A post that cannot be decided because of the disk stops its room, and no other. */
static void test_unreadable_for_one_post(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 1, "side", "ann", "s", "x");
	send_posts(r, "a");
	rig_flush(r, ERR_OK);
	store_memory_set_unreadable(r->memory, true);
	send_posts(r, "b");
	store_memory_set_unreadable(r->memory, false);
	rig_post(r, 2, "side", "ann", "t", "x");
	send_posts(r, "c");
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 2 side#2@1000 ann/t: x\nask g1\n");
	begin_again(r, "bc");
	assert_string_equal(taken(r, ERR_OK), "bc");
	rig_free(r);
}

/* More rooms than it remembers: then the whole gateway stops. */
static void test_many_rooms_unreadable(void **state)
{
	(void)state;
	struct rig *r = rig_new(1);
	store_memory_set_unreadable(r->memory, true);
	for (char room[] = "room-a"; room[5] <= 'z'; room[5]++)
		rig_post(r, 1, room, "ann", "1", "x");
	rig_step(r);
	store_memory_set_unreadable(r->memory, false);
	send_posts(r, "a");
	assert_string_equal(taken(r, ERR_OK), "!");
	begin_again(r, "a");
	assert_string_equal(taken(r, ERR_OK), "a");
	rig_free(r);
}

static void test_a_message_that_breaks_off(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 'a', "main", "ann", "a", "x");
	BUF_LIT(&r->events.bytes, "\xc1");
	rig_post(r, 'b', "main", "ann", "b", "x");
	rig_step(r);
	send_posts(r, "c");
	assert_string_equal(taken(r, ERR_OK), "a!");
	begin_again(r, "bc");
	assert_string_equal(taken(r, ERR_OK), "bc");
	rig_free(r);
}

/* The request is lost, or what answers it. */
static void test_asks_again(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	lose(r);
	send_posts(r, "b");
	assert_string_equal(taken(r, ERR_OK), "!");
	size_t asked = 0;
	for (int ms = 0; ms < 1000; ms += 10) {
		r->now_ms += 10;
		rig_step(r); /* any word of the gateway */
		asked += *taken(r, ERR_OK) == '!';
	}
	assert_int_equal(asked, 4);
	begin_again(r, "ab");
	assert_string_equal(taken(r, ERR_OK), "ab");
	r->now_ms += 1000;
	rig_step(r);
	assert_string_equal(taken(r, ERR_OK), "");
	rig_free(r);
}

/* Before its first post, so that this need not wait. */
static void test_asks_at_the_first_heartbeat(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	bus_put_heartbeat(&r->events, &(struct ev_heartbeat){.ready = 1});
	historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source,
		      rig_message(r, SERVICE_GATEWAY, 2, 1));
	assert_string_equal(rig_flush(r, ERR_OK), "ask g2\n");
	rig_free(r);
}

/* A gateway of an earlier version does not know of beginnings. */
static void test_older_gateway(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	for (uint64_t seq = 2; seq <= 6; seq += 2) { /* each time one is lost */
		rig_post(r, seq, "main", "ann", "a", "x");
		struct str message = rig_message(r, SERVICE_GATEWAY, 1, seq);
		assert_int_equal(message.ptr[2], BUS_MINOR);
		r->message.ptr[2] = 0;
		historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source, message);
	}
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 2 main#1@1000 ann/a: x\n"
						  "repeat g1 4 main#1@1000\n"
						  "repeat g1 6 main#1@1000\n");
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loss_in_the_middle),
		cmocka_unit_test(test_first_envelope_of_a_batch_lost),
		cmocka_unit_test(test_loss_behind_the_beginning),
		cmocka_unit_test(test_killed_between_turns),
		cmocka_unit_test(test_commit_fails),
		cmocka_unit_test(test_not_writable_for_a_while),
		cmocka_unit_test(test_unreadable_for_one_post),
		cmocka_unit_test(test_many_rooms_unreadable),
		cmocka_unit_test(test_a_message_that_breaks_off),
		cmocka_unit_test(test_asks_again),
		cmocka_unit_test(test_asks_at_the_first_heartbeat),
		cmocka_unit_test(test_older_gateway),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
