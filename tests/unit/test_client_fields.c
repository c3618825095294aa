// SPDX-License-Identifier: MIT
/* test_client_fields.c — the fields of client events, a row a case: their limits, and which of
 * several errors is told. JSON itself is test_json_in.c's. */
#include "gateway/core/json_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum { BODY_BYTES = 8 };

static struct gateway_options options;
static struct arena arena;

#define LONG_NAME "0123456789012345678901234567890123456789012345678901234567890123" /* 64 */
#define BAD ERR_BAD_FIELD
#define NO_NAME(field)                                                           \
	field ": must have no control characters, nothing that cannot be seen, " \
	      "and no space at either end"

static const struct {
	const char *event, *data;
	enum err error;
	const char *why;
} fields[] = {
	{"userJoin", "{}", BAD, "username: must be a string"},
	{"userJoin", "{'username':'u'}", BAD, "room: must be a string"},
	{"userJoin", "{'username':'','room':'r'}", BAD, "username: must have 1 to 64 bytes"},
	{"userJoin", "{'username':'" LONG_NAME "','room':'r'}", ERR_OK, ""},
	{"userJoin", "{'username':'" LONG_NAME "x','room':'r'}", BAD,
	 "username: must have 1 to 64 bytes"},
	{"userJoin", "{'username':' u','room':'r'}", BAD, NO_NAME("username")},
	{"userJoin", "{'username':'u','room':'" LONG_NAME LONG_NAME "'}", ERR_OK, ""},
	{"userJoin", "{'username':'u','room':'" LONG_NAME LONG_NAME "x'}", BAD,
	 "room: must have 1 to 128 bytes"},
	{"userJoin", "{'username':'u','room':'a\\u0000b'}", BAD, "room: must not contain U+0000"},
	{"userJoin", "{'username':'u','room':'a\\u0007b'}", BAD, NO_NAME("room")},
	{"userJoin", "{'username':'u','room':'r','key':null,'since':null}", ERR_OK, ""},
	{"userJoin", "{'username':'u','room':'r','key':''}", BAD, "key: must have 1 to 64 bytes"},
	{"userJoin", "{'username':'u','room':'r','key':'012345678901234'}", BAD,
	 "key: must have 16 to 64 bytes"},
	{"userJoin", "{'username':'u','room':'r','key':'0123456789012345'}", ERR_OK, ""},
	{"userJoin", "{'username':'u','room':'r','key':'" LONG_NAME "x'}", BAD,
	 "key: must have 1 to 64 bytes"},
	{"userJoin", "{'username':'u','room':'r','since':-1}", BAD,
	 "since: must be a whole number from 0 to 2^53-1"},
	{"userJoin", "{'username':'u','room':'r','since':0,'epoch':'1'}", BAD,
	 "epoch: must be a whole number from 0 to 2^53-1"},
	/* A field that is no such thing comes before one that is out of its bounds. */
	{"userJoin", "{'username':'u','room':'r','key':'short','epoch':1.5}", BAD,
	 "epoch: must be a whole number from 0 to 2^53-1"},
	{"userLeave", "{'room':7}", BAD, "room: must be a string"},
	{"userTyping", "{'room':null}", BAD, "room: must be a string"},
	{"updateChat", "{'room':'r'}", BAD, "body: must be a string"},
	{"updateChat", "{'room':'r','body':''}", BAD, "body: must have 1 to 8 bytes"},
	{"updateChat", "{'room':'r','body':'12345678'}", ERR_OK, ""},
	{"updateChat", "{'room':'r','body':'123456789'}", ERR_TOO_LARGE,
	 "body: must have 1 to 8 bytes"},
	{"updateChat", "{'room':'r','body':'x','cid':'" LONG_NAME "'}", ERR_OK, ""},
	{"updateChat", "{'room':'r','body':'x','cid':'" LONG_NAME "x'}", BAD,
	 "cid: must have 1 to 64 bytes"},
	{"updateChat", "{'room':'r','body':'x','cid':'a\\u0001'}", BAD,
	 "cid: must have no control characters"},
	{"updateChat", "{'room':'r','body':'123456789','cid':'a\\u0001'}", ERR_TOO_LARGE,
	 "body: must have 1 to 8 bytes"},
	{"history", "{'room':'r','limit':0}", BAD, "limit: must be from 1 to 200"},
	{"history", "{'room':'r','limit':200}", ERR_OK, ""},
	{"history", "{'room':'r','limit':201}", BAD, "limit: must be from 1 to 200"},
	{"history", "{'room':'r','before':0}", BAD, "before: must be at least 1"},
	{"history", "{'room':'r','after':0}", ERR_OK, ""},
	{"history", "{'room':'r','before':0,'after':0}", BAD, "before: not together with after"},
	{"history", "{'room':'r','before':0,'after':0,'limit':0}", BAD,
	 "limit: must be from 1 to 200"},
	{"history", "{'room':'r','before':1,'after':'1','limit':0}", BAD,
	 "after: must be a whole number from 0 to 2^53-1"},
	{"newRoom", "{'room':'r'}", BAD, "username2: must be a string"},
	{"newRoom", "{'room':'r','username2':'u'}", ERR_OK, ""},
};

