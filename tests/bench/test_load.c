// SPDX-License-Identifier: MIT
/* test_load.c — the parts of the generator that numbers rest on: percentiles, who has seen what,
 * and frames. */
#include "tests/bench/load/hist.h"
#include "tests/bench/load/stamp.h"
#include "tests/bench/load/ws.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void percentiles_are_close(void **state)
{
	(void)state;
	static struct hist h;
	hist_clear(&h);
	assert_int_equal(hist_at(&h, 0.5), 0);
	for (uint64_t v = 1; v <= 100000; v++)
		hist_add(&h, v * 1000);
	const double shares[] = {0.001, 0.1, 0.5, 0.9, 0.99, 0.999};
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		double exact = shares[i] * 1e8;
		double got = (double)hist_at(&h, shares[i]);
		assert_true(got >= exact && got <= exact * 1.016);
	}
	assert_int_equal(hist_at(&h, 1), 100000000);
}

static void every_value_has_a_bucket(void **state)
{
	(void)state;
	static struct hist h;
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = (uint64_t)1 << bit;
		hist_clear(&h);
		hist_add(&h, value);
		hist_add(&h, value - 1);
		assert_int_equal(hist_at(&h, 1), value);
		assert_true(hist_at(&h, 0.5) >= value - 1);
	}
	hist_add(&h, UINT64_MAX);
	assert_true(hist_at(&h, 1) == UINT64_MAX);
}

static void a_reader_knows_what_it_has_seen(void **state)
{
	(void)state;
	struct track t = {0};
	assert_int_equal(track_take(&t, 0), TRACK_NEW);
	assert_int_equal(track_take(&t, 0), TRACK_AGAIN);
	assert_int_equal(track_take(&t, 3), TRACK_NEW);
	assert_int_equal(track_take(&t, 1), TRACK_LATE);
	assert_int_equal(track_take(&t, 1), TRACK_AGAIN);
	assert_int_equal(track_take(&t, 3), TRACK_AGAIN);
	assert_int_equal(track_take(&t, 2), TRACK_LATE);
	assert_int_equal(track_take(&t, 66), TRACK_NEW);
	assert_int_equal(track_take(&t, 4), TRACK_LATE);
	assert_int_equal(track_take(&t, 3), TRACK_AGAIN);
	assert_int_equal(track_take(&t, 1000), TRACK_NEW);
	assert_int_equal(track_take(&t, 999), TRACK_LATE);
}

static void a_stamp_is_found_again(void **state)
{
	(void)state;
	char frame[200] = "{\"body\":\"";
	const struct stamp in = {.due_ns = 0x123456789abcde, .seat = 0xfedc, .number = 0x89abcdef};
	struct stamp out;
	stamp_put(frame + 9, 128, &in);
	assert_true(stamp_find(str_of(frame, 9 + 128), &out));
	assert_true(out.due_ns == in.due_ns);
	assert_int_equal(out.seat, in.seat);
	assert_int_equal(out.number, in.number);
	assert_false(stamp_find(str_of(frame, 9 + STAMP_BYTES - 1), &out));
	assert_false(stamp_find(str_of(frame, 9), &out));
}

/* What a client writes is what a server reads, but for the mask, which is undone here. */
static void frames_come_out_as_they_went_in(void **state)
{
	(void)state;
	const size_t lengths[] = {0, 1, 125, 126, 65535, 65536};
	static char payload[65536];
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct buf b = {0};
		struct ws_frame f;
		size_t len = lengths[i], header = len < 126 ? 2 : len < 65536 ? 4 : 10;
		memset(payload, 'p', len);
		ws_put(&b, WS_TEXT, str_of(payload, len), 0x01020304);
		for (size_t at = 0; at < len; at++)
			b.ptr[header + 4 + at] ^= b.ptr[header + (at & 3)];
		memmove(b.ptr + header, b.ptr + header + 4, len);
		b.ptr[1] &= 0x7f;
		b.len -= 4;
		for (size_t cut = 0; cut < b.len; cut += 1 + cut / 2)
			assert_int_equal(ws_next(str_of(b.ptr, cut), &f), 0);
		assert_int_equal(ws_next(buf_view(&b), &f), b.len);
		assert_int_equal(f.opcode, WS_TEXT);
		assert_false(f.is_odd);
		assert_true(str_equal(f.payload, str_of(payload, len)));
		buf_free(&b);
	}
}

static void odd_frames_are_noticed(void **state)
{
	(void)state;
	struct ws_frame f;
	static const char *const odd[] = {"\x01\x01x", "\x80\x01x", "\xc1\x01x", "\x81\x81kkkkx"};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_true(ws_next(str_from(odd[i]), &f) > 0);
		assert_true(f.is_odd);
	}
}

static void responses_to_the_handshake(void **state)
{
	(void)state;
	const struct str yes = STR("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n");
	const struct str no = STR("HTTP/1.1 403 Forbidden\r\n\r\n");
	assert_int_equal(ws_response(yes), yes.len);
	assert_int_equal(ws_response(str_of(yes.ptr, yes.len - 1)), 0);
	assert_true(ws_response(no) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percentiles_are_close),
		cmocka_unit_test(every_value_has_a_bucket),
		cmocka_unit_test(a_reader_knows_what_it_has_seen),
		cmocka_unit_test(a_stamp_is_found_again),
		cmocka_unit_test(frames_come_out_as_they_went_in),
		cmocka_unit_test(odd_frames_are_noticed),
		cmocka_unit_test(responses_to_the_handshake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
