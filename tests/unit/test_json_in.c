// SPDX-License-Identifier: MIT
/* test_json_in.c — JSON as real clients send it: every form of number and escape at every place,
 * and the id of what is refused. */
#include "gateway/core/json_in.h"
#include "gateway/core/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

static struct gateway_options options;
static struct arena arena;

static void read_one(struct client_event *e, const char *text)
{
	size_t len = strlen(text);
	char *bytes = mem_alloc(len ? len : 1); /* not one byte more, for the sanitizer */
	memcpy(bytes, text, len);
	client_event_read(e, str_of(bytes, len), &options, &arena);
	mem_free(bytes);
}

static const struct {
	const char *text;
	bool is_number; /* JSON at all */
	int64_t whole;  /* -1: none */
} numbers[] = {
	{"0", true, 0},
	{"-0", true, 0},
	{"5", true, 5},
	{"5.0", true, 5},
	{"5.000000000000000000000000000000000000000000000000", true, 5},
	{"5e1", true, 50},
	{"5E+1", true, 50},
	{"5e0000000000001", true, 50},
	{"0.5e1", true, 5},
	{"500e-2", true, 5},
	{"0e999999999999999999999", true, 0},
	{"9007199254740991", true, 9007199254740991},
	{"9007199254740992", true, -1},
	{"9007199254740993", true, -1},
	{"5.5", true, -1},
	{"-1", true, -1},
	{"-5e0", true, -1},
	{"1e-999", true, 0}, /* as for JSON.parse */
	{"1e999", true, -1},
	{"-1e999", true, -1},
	{"1E+400", true, -1},
	{"9223372036854775808", true, -1},
	{"-9223372036854775809", true, -1},
	{"123456789012345678901234567890", true, -1},
	{"0.001e3", true, 1},
	{"0.001e313", true, -1},
	{"1e99999999999999999999999999", true, -1},
	{"1e-99999999999999999999999999", true, 0},
	{"01", false, 0},
	{"01e999", false, 0},
	{"--1e999", false, 0},
	{"1e999e5", false, 0},
	{"1e5e999", false, 0},
	{"1.e999", false, 0},
	{".5", false, 0},
	{"5.", false, 0},
	{"+5", false, 0},
	{"1e", false, 0},
	{"-", false, 0},
	{"NaN", false, 0},
	{"Infinity", false, 0},
	{"0x10", false, 0},
	{"1e999 1", false, 0},
};

static void test_numbers_at_every_place(void **state)
{
	char text[512];
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const char *number = numbers[i].text;
		bool is_number = numbers[i].is_number;

		snprintf(text, sizeof text, "{\"event\":\"history\",\"data\":{},\"id\":%s}",
			 number);
		read_one(&e, text);
		assert_int_equal(e.error, !is_number             ? ERR_BAD_JSON
					  : numbers[i].whole < 0 ? ERR_BAD_FIELD
								 : ERR_OK);
		assert_int_equal(e.has_id, is_number && numbers[i].whole >= 0);
		if (e.has_id)
			assert_int_equal(e.id, numbers[i].whole);
		client_event_free(&e);

		snprintf(text, sizeof text,
			 "{\"event\":\"history\",\"data\":{\"room\":\"r\",\"after\":%s},"
			 "\"id\":3}",
			 number);
		read_one(&e, text);
		assert_int_equal(e.error, is_number ? ERR_OK : ERR_BAD_JSON);
		assert_true(e.has_id && e.id == 3);
		if (is_number) {
			union client_in in;
			bool is_whole = numbers[i].whole >= 0;
			assert_int_equal(client_fields_read(&e, &in), is_whole);
			assert_int_equal(in.history.has_after, is_whole);
			assert_int_equal(in.history.after, is_whole ? numbers[i].whole : 0);
			assert_int_equal(e.error, is_whole ? ERR_OK : ERR_BAD_FIELD);
		}
		client_event_free(&e);

		static const char *const ignored[] = {
			"{\"event\":\"history\",\"x\":%s,\"data\":{},\"id\":3}",
			"{\"event\":\"history\",\"x\":[1,{\"y\":[%s]}],\"data\":{},\"id\":3}",
			"{\"event\":\"history\",\"data\":{\"time\":{\"a\":%s}},\"id\":3}",
			"{\"id\":3,\"event\":\"history\",\"data\":{\"time\" : %s }}",
		};
		for (size_t place = 0; place < ARRAY_LEN(ignored); place++) {
			struct buf b = {0};
			const char *hole = strstr(ignored[place], "%s");
			buf_append(&b, ignored[place], (size_t)(hole - ignored[place]));
			buf_printf(&b, "%s%s", number, hole + 2);
			buf_append(&b, "", 1);
			read_one(&e, b.ptr);
			assert_int_equal(e.error, is_number ? ERR_OK : ERR_BAD_JSON);
			assert_true(e.has_id && e.id == 3);
			client_event_free(&e);
			buf_free(&b);
		}
		arena_reset(&arena);
	}
}