/* In both forms in which clients send it, with " where the row has ', so that it can be read. */
static void write_event(char *text, size_t size, bool is_array, const char *event, const char *data)
{
	snprintf(text, size, "%s'%s',%s%s%s", is_array ? "[" : "{'event':", event,
		 is_array ? "" : "'data':", data, is_array ? "]" : "}");
	for (char *at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
}

static void test_fields_and_the_first_that_is_wrong(void **state)
{
	char text[512];
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		for (int form = 0; form < 2; form++) {
			union client_in in = {0};
			write_event(text, sizeof text, form == 1, fields[i].event, fields[i].data);
			if (form)
				client_event_read_array(&e, str_from(text), &options, &arena);
			else
				client_event_read(&e, str_from(text), &options, &arena);
			assert_int_equal(e.error, ERR_OK);
			bool is_right = client_fields_read(&e, &in);
			assert_string_equal(e.why, fields[i].why);
			assert_int_equal(e.error, fields[i].error);
			assert_int_equal(is_right, fields[i].error == ERR_OK);
			client_event_free(&e);
		}
		arena_reset(&arena);
	}
}

static void test_what_is_not_given(void **state)
{
	struct client_event e;
	union client_in in = {0};
	(void)state;
	client_event_read(&e,
			  STR("{\"event\":\"history\",\"data\":{\"room\":\"r\",\"after\":null}}"),
			  &options, &arena);
	assert_true(client_fields_read(&e, &in));
	assert_true(str_equal(in.history.room, STR("r")) && str_equal(e.room, STR("r")));
	assert_false(in.history.has_before || in.history.has_after || in.history.has_limit);
	assert_int_equal(in.history.limit, 50);
	client_event_free(&e);
}

/* The room alone decides what waits for a join, whatever else is wrong. */
static void test_the_room_alone(void **state)
{
	static const struct {
		const char *text, *room;
	} rows[] = {
		{"{\"event\":\"updateChat\",\"data\":{\"room\":\"r\",\"body\":7}}", "r"},
		{"{\"event\":\"userJoin\",\"data\":{\"username\":7,\"room\":\"r\"}}", "r"},
		{"{\"event\":\"userLeave\",\"data\":{\"room\":\"e\\u0301\"}}", "\xc3\xa9"},
		{"{\"event\":\"userLeave\",\"data\":{\"room\":\" r\"}}", ""},
		{"{\"event\":\"userLeave\",\"data\":{\"room\":7}}", ""},
		{"{\"event\":\"userLeave\",\"data\":{}}", ""},
	};
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		client_event_read(&e, str_from(rows[i].text), &options, &arena);
		struct str room = client_fields_room(&e);
		assert_true(str_equal(room, str_from(rows[i].room)));
		assert_int_equal(e.error, ERR_OK);
		client_event_free(&e);
	}
}

static int set_up(void **state)
{
	(void)state;
	gateway_options_default(&options);
	options.body_bytes_max = BODY_BYTES;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_and_the_first_that_is_wrong),
		cmocka_unit_test(test_what_is_not_given),
		cmocka_unit_test(test_the_room_alone),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
