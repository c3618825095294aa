// SPDX-License-Identifier: MIT
/* test_historyd.c — posts: their order, their acks, repeats, and what happens when the disk
 * refuses. */
#include "tests/unit/test_historyd.h"

#include <stdio.h>

static void test_order_and_time(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 5, "main", "ann", "a1", "hi");
	rig_post(r, 6, "main", "bob", "b1", "ho");
	rig_post(r, 7, "side", "ann", "a1", "");
	rig_step(r);
	r->now_ms = RIG_START_MS - 100; /* the clock was set back */
	rig_post(r, 8, "main", "ann", "a2", "again");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 5 main#1@1000 ann/a1: hi\n"
						  "stored g1 6 main#2@1000 bob/b1: ho\n"
						  "stored g1 7 side#1@1000 ann/a1: \n"
						  "stored g1 8 main#3@1000 ann/a2: again\n");
	r->now_ms = RIG_START_MS + 1;
	rig_restart(r);
	rig_post(r, 9, "main", "ann", "a3", "later");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 9 main#4@1001 ann/a3: later\n");
	assert_string_equal(rig_flush(r, ERR_OK), "");
	rig_free(r);
}

static void test_group_commit(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	for (uint64_t i = 0; i < 100; i++) {
		char cid[8];
		snprintf(cid, sizeof cid, "%u", (unsigned)i);
		rig_post(r, i, "main", "ann", cid, "x");
		if (i % 10 == 9)
			rig_step(r);
	}
	const struct ev_page_ask all = {.room = STR("main"), .limit = 200};
	assert_string_equal(rig_page(r, &all), "page 0 main ok head=0:\n");
	assert_int_equal(store_memory_commits(r->memory), 0);
	assert_int_equal(rig_stats(r).messages_stored_total, 0);
	rig_flush(r, ERR_OK);
	assert_int_equal(store_memory_commits(r->memory), 1);
	assert_int_equal(rig_stats(r).messages_stored_total, 100);
	assert_int_equal(rig_stats(r).commits, 1);

	/* Nothing new to keep: no commit, but an ack all the same. */
	rig_post(r, 200, "main", "ann", "7", "x");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "repeat g1 200 main#8@1000\n");
	assert_int_equal(store_memory_commits(r->memory), 1);
	rig_free(r);
}

/* A turn whose commit never happens leaves nothing behind. */
static void test_crash_before_flush(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 1, "main", "ann", "a1", "lost");
	rig_step(r);
	rig_restart(r);
	rig_post(r, 2, "main", "ann", "a1", "kept");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 2 main#1@1000 ann/a1: kept\n");
	rig_free(r);
}

enum between { SAME_TURN, NEXT_TURN, RESTART, EVICTION };

static void test_repeats(void **state)
{
	(void)state;
	const enum between rows[] = {SAME_TURN, NEXT_TURN, RESTART, EVICTION};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new(1);
		rig_post(r, 1, "main", "ann", "a1", "hi");
		rig_step(r);
		if (rows[i] != SAME_TURN)
			rig_flush(r, ERR_OK);
		if (rows[i] == RESTART)
			rig_restart(r);
		if (rows[i] == EVICTION) {
			rig_post(r, 2, "other", "ann", "a1", "hi");
			rig_step(r);
			rig_flush(r, ERR_OK);
			assert_int_equal(rig_stats(r).rooms_in_memory, 1);
		}
		r->now_ms = 2 * RIG_START_MS;
		rig_post(r, 3, "main", "ann", "a1", "hi once more");
		rig_post(r, 4, "main", "bob", "a1", "another user's cid");
		rig_post(r, 5, "main", "ann", "a", "a shorter cid");
		rig_step(r);
		const char *said = rig_flush(r, ERR_OK);
		if (rows[i] == SAME_TURN)
			said = strchr(said, '\n') + 1;
		assert_string_equal(said, "repeat g1 3 main#1@1000\n"
					  "stored g1 4 main#2@2000 bob/a1: another user's cid\n"
					  "stored g1 5 main#3@2000 ann/a: a shorter cid\n");
		assert_int_equal(rig_stats(r).messages_repeated_total, 1);
		rig_free(r);
	}
}

/* Where one part ends and the next begins is part of a cid's identity. */
static void test_cids_do_not_run_together(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 1, "ab", "c", "d", "1");
	rig_post(r, 2, "a", "bc", "d", "2");
	rig_post(r, 3, "a", "b", "cd", "3");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 1 ab#1@1000 c/d: 1\n"
						  "stored g1 2 a#1@1000 bc/d: 2\n"
						  "stored g1 3 a#2@1000 b/cd: 3\n");
	rig_free(r);
}

static void test_commit_failure(void **state)
{
	(void)state;
	for (int is_applied = 0; is_applied <= 1; is_applied++) {
		struct rig *r = rig_new(RIG_ROOMS);
		rig_post(r, 1, "main", "ann", "a1", "one");
		rig_step(r);
		rig_flush(r, ERR_OK);

		store_memory_fail_commit(r->memory, 1, is_applied);
		rig_post(r, 2, "main", "ann", "a2", "two");
		rig_post(r, 3, "main", "ann", "a1", "one");
		rig_step(r);
		assert_string_equal(rig_flush(r, ERR_UNAVAILABLE), "ask g1\n");
		assert_int_equal(rig_stats(r).commit_failures, 1);
		assert_int_equal(rig_stats(r).rooms_in_memory, 0);
		assert_int_equal(rig_stats(r).messages_stored_total, 1);

		rig_begin(r);
		rig_post(r, 2, "main", "ann", "a2", "two");
		rig_post(r, 4, "main", "ann", "a3", "three");
		rig_step(r);
		assert_string_equal(rig_flush(r, ERR_OK),
				    is_applied ? "repeat g1 2 main#2@1000\n"
						 "stored g1 4 main#3@1000 ann/a3: three\n"
					       : "stored g1 2 main#2@1000 ann/a2: two\n"
						 "stored g1 4 main#3@1000 ann/a3: three\n");
		rig_free(r);
	}
}