static const struct {
	const char *text;
	const char *body; /* NULL: refused */
} strings[] = {
	{"half \\ud83d", "half \xef\xbf\xbd"},
	{"\\uD83D", "\xef\xbf\xbd"},
	{"\\udc00", "\xef\xbf\xbd"},
	{"\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd"},
	{"\\ud83d\\ud83d\\ude00", "\xef\xbf\xbd\xf0\x9f\x98\x80"},
	{"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
	{"\\ud83dx", "\xef\xbf\xbdx"},
	{"\\ud83d\\n", "\xef\xbf\xbd\n"},
	{"\\ud83d\\u0041", "\xef\xbf\xbd"
			   "A"},
	{"\\\\ud83d", "\\ud83d"},
	{"\\\\\\ud83d", "\\\xef\xbf\xbd"},
	{"\\uffff", "\xef\xbf\xbf"},
	{"\\\"\\/\\b\\f\\n\\r\\t\\u007f", "\"/\b\f\n\r\t\x7f"},
	{"\\u0000", NULL},
	{"a\\u0000b", NULL},
};

static void test_escapes_at_every_place(void **state)
{
	char text[512];
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		snprintf(text, sizeof text,
			 "{\"event\":\"updateChat\",\"data\":{\"room\":\"r\",\"body\":\"%s\"},"
			 "\"id\":3}",
			 strings[i].text);
		read_one(&e, text);
		assert_int_equal(e.error, ERR_OK);
		assert_true(e.has_id && e.id == 3);
		union client_in in;
		assert_int_equal(client_fields_read(&e, &in), strings[i].body != NULL);
		if (strings[i].body) {
			assert_int_equal(e.error, ERR_OK);
			assert_true(str_equal(in.updateChat.body, str_from(strings[i].body)));
		} else {
			assert_int_equal(e.error, ERR_BAD_FIELD);
			assert_string_equal(e.why, "body: must not contain U+0000");
		}
		client_event_free(&e);

		/* In what nobody reads, and in the names of members. */
		snprintf(text, sizeof text,
			 "{\"event\":\"updateChat\",\"data\":{\"%s\":[\"%s\"]},\"%s\":\"%s\","
			 "\"x\":{\"%s\":1},\"id\":3}",
			 strings[i].text, strings[i].text, strings[i].text, strings[i].text,
			 strings[i].text);
		read_one(&e, text);
		assert_int_equal(e.error, ERR_OK);
		assert_true(e.has_id && e.id == 3);
		client_event_free(&e);
		arena_reset(&arena);
	}
}

static void test_a_member_twice_is_refused_where_it_is_read(void **state)
{
	static const struct {
		const char *text;
		enum err error;
	} rows[] = {
		{"{\"event\":\"history\",\"event\":\"history\",\"data\":{},\"id\":3}",
		 ERR_BAD_JSON},
		{"{\"event\":\"history\",\"data\":{},\"data\":{},\"id\":3}", ERR_BAD_JSON},
		{"{\"event\":\"history\",\"data\":{\"room\":1,\"room\":1},\"id\":3}", ERR_BAD_JSON},
		{"{\"id\":3,\"data\":{\"a\":[{\"b\":1}],\"a\":2},\"event\":\"history\"}",
		 ERR_BAD_JSON},
		{"{\"event\":\"history\",\"data\":{\"x\":{\"a\":1,\"a\":2}},\"id\":3}", ERR_OK},
		{"{\"event\":\"history\",\"x\":{\"a\":1,\"a\":2},\"data\":{\"a\":1},\"id\":3}",
		 ERR_OK},
		{"{\"event\":\"history\",\"x\":[{\"a\":1,\"a\":2}],\"data\":{\"a\":1},\"id\":3}",
		 ERR_OK},
		{"{\"x\":[\"a\",\"a\",{}],\"event\":\"history\",\"data\":{\"a\":\"a\"},\"id\":3}",
		 ERR_OK},
	};
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		read_one(&e, rows[i].text);
		assert_int_equal(e.error, rows[i].error);
		assert_true(e.has_id && e.id == 3);
		client_event_free(&e);
	}
	client_event_read_array(&e, STR("[\"history\",{\"a\":1,\"a\":1},{\"b\":1,\"b\":1}]"),
				&options, &arena);
	assert_int_equal(e.error, ERR_BAD_JSON);
	client_event_free(&e);
	client_event_read_array(&e, STR("[\"history\",{\"a\":1},{\"b\":1,\"b\":1,\"c\":1}]"),
				&options, &arena);
	assert_int_equal(e.error, ERR_OK);
	client_event_free(&e);
}

