// SPDX-License-Identifier: MIT
/* test_http.c — heads of requests, chunked bodies, hosts and origins, as strangers write them. */
#include "gateway/http/chunks.h"
#include "gateway/http/head.h"
#include "gateway/http/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

#define HOST "Host: chat.example\r\n"

/* ---- heads ---- */

/* The status with which it is refused, 0 when it is taken, 1 when it is not whole. */
static unsigned read_head(struct http_head *h, struct str bytes)
{
	struct http_scan s = {0};
	enum http_progress progress = http_scan(&s, bytes);
	if (progress != HTTP_WHOLE)
		return progress == HTTP_BAD ? 400 : 1;
	return http_head_read(h, str_of(bytes.ptr + s.start, s.at - s.start));
}

static unsigned status_of(struct str bytes)
{
	struct http_head h;
	return read_head(&h, bytes);
}

static void assert_str(struct str found, const char *expected)
{
	char text[300];
	snprintf(text, sizeof text, STR_FMT, STR_ARG(found));
	assert_string_equal(text, expected);
}

static void test_a_head_ends_where_it_ends(void **state)
{
	(void)state;
	struct str bytes = STR("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\nGET /behind");
	size_t end = bytes.len - strlen("GET /behind");
	struct http_scan s = {0};
	for (size_t len = 0; len < end; len++) /* each byte is looked at once */
		assert_int_equal(http_scan(&s, str_of(bytes.ptr, len)), HTTP_MORE);
	assert_int_equal(http_scan(&s, bytes), HTTP_WHOLE);
	assert_int_equal(s.start, 4);
	assert_int_equal(s.at, end);
}

