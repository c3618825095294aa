// SPDX-License-Identifier: MIT
/* test_gateway_names.c — who gets a name that several want at once, with different keys. */
#include "tests/unit/test_gateway.h"

enum { STRANGERS = 65 };

/* Besides the fixture's clients, which stay silent until they are needed. */
struct stranger {
	struct session *session;
	unsigned refused, unavailable;
};

static struct stranger strangers[STRANGERS];

static void count_errors(struct fixture *f)
{
	for (size_t i = 0; i < f->out.op_count; i++) {
		const struct client_op *op = &f->out.ops[i];
		struct stranger *who = op->conn;
		if (who < strangers || who >= strangers + STRANGERS || op->kind != CLIENT_SEND)
			continue;
		who->refused += memmem(op->ptr, op->len, "\"name_taken\"", 12) != NULL;
		who->unavailable += memmem(op->ptr, op->len, "\"unavailable\"", 13) != NULL;
	}
}

static const char *knocking(char frame[200], size_t key)
{
	snprintf(frame, 200,
		 "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"ann\",\"room\":"
		 "\"main\",\"key\":\"a-key-of-its-own-%zu\"}}",
		 key);
	return frame;
}

static void knock(struct fixture *f, size_t from, size_t to)
{
	char frame[200];
	for (size_t i = from; i < to; i++) {
		strangers[i] = (struct stranger){0};
		strangers[i].session =
			gateway_connect(f->gateway, f->now_ms, &strangers[i], WIRE_NATIVE, false);
		begin(f);
		gateway_frame(f->gateway, f->now_ms, strangers[i].session,
			      str_from(knocking(frame, i)), &f->out);
		flush(f);
		count_errors(f);
	}
}

/* The key that is being claimed in the outbox, as roomd sees it. */
static void claimed(struct fixture *f, char key[64])
{
	struct bus_event ev;
	assert_int_equal(bus_count(&f->out.roomd[0], EV_claim), 1);
	assert_true(bus_find(&f->out.roomd[0], EV_claim, 0, &ev));
	snprintf(key, 64, STR_FMT, STR_ARG(ev.as.claim.key));
}

static void respond(struct fixture *f, const char *key, enum err status)
{
	bus_put_claim_answer(&f->roomd.batch, &(struct ev_claim_answer){.gateway = GATEWAY_ID,
									.user = STR("ann"),
									.key = str_from(key),
									.status = status});
	send(f, &f->roomd);
	count_errors(f);
}

static void test_strangers_do_not_keep_an_owner_out(void **state)
{
	enum { KNOCKING = 40, OWNER = 99 };
	struct fixture *f = *state;
	char frame[200];
	char key[64];
	knock(f, 0, 1);
	claimed(f, key);
	knock(f, 1, KNOCKING);
	say(f, 0, knocking(frame, OWNER));
	say(f, 1, knocking(frame, OWNER)); /* another tab */
	assert_string_equal(events(f, 1), "");
	for (size_t i = 0; i < KNOCKING; i++) { /* in turn, and each of them is told */
		assert_int_equal(strangers[i].refused, 0);
		respond(f, key, ERR_NAME_TAKEN);
		assert_int_equal(strangers[i].refused, 1);
		claimed(f, key);
	}
	respond(f, key, ERR_OK);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_join), 1);
	assert_int_equal(stats(f)->users, 1);
	knock(f, 0, 1); /* from now on it is known whose it is */
	assert_int_equal(strangers[0].refused, 1);
}

static void test_whoever_waits_is_told_when_the_name_is_given(void **state)
{
	struct fixture *f = *state;
	char key[64];
	knock(f, 0, 1);
	claimed(f, key);
	knock(f, 1, 3);
	respond(f, key, ERR_OK);
	assert_int_equal(strangers[0].refused, 0);
	assert_int_equal(strangers[1].refused + strangers[2].refused, 2);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_release), 0); /* it is held */
}