static void test_what_is_refused_keeps_its_id(void **state)
{
	static const struct {
		const char *text;
		int id; /* -1: none */
	} rows[] = {
		{"{\"event\":\"x\",\"data\":{\"a\":[[[[[[[[1]]]]]]]]},\"id\":3}", 3},
		{"{\"id\" : 3 ,\"event\":\"x\",\"data\":{\"a\":[[[[[[[[1]]]]]]]]}}", 3},
		{"{\"id\":3,\"event\":\"x\",\"data\":{\"body\":\"cut of", 3},
		{"{\"id\":3e0,\"event\":\"x\",\"data\":{\"body\":\"cut of\\", 3},
		{"{\"event\":\"x\",\"data\":{\"body\":\"line\nline\"},\"id\":3}", 3},
		{"{\"event\":\"x\",\"data\":{\"body\":\"\\x\"},\"id\":3}", 3},
		{"{\"event\":\"x\",\"data\":{\"body\":\"\\ud83\"},\"id\":3}", 3},
		{"{\"event\":\"\xff\",\"data\":{},\"id\":3}", 3},
		{"{\"event\":undefined,\"data\":{},\"id\":3}", 3},
		{"{\"event\":\"x\",\"data\":{},\"id\":3,}", 3},
		{"{\"data\":{\"id\":4},\"event\":\"x\",\"text\":\"\\\"id\\\":5\",,}", -1},
		{"{\"data\":\"id\",\"event\":\"x\",,\"id\":\"4\"}", -1},
		{"{\"event\":\"x\",,\"id\":-4}", -1},
		{"{\"event\":\"x\",,\"id\":4.5}", -1},
		{"{\"event\":\"x\",,\"id\":9007199254740992}", -1},
		{"{\"event\":\"x\",,\"id\":4", -1}, /* perhaps 42 */
		{"{\"id\"", -1},
		{"{\"id\":", -1},
		{"\"id\":4", -1},
		{"", -1},
	};
	struct client_event e;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		read_one(&e, rows[i].text);
		assert_int_equal(e.error, ERR_BAD_JSON);
		assert_int_equal(e.has_id ? (int)e.id : -1, rows[i].id);
		client_event_free(&e);
	}
	client_event_read_array(&e, STR("[\"x\",[[[[[[[[[1]]]]]]]]]]"), &options, &arena);
	assert_int_equal(e.error, ERR_BAD_JSON);
	client_event_free(&e);
	client_event_read_array(&e, STR("[\"x\",}"), &options, &arena);
	assert_int_equal(e.error, ERR_BAD_JSON);
	client_event_free(&e);
}

static int set_up(void **state)
{
	(void)state;
	gateway_options_default(&options);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static void test_why_is_not_cut_within_a_character(void **state)
{
	(void)state;
	char text[400];
	for (size_t shift = 0; shift < 4; shift++) {
		struct client_event e = {0};
		memset(text, 'x', shift);
		for (size_t at = shift; at + 4 < sizeof text; at += 4)
			memcpy(text + at, "\xf0\x9f\x98\x80", 5);
		client_event_fail(&e, ERR_BAD_FIELD, "%s", text);
		size_t len = strlen(e.why);
		assert_in_range(len, WHY_MAX - 5, WHY_MAX - 1);
		assert_int_equal((len - shift) % 4, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_why_is_not_cut_within_a_character),
		cmocka_unit_test(test_numbers_at_every_place),
		cmocka_unit_test(test_escapes_at_every_place),
		cmocka_unit_test(test_a_member_twice_is_refused_where_it_is_read),
		cmocka_unit_test(test_what_is_refused_keeps_its_id),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