static void test_what_no_head_holds_is_seen_at_once(void **state)
{
	(void)state;
	const struct str bad[] = {
		STR("\n"),
		STR("GET / HTTP/1.1\n"),
		STR("GET / HTTP/1.1\r" HOST),
		STR("GET /\0 HTTP"),
		STR("GET / HTTP/1.1\r\nX: \x01"),
		STR("GET / HTTP/1.1\r\nX: \x7f"),
		STR("\x16\x03\x01\x02"), /* TLS */
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(status_of(bad[i]), 400);
}

static void test_two_meanings_are_refused(void **state)
{
	(void)state;
#define POST "POST / HTTP/1.1\r\n" HOST
	static const struct {
		unsigned status;
		struct str bytes;
	} cases[] = {
		{0,
		 {POST "Content-Length: 5\r\n\r\n", sizeof(POST "Content-Length: 5\r\n\r\n") - 1}},
#define CASE(status, text)                                   \
	{                                                    \
		status,                                      \
		{                                            \
			text "\r\n", sizeof(text "\r\n") - 1 \
		}                                            \
	}
		CASE(0, POST "Content-Length: 5\r\nContent-Length: 5\r\n"),
		CASE(400, POST "Content-Length: 5\r\nContent-Length: 6\r\n"),
		CASE(400, POST "Content-Length: 5, 5\r\n"),
		CASE(400, POST "Content-Length: +5\r\n"),
		CASE(400, POST "Content-Length: 0x5\r\n"),
		CASE(400, POST "Content-Length:\r\n"),
		CASE(400, POST "Content-Length: 99999999999999999999\r\n"),
		CASE(400, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
		CASE(400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
		CASE(501, POST "Transfer-Encoding: gzip, chunked\r\n"),
		CASE(501, POST "Transfer-Encoding: \r\n"),
		CASE(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n"),
		CASE(417, POST "Expect: a miracle\r\n"),
		CASE(400, POST "Host: other.example\r\n"),
		CASE(400, POST "Origin: null\r\nOrigin: null\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n"),
		CASE(0, "GET / HTTP/1.0\r\n"),
		CASE(0, "GET / HTTP/1.1\r\nHost:\r\n"),
		CASE(400, "GET / HTTP/1.1\r\nHost: a b\r\n"),
		CASE(400, "GET / HTTP/1.1\r\nHost: a@b\r\n"),
		CASE(400, "GET / HTTP/1.1\r\nHost : a\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n" HOST "X: a\r\n folded\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n Host: a\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n" HOST "no colon\r\n"),
		CASE(400, "GET / HTTP/1.1\r\n" HOST ": no name\r\n"),
		CASE(400, "GET  / HTTP/1.1\r\n" HOST),
		CASE(400, "GET / HTTP/1.1 \r\n" HOST),
		CASE(400, "GET /a b HTTP/1.1\r\n" HOST),
		CASE(400, "GET /\tb HTTP/1.1\r\n" HOST),
		CASE(400, "GET nowhere HTTP/1.1\r\n" HOST),
		CASE(400, "GET http:// HTTP/1.1\r\n" HOST),
		CASE(400, "CONNECT a:80 HTTP/1.1\r\n" HOST),
		CASE(400, "GET /\r\n" HOST),
		CASE(400, "GET / http/1.1\r\n" HOST),
		CASE(400, "G\"T / HTTP/1.1\r\n" HOST),
		CASE(0, "GET / HTTP/1.2\r\n" HOST),
		CASE(505, "PRI * HTTP/2.0\r\n"),
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unsigned status = status_of(cases[i].bytes);
		if (status != cases[i].status)
			fail_msg("%u, not %u: " STR_FMT, status, cases[i].status,
				 STR_ARG(cases[i].bytes));
	}
}

static void test_a_target_stays_as_it_stands(void **state)
{
	(void)state;
	struct http_head h;
	assert_int_equal(
		read_head(&h, STR("GET /a%2Fb?x%26sid%3Dabc=1&y#z HTTP/1.1\r\n" HOST "\r\n")), 0);
	assert_str(h.path, "/a%2Fb");
	assert_str(h.query, "x%26sid%3Dabc=1&y");
	assert_int_equal(read_head(&h, STR("GET HTTP://Other:81?q HTTP/1.1\r\n" HOST "\r\n")), 0);
	assert_str(h.path, "/");
	assert_str(h.query, "q");
	assert_str(h.host, "Other:81");
	assert_int_equal(read_head(&h, STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")), 0);
	assert_str(h.path, "*");
}

static void test_only_websocket_is_an_upgrade(void **state)
{
	(void)state;
	static const struct {
		bool is_websocket;
		const char *fields;
	} cases[] = {
		{true, "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
		{true, "connection: keep-alive , UPGRADE\r\nupgrade: h2c, WebSocket\r\n"},
		{true, "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"},
		{false, "Upgrade: websocket\r\n"},
		{false, "Connection: Upgrade\r\n"},
		{false, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"},
		{false, "Connection: close\r\nUpgrade: websocket\r\n"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_head h;
		char text[300];
		snprintf(text, sizeof text, "GET /ws HTTP/1.1\r\n" HOST "%s\r\n", cases[i].fields);
		assert_int_equal(read_head(&h, str_from(text)), 0);
		assert_int_equal(h.is_websocket, cases[i].is_websocket);
	}
}

static void test_paths_are_decoded_or_refused(void **state)
{
	(void)state;
	struct buf path = {0};
	assert_true(http_path(STR("/a%20b%2e%C3%bc"), &path));
	assert_str(buf_view(&path), "/a b.ü");
	const struct str bad[] = {STR("/%"), STR("/%4"), STR("/%zz"), STR("/%00"), STR("/%0")};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(http_path(bad[i], &path));
	buf_free(&path);
}

/* ---- chunks ---- */

/* The body, or "more", "bad", "too large"; in one piece, and byte by byte. */
static const char *read_chunks(struct str bytes, bool is_whole)
{
	static char text[200];
	struct http_chunks c = {0};
	struct buf body = {.max = 100};
	enum http_progress progress = HTTP_MORE;
	size_t step = is_whole ? bytes.len : 1;
	for (size_t at = 0; at < bytes.len && progress == HTTP_MORE; at += step)
		progress = http_chunks_take(&c, str_of(bytes.ptr + at, step), &body);
	snprintf(text, sizeof text, STR_FMT, STR_ARG(buf_view(&body)));
	bool is_over = body.overflow;
	buf_free(&body);
	if (is_over)
		return "too large";
	return progress == HTTP_WHOLE ? text : progress == HTTP_BAD ? "bad" : "more";
}

static void test_chunks_become_a_body(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *body;
	} cases[] = {
		{"0\r\n\r\n", ""},
		{"2\r\n40\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "40"},
		{"1\r\na\r\n000002;x=\"y\"\r\nbc\r\n0\r\nTrailer: t\r\n\r\n", "abc"},
		{"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
		{"2\r\n40\r\n0\r\n", "more"},
		{"", "more"},
		{"\r\n", "bad"},
		{"2 \r\n40", "bad"},
		{"0x2\r\n40", "bad"},
		{"+2\r\n40", "bad"},
		{"-1\r\n40", "bad"},
		{"2\n40", "bad"},
		{"2\r\n403\r\n", "bad"},
		{"2;\x01\r\n40", "bad"},
		{"ffffffffffffffff1\r\n", "bad"},
		{"7fffffffff\r\n"
		 "0123456789012345678901234567890123456789012345678901234567890123456789"
		 "0123456789012345678901234567890123456789",
		 "too large"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(read_chunks(str_from(cases[i].bytes), true), cases[i].body);
		assert_string_equal(read_chunks(str_from(cases[i].bytes), false), cases[i].body);
	}
}

static void test_what_is_skipped_is_bounded(void **state)
{
	(void)state;
	struct http_chunks c = {0};
	struct buf body = {.max = 100};
	enum http_progress progress = http_chunks_take(&c, STR("1;"), &body);
	size_t skipped = 0;
	for (; progress == HTTP_MORE && skipped < 100000; skipped++)
		progress = http_chunks_take(&c, STR("x"), &body);
	assert_int_equal(progress, HTTP_BAD);
	assert_in_range(skipped, 1000, 10000);
}

/* ---- origins ---- */

static void test_origins_and_hosts(void **state)
{
	(void)state;
	static const struct {
		const char *host, *origin;
		bool is_same;
	} cases[] = {
		{"chat.example", "https://chat.example", true},
		{"chat.example", "http://chat.example", true},
		{"chat.example:443", "https://chat.example", true},
		{"chat.example:443", "http://chat.example", false},
		{"chat.example:80", "http://chat.example", true},
		{"chat.example", "https://chat.example:443", true},
		{"chat.example", "https://chat.example/", true},
		{"chat.example.", "https://chat.example", true},
		{"chat.example:", "https://chat.example", true},
		{"chat.example:8080", "http://chat.example:8080/", true},
		{"CHAT.example", "HTTPS://chat.EXAMPLE", true},
		{"[::1]:8080", "http://[::1]:8080", true},
		{"chat.example", "https://evil.example", false},
		{"chat.example", "https://chat.example.evil.example", false},
		{"chat.example", "https://chat.example:444", false},
		{"chat.example:8080", "http://chat.example", false},
		{"chat.example", "capacitor://chat.example", false},
		{"chat.example", "null", false},
		{"chat.example", "https://", false},
		{"chat.example", "https:///", false},
		{"chat.example", "https://chat.example/x", false},
		{"chat.example", "https://chat.example//", false},
		{"chat.example", "https://u@chat.example", false},
		{"chat.example", "https://*.example", false},
		{"chat.example", "https://chat.example:99999", false},
		{"chat.example", "://chat.example", false},
		{"", "https://chat.example", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_origin o;
		bool is_same = http_origin_read(&o, str_from(cases[i].origin)) &&
			       http_origin_is_of(&o, str_from(cases[i].host), false);
		if (is_same != cases[i].is_same)
			fail_msg("%s at %s", cases[i].origin, cases[i].host);
	}
	struct http_origin a, b;
	assert_true(http_origin_read(&a, STR("https://chat.example")));
	assert_true(http_origin_is_of(&a, STR("chat.example"), true));
	assert_true(http_origin_is_of(&a, STR("chat.example:443"), true));
	assert_false(http_origin_is_of(&a, STR("chat.example:80"), true));
	assert_true(http_origin_read(&a, STR("http://chat.example")));
	assert_false(http_origin_is_of(&a, STR("chat.example"), true));
	assert_false(http_origin_is_of(&a, STR("chat.example:80"), true));
	assert_true(http_origin_read(&a, STR("capacitor://localhost")));
	assert_true(http_origin_read(&b, STR("capacitor://LOCALHOST/")));
	assert_true(http_origin_equal(&a, &b));
	assert_true(http_origin_read(&b, STR("http://localhost")));
	assert_false(http_origin_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_head_ends_where_it_ends),
		cmocka_unit_test(test_what_no_head_holds_is_seen_at_once),
		cmocka_unit_test(test_two_meanings_are_refused),
		cmocka_unit_test(test_a_target_stays_as_it_stands),
		cmocka_unit_test(test_only_websocket_is_an_upgrade),
		cmocka_unit_test(test_paths_are_decoded_or_refused),
		cmocka_unit_test(test_chunks_become_a_body),
		cmocka_unit_test(test_what_is_skipped_is_bounded),
		cmocka_unit_test(test_origins_and_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
