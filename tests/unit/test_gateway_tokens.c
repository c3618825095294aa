// SPDX-License-Identifier: MIT
/* test_gateway_tokens.c — what bearers of tokens may do, and for how long. The tokens are words,
 * since whether one is to be believed is test_token.c's. */
#include "tests/unit/test_gateway.h"

enum { SHORT_MS = 90000, WARNING_MS = 60000, HOUR_MS = 3600000 };

#define IDENTITY(digit) digit digit digit digit digit digit digit digit
#define ANN IDENTITY("aaaaaaaa")
#define BOB IDENTITY("bbbbbbbb")

static const struct str main_room[] = {{"main", 4}};
static const struct str team_rooms[] = {{"team-*", 6}};

#define EVERY                  \
	{                      \
		.is_any = true \
	}
#define ONLY(rooms)                         \
	{                                   \
		.list = (rooms), .count = 1 \
	}

static const struct {
	const char *token, *identity, *name;
	struct room_patterns join, write;
	uint64_t ends_in_ms;
} known[] = {
	{"ann", ANN, "ann", EVERY, EVERY, SHORT_MS},
	{"ann-reads", ANN, "", EVERY, ONLY(team_rooms), SHORT_MS},
	{"ann-team", ANN, "", ONLY(team_rooms), ONLY(team_rooms), SHORT_MS},
	{"ann-main", ANN, "", ONLY(main_room), ONLY(main_room), SHORT_MS},
	{"ann-dying", ANN, "ann", EVERY, EVERY, 1500},
	{"anna", ANN, "anna", EVERY, EVERY, SHORT_MS},
	{"bob", BOB, "", EVERY, EVERY, SHORT_MS},
};

static const char *check(void *ctx, struct str token, struct arena *arena, struct claims *claims)
{
	(void)ctx, (void)arena;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (!str_equal(str_from(known[i].token), token))
			continue;
		*claims = (struct claims){.identity = str_from(known[i].identity),
					  .name = str_from(known[i].name),
					  .join = known[i].join,
					  .write = known[i].write,
					  .ends_in_ms = known[i].ends_in_ms};
		return NULL;
	}
	return "not a signed token";
}

static int open_auth(void **state, enum auth_mode auth)
{
	struct gateway_options o = test_options();
	o.auth = auth;
	o.join_ms = o.ping_ms = HOUR_MS; /* nobody is closed for anything else */
	o.check_token = check;
	return open_gateway_as(state, &o);
}

static int open_tokens(void **state)
{
	return open_auth(state, AUTH_TOKENS);
}

static int open_both(void **state)
{
	return open_auth(state, AUTH_BOTH);
}

#define TEST_TOKENS(name) cmocka_unit_test_setup_teardown(name, open_tokens, close_gateway)
#define TEST_BOTH(name) cmocka_unit_test_setup_teardown(name, open_both, close_gateway)

static void show(struct fixture *f, size_t client, const char *token)
{
	struct arena arena = {0};
	struct claims claims;
	begin(f);
	const char *why = gateway_token_read(f->gateway, str_from(token), &arena, &claims);
	if (why)
		gateway_reject(f->gateway, f->now_ms, f->client[client], why, &f->out);
	else
		gateway_bear(f->gateway, f->now_ms, f->client[client], &claims);
	flush(f);
	arena_free(&arena);
}

static void refresh(struct fixture *f, size_t client, const char *token)
{
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"refreshToken\",\"id\":9,\"data\":{\"token\":\"%s\"}}", token);
	say(f, client, frame);
}

static void ask_in(struct fixture *f, size_t client, const char *user, const char *room)
{
	char frame[200];
	snprintf(frame, sizeof frame,
		 "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"%s\",\"room\":\"%s\"}}",
		 user, room);
	say(f, client, frame);
}

static void assert_heard(struct fixture *f, size_t client, const char *expected)
{
	assert_string_equal(events(f, client), expected);
}

/* ---- who may come ---- */

static void test_without_one(void **state)
{
	struct fixture *f = *state;
	ask_in(f, 0, "ann", "main");
	assert_heard(f, 0, "error:unauthorized");
	refresh(f, 0, "ann"); /* it may still show one */
	assert_heard(f, 0, "ack");
	join(f, 0, "ann");
}

static void test_a_bad_one_ends_the_connection(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "nonsense");
	assert_heard(f, 0, "error:unauthorized");
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 1);
	refresh(f, 1, "nonsense"); /* while this one had none before, and may try again */
	assert_heard(f, 1, "error:unauthorized");
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 0);
}

static void test_names(void **state)
{
	struct bus_event ev;
	struct fixture *f = *state;
	show(f, 0, "ann");
	ask_in(f, 0, "eve", "main");
	assert_heard(f, 0, "error:username_mismatch");
	ask_in(f, 0, "ann", "main");
	/* Who it is, is told to roomd in the place of a guest's key. */
	assert_true(bus_find(&f->out.roomd[0], EV_claim, 0, &ev));
	assert_true(str_equal(ev.as.claim.key, STR(ANN)));
}

static void test_a_guest_is_nobodys_bearer(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann");
	join(f, 0, "ann");
	/* The digest of a guest's key is shorter, so no key makes this one. */
	say(f, 1,
	    "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":\"main\","
	    "\"key\":\"" ANN "\"}}");
	assert_heard(f, 1, "error:name_taken");
	join(f, 2, "guest");
}

