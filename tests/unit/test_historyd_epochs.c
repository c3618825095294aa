// SPDX-License-Identifier: MIT
/* test_historyd_epochs.c — an older copy of the data put in the place of what clients have seen:
 * each start has its epoch, a room remembers them, and whoever comes with a seq that does not stand
 * here any more is told to begin anew. */
#include "tests/unit/test_historyd.h"

#include <stdio.h>

static void start(struct rig *r, uint64_t epoch)
{
	r->epoch = epoch;
	rig_restart(r);
}

static void write_some(struct rig *r, const char *room, unsigned count)
{
	static unsigned cids;
	for (unsigned i = 0; i < count; i++) {
		char cid[16];
		snprintf(cid, sizeof cid, "c%u", ++cids);
		rig_post(r, 0, room, "ann", cid, "x");
	}
	rig_step(r);
	(void)rig_flush(r, ERR_OK);
}

/* The room's epochs as "epoch@first …". */
static const char *epochs(struct rig *r, const char *room)
{
	static char text[1024];
	size_t len = 0;
	struct store_room facts;
	struct buf space = {0};
	assert_int_equal(r->store->facts(r->store->impl, str_from(room), &space, &facts), ERR_OK);
	text[0] = '\0';
	for (uint32_t i = 0; i < facts.epoch_count; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "%u@%u ",
					(unsigned)facts.epochs[i].epoch,
					(unsigned)facts.epochs[i].first);
	buf_free(&space);
	return text;
}

static const char *ask(struct rig *r, uint64_t epoch, uint64_t after)
{
	const struct ev_page_ask question = {
		.room = STR("main"), .after = after, .limit = 3, .epoch = epoch, .may_reset = 1};
	return rig_page(r, &question);
}

static void test_rooms_remember_epochs(void **state)
{
	(void)state;
	struct rig *r = rig_new(1); /* logs are put away all the time */
	write_some(r, "main", 2);
	assert_string_equal(epochs(r, "main"), ""); /* a start that has none, as of old */
	start(r, 7);
	write_some(r, "main", 3);
	write_some(r, "other", 1);
	write_some(r, "main", 1);
	assert_string_equal(epochs(r, "main"), "7@3 ");
	assert_string_equal(epochs(r, "other"), "7@1 ");
	start(r, 5);
	start(r, 6);
	rig_post(r, 0, "main", "bob", "b1", "x"); /* a new author in the same turn */
	rig_post(r, 0, "main", "cid", "b2", "x");
	rig_step(r);
	(void)rig_flush(r, ERR_OK);
	assert_string_equal(epochs(r, "main"), "7@3 6@7 ");
	assert_string_equal(epochs(r, "other"), "7@1 ");

	for (uint64_t epoch = 100; epoch < 100 + EPOCHS_MAX; epoch++) {
		start(r, epoch);
		write_some(r, "main", 1);
	}
	const char *text = epochs(r, "main");
	assert_true(strncmp(text, "100@9 101@10 ", 13) == 0);
	assert_non_null(strstr(text, "131@40 "));
	rig_free(r);
}

/* A commit that fails leaves no epoch behind. */
static void test_epoch_of_a_commit_that_failed(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	start(r, 7);
	store_memory_fail_commit(r->memory, 1, false);
	rig_post(r, 0, "main", "ann", "a1", "x");
	rig_step(r);
	(void)rig_flush(r, ERR_UNAVAILABLE);
	assert_string_equal(epochs(r, "main"), "");
	rig_begin(r);
	write_some(r, "main", 1);
	assert_string_equal(epochs(r, "main"), "7@1 ");
	rig_free(r);
}

static void test_who_begins_anew(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	write_some(r, "main", 2); /* 1, 2 in no epoch */
	start(r, 7);
	write_some(r, "main", 3); /* 3 to 5 */
	start(r, 8);
	write_some(r, "main", 4); /* 6 to 9 */
	assert_string_equal(ask(r, 8, 7), "page 0 main ok head=9: 8 9\n");
	assert_string_equal(ask(r, 8, 9), "page 0 main ok head=9:\n");
	assert_string_equal(ask(r, 7, 5), "page 0 main ok head=9 more: 6 7 8\n");
	assert_string_equal(ask(r, 7, 4), "page 0 main ok head=9 more: 5 6 7\n");
	assert_string_equal(ask(r, 0, 2), "page 0 main ok head=9 more: 3 4 5\n");
	assert_string_equal(ask(r, 0, 9), "page 0 main ok head=9:\n");
	assert_string_equal(ask(r, 99, 0), "page 0 main ok head=9 more: 1 2 3\n"); /* saw nothing */

	assert_string_equal(ask(r, 8, 10), "page 0 main ok head=9 more reset: 7 8 9\n");
	assert_string_equal(ask(r, 7, 6), "page 0 main ok head=9 more reset: 7 8 9\n");
	assert_string_equal(ask(r, 99, 1), "page 0 main ok head=9 more reset: 7 8 9\n");
	assert_string_equal(ask(r, 0, 10), "page 0 main ok head=9 more reset: 7 8 9\n");
	assert_string_equal(ask(r, 0, UINT64_MAX), "page 0 main ok head=9 more reset: 7 8 9\n");

	/* Who does not say that it can take it gets what it always got. */
	const struct ev_page_ask old = {.room = STR("main"), .after = 10, .limit = 3};
	assert_string_equal(rig_page(r, &old), "page 0 main ok head=9:\n");
	rig_free(r);
}

/* With the seqs raised, what a client has lies between the end of an epoch and the next one. */
static void test_who_begins_anew_below_raised_seqs(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	start(r, 7);
	write_some(r, "main", 3);
	struct store_memory *copy = store_memory_copy(r->memory);
	write_some(r, "main", 2); /* 4 and 5 will be gone */
	historyd_close(r->h);
	r->h = NULL;
	store_memory_put_back(r->memory, copy, true);
	r->restores = store_memory_restores(r->memory);
	start(r, 8);
	assert_string_equal(ask(r, 7, 5), "page 0 main ok head=3 reset: 1 2 3\n");
	assert_string_equal(ask(r, 7, 3), "page 0 main ok head=3:\n");
	write_some(r, "main", 1);
	assert_string_equal(epochs(r, "main"), "7@1 8@8196 ");
	assert_string_equal(ask(r, 7, 5), "page 0 main ok head=8196 more reset: 2 3 8196\n");
	assert_string_equal(ask(r, 7, 3), "page 0 main ok head=8196: 8196\n");
	assert_string_equal(ask(r, 8, 8196), "page 0 main ok head=8196:\n");
	rig_free(r);
}

/* Nothing of the room is in the copy. */
static void test_a_room_that_is_gone(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	start(r, 7);
	assert_string_equal(ask(r, 5, 9), "page 0 main ok head=0 reset:\n");
	assert_string_equal(ask(r, 0, 9), "page 0 main ok head=0 reset:\n");
	assert_string_equal(ask(r, 0, 0), "page 0 main ok head=0:\n");
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rooms_remember_epochs),
		cmocka_unit_test(test_epoch_of_a_commit_that_failed),
		cmocka_unit_test(test_who_begins_anew),
		cmocka_unit_test(test_who_begins_anew_below_raised_seqs),
		cmocka_unit_test(test_a_room_that_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
