// SPDX-License-Identifier: MIT
/* test_historyd_questions.c — private rooms and invitations: the rules, and that an answer means
 * stored. */
#include "historyd/inbox.h"
#include "tests/unit/test_historyd.h"

#include <stdio.h>

static void ask_room(struct rig *r, const char *room)
{
	const struct ev_room_ask ev = {.room = str_from(room)};
	bus_put_room_ask(&r->events, &ev);
}

static void put_private(struct rig *r, const char *room, const char *user, const char *user2)
{
	const struct ev_private_put ev = {0, str_from(room), str_from(user), str_from(user2)};
	bus_put_private_put(&r->events, &ev);
}

static void put_invite(struct rig *r, const char *room, const char *user, const char *user2)
{
	const struct ev_invite_put ev = {0, str_from(room), str_from(user), str_from(user2)};
	bus_put_invite_put(&r->events, &ev);
}

static void drop_invite(struct rig *r, const char *room, const char *user2)
{
	const struct ev_invite_drop ev = {0, str_from(room), str_from(user2)};
	bus_put_invite_drop(&r->events, &ev);
}

static void ask_invites(struct rig *r, const char *user2)
{
	const struct ev_invites_ask ev = {.user2 = str_from(user2)};
	bus_put_invites_ask(&r->events, &ev);
}

/* Sends the requests that wait and gives their answers. */
static const char *respond(struct rig *r)
{
	rig_ask(r, 1);
	rig_flush(r, ERR_OK);
	return rig_response(r, 0);
}

/* Each row: who wrote in the room (one letter a message), and what comes of ann and bob making it
 * private. */
static void test_private_by_authors(void **state)
{
	(void)state;
	const struct {
		const char *authors, *status;
	} rows[] = {
		{"", "ok"},           {"a", "ok"},
		{"b", "ok"},          {"ab", "ok"},
		{"ba", "ok"},         {"aabb", "ok"},
		{"c", "room_taken"},  {"ac", "room_taken"},
		{"cb", "room_taken"}, {"abc", "room_taken"},
		{"cd", "room_taken"}, {"abababababc", "room_taken"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows) * 3; i++) {
		size_t row = i / 3;
		struct rig *r = rig_new(RIG_ROOMS);
		uint64_t req = 0;
		for (const char *who = rows[row].authors; *who; who++) {
			const char user[] = {*who, '\0'};
			char cid[8];
			snprintf(cid, sizeof cid, "%u", (unsigned)++req);
			rig_post(r, req, "den", user, cid, "x");
		}
		rig_step(r);
		/* In the same turn, in the next one, and after a restart. */
		if (i % 3 > 0)
			rig_flush(r, ERR_OK);
		if (i % 3 > 1)
			rig_restart(r);
		char expected[64];
		snprintf(expected, sizeof expected, "private den %s\n", rows[row].status);
		put_private(r, "den", "a", "b");
		assert_string_equal(respond(r), expected);
		rig_free(r);
	}
}

static void test_private_stays_private(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	put_private(r, "den", "ann", "bob");
	put_private(r, "den", "ann", "bob");
	put_private(r, "den", "bob", "ann");
	put_private(r, "den", "ann", "eve");
	put_private(r, "den", "ann", "ann");
	put_private(r, "den", "eve", "eve");
	ask_room(r, "den");
	ask_room(r, "main");
	const char *const rules = "private den ok\n"
				  "private den ok\n"
				  "private den ok\n"
				  "private den room_taken\n"
				  "private den room_taken\n"
				  "private den room_taken\n"
				  "facts den ok ann+bob\n"
				  "facts main ok +\n";
	assert_string_equal(respond(r), rules);
	assert_int_equal(store_memory_commits(r->memory), 1);

	for (int restarts = 0; restarts < 2; restarts++) {
		const char *const users[] = {"ann", "eve", "bob"};
		for (size_t i = 0; i < 3; i++) {
			char cid[24];
			snprintf(cid, sizeof cid, "%d-%zu", restarts, i);
			rig_post(r, i, "den", users[i], cid, "x");
		}
		rig_step(r);
		assert_string_equal(rig_flush(r, ERR_OK),
				    restarts ? "stored g1 0 den#3@1000 ann/1-0: x\n"
					       "refused g1 1 den forbidden\n"
					       "stored g1 2 den#4@1000 bob/1-2: x\n"
					     : "stored g1 0 den#1@1000 ann/0-0: x\n"
					       "refused g1 1 den forbidden\n"
					       "stored g1 2 den#2@1000 bob/0-2: x\n");
		rig_restart(r);
	}
	ask_room(r, "den");
	assert_string_equal(respond(r), "facts den ok ann+bob\n");
	rig_free(r);
}