static void test_a_line_for_a_name_has_an_end(void **state)
{
	struct fixture *f = *state;
	char frame[200];
	char key[64];
	knock(f, 0, 1);
	claimed(f, key);
	knock(f, 1, STRANGERS);
	assert_int_equal(strangers[1].unavailable, 0);
	say(f, 0, knocking(frame, 99));
	count_errors(f);
	assert_int_equal(strangers[0].unavailable, 0); /* its claim is under way */
	assert_int_equal(strangers[1].unavailable, 1);
	assert_int_equal(strangers[2].unavailable, 0);
	say(f, 0, post); /* the newcomer waits, and what it says then too */
	assert_string_equal(events(f, 0), "");
}

static void test_who_leaves_the_line_is_claimed_no_more(void **state)
{
	struct fixture *f = *state;
	char first[64];
	char key[64];
	knock(f, 0, 1);
	claimed(f, first);
	knock(f, 1, 4);
	begin(f);
	gateway_disconnect(f->gateway, f->now_ms, strangers[2].session, &f->out); /* in the line */
	gateway_check(f->gateway);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_claim), 0);
	gateway_disconnect(f->gateway, f->now_ms, strangers[0].session, &f->out); /* the first */
	gateway_check(f->gateway);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_release), 1);
	claimed(f, key);
	assert_string_not_equal(key, first);
	respond(f, first, ERR_OK); /* too late */
	assert_int_equal(bus_count(&f->out.roomd[0], EV_join), 0);
	respond(f, key, ERR_NAME_TAKEN);
	assert_int_equal(strangers[1].refused, 1);
	claimed(f, key);
	respond(f, key, ERR_NAME_TAKEN);
	assert_int_equal(strangers[3].refused, 1);
	assert_int_equal(stats(f)->users, 0);
}

/* Nothing is claimed for a client whose joins have ended: it may take another name. */
static void test_a_wait_for_a_name_ends_with_its_join(void **state)
{
	struct fixture *f = *state;
	knock(f, 0, 3);
	tick(f, 5000);
	count_errors(f);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(strangers[i].unavailable, 1);
	assert_int_equal(stats(f)->users, 0);
	tick(f, 5000);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_claim), 0);
	begin(f);
	gateway_frame(
		f->gateway, f->now_ms, strangers[1].session,
		STR("{\"event\":\"userJoin\",\"data\":{\"username\":\"amy\",\"room\":\"m\"}}"),
		&f->out);
	assert_int_equal(bus_count(&f->out.roomd[0], EV_claim), 1);
}

static int open_reserved(void **state)
{
	struct gateway_options o = test_options();
	o.reserved[0] = STR("System");
	o.reserved[1] = STR("Größe");
	o.reserved_count = 2;
	return open_gateway_as(state, &o);
}

static void test_reserved(void **state)
{
	static const struct {
		const char *name;
		bool is_reserved;
	} rows[] = {
		{"System", true},      {"SYSTEM", true},
		{"\u0405ystem", true}, /* Cyrillic S */
		{"GRÖSSE", true},      {"gr\u00f6\u00dfe", true},
		{"Systems", false},    {"Sys tem", false},
		{"ann", false},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char frame[200];
		snprintf(frame, sizeof frame,
			 "{\"event\":\"userJoin\",\"id\":1,\"data\":{\"username\":\"%s\",\"room\":"
			 "\"main\"}}",
			 rows[i].name);
		struct session *s =
			gateway_connect(f->gateway, f->now_ms, &f->handle[0], WIRE_NATIVE, false);
		begin(f);
		gateway_frame(f->gateway, f->now_ms, s, str_from(frame), &f->out);
		flush(f);
		const char *expected = rows[i].is_reserved ? "error:name_taken" : "";
		assert_string_equal(events(f, 0), expected);
		gateway_disconnect(f->gateway, f->now_ms, s, &f->out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reserved, open_reserved, close_gateway),
		TEST(test_strangers_do_not_keep_an_owner_out),
		TEST(test_whoever_waits_is_told_when_the_name_is_given),
		TEST(test_a_line_for_a_name_has_an_end),
		TEST(test_who_leaves_the_line_is_claimed_no_more),
		TEST(test_a_wait_for_a_name_ends_with_its_join),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