/* The failed batch turns out to be on disk only when the store has been opened again, after a turn
 * that has already looked at the room. Its seq must not be given twice. */
static void test_late_surprise_after_failure(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	store_memory_fail_commit(r->memory, 1, false);
	rig_post(r, 1, "main", "ann", "a1", "one");
	rig_step(r);
	rig_flush(r, ERR_UNAVAILABLE);

	const struct ev_room_ask ask = {.room = STR("main")};
	bus_put_room_ask(&r->events, &ask);
	rig_ask(r, 1);
	rig_flush(r, ERR_OK);
	const struct rec_chat late = {1, 1000, STR("ann"), STR("a1"), STR("one")};
	r->store->put_chat(r->store->impl, STR("main"), &late);
	assert_int_equal(r->store->commit(r->store->impl), ERR_OK);

	rig_begin(r);
	rig_post(r, 2, "main", "ann", "a2", "two");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 2 main#2@1000 ann/a2: two\n");
	rig_free(r);
}

/* Each commit in turn fails once; a writer that repeats until it is acked has every message stored
 * once. */
static void test_every_commit_fails_once(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth <= 12; nth++) {
		for (int is_applied = 0; is_applied <= 1; is_applied++) {
			struct rig *r = rig_new(2);
			store_memory_fail_commit(r->memory, nth, is_applied);
			for (uint64_t i = 0; i < 10; i++) {
				char cid[8];
				enum err e;
				snprintf(cid, sizeof cid, "%u", (unsigned)i);
				do {
					rig_begin(r);
					rig_post(r, i, "main", "ann", cid, "x");
					rig_step(r);
					historyd_out_reset(&r->out);
					e = historyd_flush(r->h, r->now_ms, &r->out);
					assert_int_equal(r->out.down.count, 1);
				} while (e != ERR_OK);
			}
			const struct ev_page_ask all = {.room = STR("main"), .limit = 200};
			assert_string_equal(rig_page(r, &all),
					    "page 0 main ok head=10: 1 2 3 4 5 6 7 8 9 10\n");
			rig_free(r);
		}
	}
}

static void test_not_writable(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	historyd_set_writable(r->h, false);
	rig_post(r, 1, "main", "ann", "a1", "one");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "");
	assert_int_equal(store_memory_commits(r->memory), 0);
	historyd_set_writable(r->h, true);
	assert_string_equal(rig_flush(r, ERR_OK), "ask g1\n");
	rig_begin(r);
	rig_post(r, 1, "main", "ann", "a1", "one");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 1 main#1@1000 ann/a1: one\n");
	store_memory_set_full(r->memory, true);
	rig_post(r, 2, "main", "ann", "a2", "two");
	rig_step(r);
	rig_flush(r, ERR_UNAVAILABLE);
	assert_int_equal(rig_stats(r).messages_stored_total, 1);
	rig_free(r);
}

static void test_unreadable(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	store_memory_set_unreadable(r->memory, true);
	rig_post(r, 1, "main", "ann", "a1", "one");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "ask g1\n");
	store_memory_set_unreadable(r->memory, false);
	rig_begin(r);
	rig_post(r, 1, "main", "ann", "a1", "one");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 1 main#1@1000 ann/a1: one\n");
	rig_free(r);
}

static void test_empty_fields(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 1, "", "ann", "a1", "x");
	rig_post(r, 2, "main", "", "a1", "x");
	rig_post(r, 3, "main", "ann", "", "x");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "refused g1 1  bad_field\n"
						  "refused g1 2 main bad_field\n"
						  "refused g1 3 main bad_field\n");
	assert_int_equal(rig_stats(r).messages_refused_total, 3);
	rig_free(r);
}

static void test_eviction_waits_for_the_flush(void **state)
{
	(void)state;
	struct rig *r = rig_new(2);
	const char *const rooms[] = {"a", "b", "c", "d", "a", "b"};
	for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
		char cid[8];
		snprintf(cid, sizeof cid, "%u", (unsigned)i);
		rig_post(r, i, rooms[i], "ann", cid, "x");
	}
	rig_step(r);
	assert_int_equal(rig_stats(r).rooms_in_memory, 4);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 0 a#1@1000 ann/0: x\n"
						  "stored g1 1 b#1@1000 ann/1: x\n"
						  "stored g1 2 c#1@1000 ann/2: x\n"
						  "stored g1 3 d#1@1000 ann/3: x\n"
						  "stored g1 4 a#2@1000 ann/4: x\n"
						  "stored g1 5 b#2@1000 ann/5: x\n");
	assert_int_equal(rig_stats(r).rooms_in_memory, 2);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_time),
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_crash_before_flush),
		cmocka_unit_test(test_repeats),
		cmocka_unit_test(test_cids_do_not_run_together),
		cmocka_unit_test(test_commit_failure),
		cmocka_unit_test(test_late_surprise_after_failure),
		cmocka_unit_test(test_every_commit_fails_once),
		cmocka_unit_test(test_not_writable),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_empty_fields),
		cmocka_unit_test(test_eviction_waits_for_the_flush),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