/* Within one turn each event sees what those before it did, whichever way it came. */
static void test_effects_within_a_turn(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	put_private(r, "den", "ann", "bob");
	rig_ask(r, 1);
	rig_post(r, 1, "den", "eve", "e1", "x");
	rig_post(r, 2, "main", "eve", "e1", "x");
	rig_step(r);
	put_private(r, "main", "ann", "bob");
	ask_room(r, "den");
	rig_ask(r, 2);
	put_invite(r, "den", "ann", "bob");
	rig_ask(r, 3);
	ask_invites(r, "bob");
	rig_ask(r, 4);
	assert_string_equal(rig_flush(r, ERR_OK), "refused g1 1 den forbidden\n"
						  "stored g1 2 main#1@1000 eve/e1: x\n");
	assert_int_equal(r->out.response_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(r->out.responses[i].requester, i + 1);
	assert_string_equal(rig_response(r, 0), "private den ok\n");
	assert_string_equal(rig_response(r, 1), "private main room_taken\nfacts den ok ann+bob\n");
	assert_string_equal(rig_response(r, 2), "invite den>bob ok\n");
	assert_string_equal(rig_response(r, 3), "invites bob ok den<ann\n");
	assert_int_equal(store_memory_commits(r->memory), 1);
	rig_free(r);
}

static void test_questions_when_the_commit_fails(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	store_memory_fail_commit(r->memory, 1, false);
	ask_room(r, "den");
	put_private(r, "den", "ann", "bob");
	ask_invites(r, "bob");
	rig_ask(r, 9);
	put_invite(r, "den", "ann", "bob");
	drop_invite(r, "den", "bob");
	rig_ask(r, 8);
	rig_flush(r, ERR_UNAVAILABLE);
	assert_string_equal(rig_response(r, 0), "facts den unavailable +\n"
						"private den unavailable\n"
						"invites bob unavailable\n");
	assert_string_equal(rig_response(r, 1), "invite den>bob unavailable\n"
						"invite den>bob unavailable\n");
	assert_int_equal(r->out.responses[0].requester, 9);

	ask_room(r, "den");
	ask_invites(r, "bob");
	assert_string_equal(respond(r), "facts den ok +\ninvites bob ok\n");
	rig_free(r);
}

static void test_questions_when_not_writable(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	put_private(r, "den", "ann", "bob");
	put_invite(r, "den", "ann", "bob");
	respond(r);
	historyd_set_writable(r->h, false);
	put_private(r, "den2", "ann", "bob");
	put_invite(r, "den2", "ann", "bob");
	drop_invite(r, "den", "bob");
	ask_room(r, "den");
	ask_invites(r, "bob");
	assert_string_equal(respond(r), "private den2 unavailable\n"
					"invite den2>bob unavailable\n"
					"invite den>bob unavailable\n"
					"facts den ok ann+bob\n"
					"invites bob ok den<ann\n");
	store_memory_set_unreadable(r->memory, true);
	historyd_set_writable(r->h, true);
	put_private(r, "den", "ann", "bob");
	put_invite(r, "den2", "ann", "bob");
	ask_room(r, "den");
	ask_invites(r, "bob");
	assert_string_equal(respond(r), "private den unavailable\n"
					"invite den2>bob unavailable\n"
					"facts den unavailable +\n"
					"invites bob unavailable\n");
	rig_free(r);
}

static void test_invites(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	ask_invites(r, "bob");
	put_invite(r, "den", "ann", "bob");
	put_invite(r, "den", "ann", "bob");
	put_invite(r, "cave", "eve", "bo");
	assert_string_equal(respond(r), "invites bob ok\n"
					"invite den>bob ok\n"
					"invite den>bob ok\n"
					"invite cave>bo ok\n");
	rig_restart(r);
	ask_invites(r, "bob");
	put_invite(r, "den", "eve", "bob"); /* to the same room: takes its place */
	ask_invites(r, "bob");
	drop_invite(r, "cave", "bob"); /* never there */
	drop_invite(r, "den", "bob");
	drop_invite(r, "den", "bob");
	ask_invites(r, "bob");
	ask_invites(r, "bo");
	assert_string_equal(respond(r), "invites bob ok den<ann\n"
					"invite den>bob ok\n"
					"invites bob ok den<eve\n"
					"invite cave>bob ok\n"
					"invite den>bob ok\n"
					"invite den>bob ok\n"
					"invites bob ok\n"
					"invites bo ok cave<eve\n");
	rig_restart(r);
	ask_invites(r, "bob");
	assert_string_equal(respond(r), "invites bob ok\n");

	/* What changes nothing is not written. */
	uint64_t commits = store_memory_commits(r->memory);
	drop_invite(r, "den", "bob");
	put_invite(r, "cave", "eve", "bo");
	respond(r);
	assert_int_equal(store_memory_commits(r->memory), commits);
	rig_free(r);
}

static void test_invites_are_bounded(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	for (unsigned i = 0; i < INVITES_MAX; i++) {
		char room[8];
		char from[8];
		snprintf(room, sizeof room, "r%u", i);
		snprintf(from, sizeof from, "u%u", i / INVITES_FROM_ONE_MAX);
		put_invite(r, room, from, "bob");
		assert_non_null(strstr(respond(r), " ok\n"));
	}
	put_invite(r, "one more", "ann", "bob");
	put_invite(r, "r7", "eve", "bob");
	drop_invite(r, "r8", "bob");
	put_invite(r, "one more", "ann", "bob");
	put_invite(r, "two more", "ann", "bob");
	assert_string_equal(respond(r), "invite one more>bob rate_limited\n"
					"invite r7>bob ok\n"
					"invite r8>bob ok\n"
					"invite one more>bob ok\n"
					"invite two more>bob rate_limited\n");
	rig_free(r);
}

/* One stranger does not fill the box for everybody. */
static void test_invites_of_one_sender_are_bounded(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	for (unsigned i = 0; i < INVITES_FROM_ONE_MAX; i++) {
		char room[8];
		snprintf(room, sizeof room, "r%u", i);
		put_invite(r, room, "eve", "bob");
		assert_non_null(strstr(respond(r), " ok\n"));
	}
	put_invite(r, "one more", "eve", "bob");
	put_invite(r, "r7", "eve", "bob");
	put_invite(r, "den", "ann", "bob");
	drop_invite(r, "r8", "bob");
	put_invite(r, "one more", "eve", "bob");
	assert_string_equal(respond(r), "invite one more>bob rate_limited\n"
					"invite r7>bob ok\n"
					"invite den>bob ok\n"
					"invite r8>bob ok\n"
					"invite one more>bob ok\n");
	rig_free(r);
}

static void test_empty_fields(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	ask_room(r, "");
	put_private(r, "", "ann", "bob");
	put_private(r, "den", "", "bob");
	put_private(r, "den", "ann", "");
	put_invite(r, "", "ann", "bob");
	put_invite(r, "den", "", "bob");
	put_invite(r, "den", "ann", "");
	drop_invite(r, "", "");
	ask_invites(r, "");
	assert_string_equal(respond(r), "facts  bad_field +\n"
					"private  bad_field\n"
					"private den bad_field\n"
					"private den bad_field\n"
					"invite >bob bad_field\n"
					"invite den>bob bad_field\n"
					"invite den> bad_field\n"
					"invite > ok\n"
					"invites  ok\n");
	rig_free(r);
}

/* Every request message has one answer, so that nobody's turn to be answered is taken by another.
 */
static void test_bad_question_has_an_empty_answer(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	historyd_request(r->h, r->now_ms, &rig_source, STR("\xc1 not ours"), 4);
	rig_post(r, 1, "main", "ann", "a1", "posts are not questions");
	ask_room(r, "main");
	rig_ask(r, 5);
	assert_string_equal(rig_flush(r, ERR_OK), "");
	assert_int_equal(r->out.response_count, 2);
	assert_int_equal(r->out.responses[0].requester, 4);
	assert_string_equal(rig_response(r, 0), "");
	assert_string_equal(rig_response(r, 1), "facts main ok +\n");
	assert_int_equal(rig_stats(r).bus_bad_total, 1);
	assert_int_equal(rig_stats(r).bus_unknown_total, 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private_by_authors),
		cmocka_unit_test(test_private_stays_private),
		cmocka_unit_test(test_effects_within_a_turn),
		cmocka_unit_test(test_questions_when_the_commit_fails),
		cmocka_unit_test(test_questions_when_not_writable),
		cmocka_unit_test(test_invites),
		cmocka_unit_test(test_invites_are_bounded),
		cmocka_unit_test(test_invites_of_one_sender_are_bounded),
		cmocka_unit_test(test_empty_fields),
		cmocka_unit_test(test_bad_question_has_an_empty_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