/* ---- rooms ---- */

static void test_rooms(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann-main");
	ask_in(f, 0, "ann", "team-1");
	assert_heard(f, 0, "error:forbidden");
	join(f, 0, "ann");
	say(f, 0,
	    "{\"event\":\"newRoom\",\"id\":2,\"data\":{\"username2\":\"bob\",\"room\":\"attic\"}}");
	assert_heard(f, 0, "error:forbidden");
	assert_int_equal(bus_count(&f->out.roomd[0], EV_private_ask), 0);
}

static void test_readers(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann-reads");
	join(f, 0, "ann");
	say(f, 0, post);
	assert_heard(f, 0, "error:forbidden");
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 0);
	say(f, 0, "{\"event\":\"userTyping\",\"id\":3,\"data\":{\"room\":\"main\"}}");
	assert_heard(f, 0, "error:forbidden");
	assert_int_equal(bus_count(&f->out.roomd[0], EV_typing), 0);
}

/* ---- another one ---- */

static void test_refresh_of_the_same_person(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann-reads");
	join(f, 0, "ann");
	refresh(f, 0, "ann");
	assert_heard(f, 0, "ack");
	say(f, 0, post);
	assert_heard(f, 0, "");
	assert_int_equal(bus_count(&f->out.historyd[0], EV_chat_post), 1);
}

static void test_refresh_of_somebody_else(void **state)
{
	static const char *const others[] = {"bob", "anna", "nonsense"};
	struct fixture *f = *state;
	show(f, 0, "ann");
	join(f, 0, "ann");
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		refresh(f, 0, others[i]);
		assert_heard(f, 0, "error:unauthorized");
	}
	join(f, 1, "guest");
	refresh(f, 1, "bob"); /* a guest who has a name does not become a bearer */
	assert_heard(f, 1, "error:unauthorized");
}

static void test_refresh_that_allows_less(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann");
	join(f, 0, "ann");
	ask_in(f, 0, "ann", "other"); /* on the way in */
	refresh(f, 0, "ann-team");
	assert_heard(f, 0, "error:forbidden error:forbidden ack");
	say(f, 0, post);
	assert_heard(f, 0, "error:not_joined");
}

static void test_a_room_that_is_being_made(void **state)
{
	struct bus_event ev;
	struct fixture *f = *state;
	show(f, 0, "ann");
	join(f, 0, "ann");
	say(f, 0,
	    "{\"event\":\"newRoom\",\"id\":2,\"data\":{\"username2\":\"bob\",\"room\":\"attic\"}}");
	assert_true(bus_find(&f->out.roomd[0], EV_private_ask, 0, &ev));
	refresh(f, 0, "ann-main");
	assert_heard(f, 0, "ack");
	bus_put_private_answer(
		&f->roomd.batch,
		&(struct ev_private_answer){.gateway = GATEWAY_ID, .req = ev.as.private_ask.req});
	send(f, &f->roomd);
	assert_heard(f, 0, "error:forbidden");
}

/* ---- its end ---- */

static void test_warning_and_end(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann");
	tick(f, SHORT_MS - WARNING_MS - 1000);
	assert_heard(f, 0, "");
	tick(f, 2000);
	assert_heard(f, 0, "tokenExpires");
	assert_true(gateway_next_due(f->gateway) <= f->now_ms + 1000);
	tick(f, WARNING_MS - 2000);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 0);
	tick(f, 2000);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 1);
	tick(f, 2000); /* it has not gone yet */
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 0);
}

static void test_refreshed_in_time(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann");
	tick(f, SHORT_MS - 500);
	assert_heard(f, 0, "tokenExpires");
	refresh(f, 0, "ann");
	assert_heard(f, 0, "ack");
	tick(f, 2000);
	assert_heard(f, 0, "");
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 0);
}

static void test_one_that_is_almost_over(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann-dying"); /* no warning: it has just been got like that */
	tick(f, 1000);
	assert_heard(f, 0, "");
	tick(f, 2000);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 1);
}

/* A loop that slept through several rounds of the ring of slots. */
static void test_long_sleep(void **state)
{
	struct fixture *f = *state;
	show(f, 0, "ann");
	show(f, 1, "ann-dying");
	tick(f, 10 * SHORT_MS);
	assert_int_equal(count_ops(f, CLIENT_CLOSE, CLOSE_TOKEN), 2);
}

static void test_guests_only(void **state)
{
	struct fixture *f = *state;
	refresh(f, 0, "ann");
	assert_heard(f, 0, "error:unauthorized");
	assert_false(gateway_takes_tokens(f->gateway)); /* so the shell shows none */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_TOKENS(test_without_one),
		TEST_TOKENS(test_a_bad_one_ends_the_connection),
		TEST_TOKENS(test_names),
		TEST_BOTH(test_a_guest_is_nobodys_bearer),
		TEST_TOKENS(test_rooms),
		TEST_TOKENS(test_readers),
		TEST_TOKENS(test_refresh_of_the_same_person),
		TEST_BOTH(test_refresh_of_somebody_else),
		TEST_TOKENS(test_refresh_that_allows_less),
		TEST_TOKENS(test_a_room_that_is_being_made),
		TEST_TOKENS(test_warning_and_end),
		TEST_TOKENS(test_refreshed_in_time),
		TEST_TOKENS(test_one_that_is_almost_over),
		TEST_TOKENS(test_long_sleep),
		TEST(test_guests_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
