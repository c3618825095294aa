// SPDX-License-Identifier: MIT
/* test_eio_payload.c — Engine.IO's payloads and queries: bytes into packets and back. Not here:
 * sessions (test_eio.c). */
#include "gateway/engineio/eio.h"
#include "gateway/wire/ws_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

/* Packets as "text|<binary>|…", or "bad". */
static const char *read_all(unsigned revision, bool is_octets, struct str body)
{
	static char text[400];
	struct eio_payload p;
	struct eio_packet packet;
	size_t at = 0;
	text[0] = '\0';
	eio_payload_read(&p, revision, is_octets, body);
	while (eio_payload_next(&p, &packet)) {
		int len = snprintf(text + at, sizeof text - at,
				   packet.is_binary ? "%s<" STR_FMT ">" : "%s" STR_FMT,
				   at ? "|" : "", STR_ARG(packet.data));
		at += (size_t)len;
	}
	bool is_bad = p.bad;
	eio_payload_free(&p);
	return is_bad ? "bad" : text;
}

static void test_payloads_of_revision_4(void **state)
{
	(void)state;
	assert_string_equal(read_all(4, false, STR("4hello")), "4hello");
	assert_string_equal(read_all(4, false, STR("4a\0364b\036bYWJj\0363")), "4a|4b|<abc>|3");
	assert_string_equal(read_all(4, false, STR("b")), "<>");
	const char *bad[] = {"",     "4a\036", "\036",  "4a\036\0364b",
			     "bYWJ", "b****",  "4\xff", "4\xed\xa0\x80"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_string_equal(read_all(4, false, str_from(bad[i])), "bad");
}

static void test_payloads_of_revision_3_count_utf16(void **state)
{
	(void)state;
	assert_string_equal(read_all(3, false, STR("6:4hello2:4€")), "4hello|4€");
	assert_string_equal(read_all(3, false, STR("3:4😀1:2")), "4😀|2");
	assert_string_equal(read_all(3, false, STR("6:b4YWJj")), "<abc>");
	assert_string_equal(read_all(3, true,
				     STR("\0\6\xff"
					 "4hello\1\4\xff\4abc")),
			    "4hello|<abc>");
	const char *bad[] = {"",   "abc",  "6:4hell",       "5:4hello", ":4",
			     "0:", "2:4😀", "99999999999:4", "3:b5YWJj"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_string_equal(read_all(3, false, str_from(bad[i])), "bad");
	assert_string_equal(read_all(3, true,
				     STR("\0\6\xff"
					 "4hell")),
			    "bad");
	assert_string_equal(read_all(3, true,
				     STR("\2\1\xff"
					 "4")),
			    "bad");
	assert_string_equal(read_all(3, true,
				     STR("\1\1\xff"
					 "4")),
			    "bad");
}

static void test_frames_become_payloads(void **state)
{
	(void)state;
	struct buf frames = {0};
	struct buf body = {0};
	frame_put(&frames, FRAME_TEXT, STR("4😀"));
	frame_put(&frames, FRAME_TEXT, STR("2"));
	assert_false(eio_payload_write(&body, 4, EIO_BASE64, buf_view(&frames)));
	assert_true(str_equal(buf_view(&body), STR("4😀\0362")));
	buf_reset(&body);
	assert_false(eio_payload_write(&body, 3, EIO_OCTETS, buf_view(&frames)));
	assert_true(str_equal(buf_view(&body), STR("3:4😀1:2")));
	buf_reset(&body);
	frame_put(&frames, FRAME_BINARY, STR("\4abc"));
	assert_true(eio_payload_write(&body, 3, EIO_OCTETS, buf_view(&frames)));
	assert_string_equal(read_all(3, true, buf_view(&body)), "4😀|2|<abc>");
	buf_reset(&body);
	assert_false(eio_payload_write(&body, 3, EIO_BASE64, buf_view(&frames)));
	assert_true(str_equal(buf_view(&body), STR("3:4😀1:26:b4YWJj")));
	buf_free(&frames);
	buf_free(&body);
}

static void test_queries_say_what_they_say(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned revision;
		enum eio_transport_name transport;
		const char *sid;
	} cases[] = {
		{"EIO=4&transport=polling", 4, EIO_POLLING, ""},
		{"&EIO=4&transport=websocket", 4, EIO_WEBSOCKET, ""},
		{"EIO=4&&transport=polling&", 4, EIO_POLLING, ""},
		{"=x&EIO=4&transport=polling&sid=", 4, EIO_POLLING, ""},
		{"transport=polling", 3, EIO_POLLING, ""},
		{"EIO=abc&transport=polling", 0, EIO_POLLING, ""},
		{"EIO=4&transport=polling&x%26sid%3Dabc=1", 4, EIO_POLLING, ""},
		{"EIO=4&transport=polling&x=%26sid%3Dabc", 4, EIO_POLLING, ""},
		{"EIO=4&transport=polling&sid=0-a", 4, EIO_POLLING, "0-a"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct eio_query q;
		eio_query_read(&q, str_from(cases[i].text));
		assert_int_equal(q.revision, cases[i].revision);
		assert_int_equal(q.transport, cases[i].transport);
		assert_string_equal(q.sid, cases[i].sid);
		assert_int_equal(q.has_sid, *cases[i].sid != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payloads_of_revision_4),
		cmocka_unit_test(test_payloads_of_revision_3_count_utf16),
		cmocka_unit_test(test_frames_become_payloads),
		cmocka_unit_test(test_queries_say_what_they_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
