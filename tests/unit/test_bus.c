// SPDX-License-Identifier: MIT
/* test_bus.c — every event of bus.def through the codec: round trips, limits, and bytes that are
 * not ours. */
#include "proto/bus.h"
#include "tests/sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>

static const struct envelope self = {.from = SERVICE_GATEWAY, .id = 3, .epoch = 77, .seq = 5};

/* Text of exactly len bytes. */
static struct str text(size_t len)
{
	static char bytes[BODY_MAX + 2];
	memset(bytes, 'x', sizeof bytes);
	return str_of(bytes, len);
}

static struct str message_of(struct buf *b, const struct batch *batch)
{
	buf_reset(b);
	bus_put_header(b, &self);
	buf_str(b, buf_view(&batch->bytes));
	return buf_view(b);
}

static void put_all(struct batch *batch, size_t len)
{
	struct buf records = {0};
	struct rec_chat chat = {
		.seq = 1, .time = 2, .user = text(3), .cid = text(4), .body = text(5)};
	bus_pack_chat(&records, &chat);
	size_t chat_end = records.len;
	bus_pack_name(&records, &(struct rec_name){.user = text(3)});
	size_t name_end = records.len;
	bus_pack_invitation(&records, &(struct rec_invitation){.room = text(3), .user = text(4)});
	size_t invitation_end = records.len;
	bus_pack_place(&records, &(struct rec_place){.gateway = 6, .address = text(5)});
	const struct list of_chat = {.count = 1, .packed = str_of(records.ptr, chat_end)};
	const struct list of_name = {.count = 1,
				     .packed = str_of(records.ptr + chat_end, name_end - chat_end)};
	const struct list of_invitation = {
		.count = 1, .packed = str_of(records.ptr + name_end, invitation_end - name_end)};
	const struct list of_epoch = {
		.count = 1,
		.packed = STR("\x92\x07\x08"),
	};
	const struct list of_place = {
		.count = 1,
		.packed = str_of(records.ptr + invitation_end, records.len - invitation_end)};
#define FILL_U(field) ev.field = 0x123456789abcdefu;
#define FILL_S(field, max) ev.field = text(len < (max) ? len : (max));
#define FILL_L(field, record, max) ev.field = of_##record;
#define E(number, name, from, to, meaning)                                        \
	{                                                                         \
		struct ev_##name ev;                                              \
		FIELDS_##name(FILL_U, FILL_S, FILL_L) bus_put_##name(batch, &ev); \
	}
	BUS_EVENTS(E)
#undef E
	buf_free(&records);
}

static size_t event_count(void)
{
	size_t count;
	(void)bus_rows(&count);
	return count;
}

static void round_trip_with(size_t len)
{
	struct batch sent = {0};
	struct batch again = {0};
	struct buf message = {0};
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	put_all(&sent, len);
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(bus_open(&reader, message_of(&message, &sent), &env));
	assert_int_equal(env.from, SERVICE_GATEWAY);
	assert_int_equal(env.id, 3);
	assert_int_equal(env.epoch, 77);
	assert_int_equal(env.seq, 5);
	size_t count = 0;
	while (bus_next(&reader, &ev)) {
		assert_int_equal(ev.type, bus_rows(&(size_t){0})[count].type);
		bus_put(&again, &ev);
		count++;
	}
	assert_false(reader.in.bad);
	assert_int_equal(count, event_count());
	assert_int_equal(sent.bytes.len, again.bytes.len);
	assert_memory_equal(sent.bytes.ptr, again.bytes.ptr, sent.bytes.len);
	bus_reader_free(&reader);
	batch_free(&sent);
	batch_free(&again);
	buf_free(&message);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip_with(0);
	round_trip_with(7);
	round_trip_with(BODY_MAX); /* each field at its limit */
}

/* Reads whatever comes; returns how many events were taken. */
static size_t read_all(struct bus_reader *reader, struct str bytes)
{
	struct envelope env;
	struct bus_event ev;
	struct buf json = {0};
	size_t count = 0;
	if (!bus_open(reader, bytes, &env))
		return 0;
	while (bus_next(reader, &ev)) {
		bus_json(&json, &ev); /* touches each field */
		count++;
	}
	buf_free(&json);
	return count;
}

static void test_a_field_over_its_limit_is_refused(void **state)
{
	(void)state;
	struct bus_reader reader;
	struct buf b = {0};
	bus_reader_init(&reader, SERVICE_ANY);
	bus_put_header(&b, &self);
	/* release{user}: [3, user] with one byte too many */
	BUF_LIT(&b, "\x92\x03\xda");
	char len[2] = {(char)((USER_MAX + 1) >> 8), (char)((USER_MAX + 1) & 255)};
	buf_append(&b, len, sizeof len);
	buf_str(&b, text(USER_MAX + 1));
	assert_int_equal(read_all(&reader, buf_view(&b)), 0);
	assert_true(reader.in.bad);
	buf_free(&b);
	bus_reader_free(&reader);
}

static void test_counts_that_cannot_be_are_refused(void **state)
{
	(void)state;
	static const char *const lies[] = {
		"\x92\x03\xdb\x7f\xff\xff\xff",
		"\xdd\x7f\xff\xff\xff",
		"\xdc\xff\xff",
		"\x91",
		"\x90",
		"\xdf\x7f\xff\xff\xff",
		"\xc1",
		"\x92\x03\xc4\x01",
		"\x05",
		"\x92\xa1\x61\x03",
	};
	struct bus_reader reader;
	bus_reader_init(&reader, SERVICE_ANY);
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct buf b = {0};
		bus_put_header(&b, &self);
		buf_str(&b, str_from(lies[i]));
		assert_int_equal(read_all(&reader, buf_view(&b)), 0);
		assert_true(reader.in.bad);
		buf_free(&b);
	}
	bus_reader_free(&reader);
}

static void test_what_is_newer_is_skipped(void **state)
{
	(void)state;
	struct bus_reader reader;
	struct buf b = {0};
	bus_reader_init(&reader, SERVICE_ANY);
	bus_put_header(&b, &self);
	BUF_LIT(&b, "\x92\xcd\x03\xe7\xa1"
		    "a"); /* event 999 */
	BUF_LIT(&b, "\x94\x03\xa3"
		    "ann\x07\xa1"
		    "z"); /* release with two fields more */
	assert_int_equal(read_all(&reader, buf_view(&b)), 1);
	assert_false(reader.in.bad);
	assert_int_equal(reader.unknown, 1);
	buf_free(&b);
	bus_reader_free(&reader);
}

/* Fields are only ever appended: those that an older sender does not know are zero. */
static void test_what_is_older_is_read(void **state)
{
	(void)state;
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	struct buf b = {0};
	bus_reader_init(&reader, SERVICE_ANY);
	bus_put_header(&b, &self);
	/* join_answer without status and version; a page without its messages; one with a message
	 * that has no body */
	BUF_LIT(&b, "\x94\x15\x09\xa1m\xa3"
		    "ann"
		    "\x96\x33\x01\xa1m\x00\x05\x01"
		    "\x97\x33\x01\xa1m\x00\x05\x01\x91\x94\x05\x06\xa3"
		    "bob\xa1"
		    "c");
	assert_true(bus_open(&reader, buf_view(&b), &env));
	assert_true(bus_next(&reader, &ev));
	assert_int_equal(ev.type, EV_join_answer);
	assert_true(str_equal(ev.as.join_answer.user, STR("ann")));
	assert_true(ev.as.join_answer.status == 0 && ev.as.join_answer.version == 0);
	assert_true(bus_next(&reader, &ev));
	assert_true(ev.as.page.head == 5 && ev.as.page.messages.count == 0);
	assert_true(bus_next(&reader, &ev));
	const struct rec_chat chat = bus_chat_at(&ev.as.page.messages, 0);
	assert_true(chat.seq == 5 && chat.time == 6 && str_equal(chat.user, STR("bob")));
	assert_int_equal(chat.body.len, 0);
	assert_false(bus_next(&reader, &ev));
	assert_false(reader.in.bad);
	buf_free(&b);
	bus_reader_free(&reader);
}

/* Records of other writers: fields that we do not know, numbers and lengths wider than they need
 * be.
 */
static void test_records_of_others(void **state)
{
	(void)state;
	static const char page[] = "\x97\x33\x01\xa1m\x00\x02\x00\xdc\x00\x02"
				   "\x97\x01\xd1\x00\x07\xd9\x03"
				   "ann\xa1"
				   "c\xda\x00\x02hi\x92\x01\xc0\xa1z"
				   "\x95\xcf\0\0\0\0\0\0\0\x02\xce\0\0\0\x08\xa3"
				   "bob\xa0\xdb\0\0\0\x02ho";
	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	struct buf b = {0};
	bus_reader_init(&reader, SERVICE_ANY);
	bus_put_header(&b, &self);
	buf_append(&b, page, sizeof page - 1);
	assert_true(bus_open(&reader, buf_view(&b), &env));
	assert_true(bus_next(&reader, &ev));
	const struct list *list = &ev.as.page.messages;
	assert_int_equal(list->count, 2);
	for (uint32_t again = 0; again < 2; again++) {
		const struct rec_chat second = bus_chat_at(list, 1);
		const struct rec_chat first = bus_chat_at(list, 0);
		assert_true(first.seq == 1 && first.time == 7);
		assert_true(str_equal(first.user, STR("ann")) && str_equal(first.cid, STR("c")));
		assert_true(str_equal(first.body, STR("hi")));
		assert_true(second.seq == 2 && second.time == 8 && second.cid.len == 0);
		assert_true(str_equal(second.user, STR("bob")) &&
			    str_equal(second.body, STR("ho")));
	}
	assert_false(bus_next(&reader, &ev));
	assert_false(reader.in.bad);
	for (size_t len = b.len - 1; len > b.len - sizeof page + 1; len--) {
		assert_true(bus_open(&reader, str_of(b.ptr, len), &env));
		assert_false(bus_next(&reader, &ev));
		assert_true(reader.in.bad);
	}
	b.ptr[b.len - sizeof page + 1 + 14] = '\xff'; /* the first record's time is negative */
	assert_true(bus_open(&reader, buf_view(&b), &env));
	assert_false(bus_next(&reader, &ev));
	buf_free(&b);
	bus_reader_free(&reader);
}

static void test_headers_that_are_not_ours(void **state)
{
	(void)state;
	struct envelope env;
	struct bus_reader reader;
	bus_reader_init(&reader, SERVICE_ANY);
	assert_false(bus_open(&reader, STR(""), &env));
	assert_false(bus_open(&reader, STR("hello"), &env));
	assert_false(bus_open(&reader, STR("\x96\x02\x00\x01\x03\x04\x05"), &env)); /* version 2 */
	assert_false(
		bus_open(&reader, str_of("\x96\x01\x00\x00\x03\x04\x05", 7), &env)); /* service 0 */
	assert_false(
		bus_open(&reader, str_of("\x96\x01\x00\x04\x03\x04\x05", 7), &env)); /* service 4 */
	assert_false(bus_open(&reader, str_of("\x95\x01\x00\x01\x03\x04", 6), &env));
	assert_true(bus_open(&reader, str_of("\x97\x01\x09\x01\x03\x04\x05\x06", 8),
			     &env)); /* newer minor */
	bus_reader_free(&reader);
}

static void test_damaged_messages_harm_nobody(void **state)
{
	(void)state;
	struct rng rng = {42};
	struct batch batch = {0};
	struct buf message = {0};
	struct bus_reader reader;
	bus_reader_init(&reader, SERVICE_ANY);
	put_all(&batch, 9);
	struct str whole = message_of(&message, &batch);
	size_t all = read_all(&reader, whole);
	assert_int_equal(all, event_count());
	for (size_t len = 0; len < whole.len; len++) {
		struct str copy =
			str_copy(str_of(whole.ptr, len)); /* so that a read behind it is seen */
		assert_true(read_all(&reader, copy) < all);
		str_free(&copy);
	}
	for (int i = 0; i < 20000; i++) {
		struct str copy = str_copy(whole);
		size_t flips = 1 + rng_below(&rng, 8);
		while (flips--)
			((char *)(uintptr_t)copy.ptr)[rng_below(&rng, copy.len)] ^=
				(char)(1u << rng_below(&rng, 8));
		(void)read_all(&reader, copy);
		str_free(&copy);
	}
	batch_free(&batch);
	buf_free(&message);
	bus_reader_free(&reader);
}

static void test_a_long_batch_comes_in_pieces(void **state)
{
	(void)state;
	struct batch batch = {0};
	struct bus_reader reader;
	struct str piece;
	size_t pieces = 0;
	size_t events = 0;
	bus_reader_init(&reader, SERVICE_ANY);
	for (int i = 0; i < 100; i++)
		bus_put_chat_post(&batch, &(struct ev_chat_post){.room = text(9),
								 .user = text(9),
								 .cid = text(9),
								 .body = text(BODY_MAX)});
	for (; batch_piece(&batch, pieces, &piece); pieces++) {
		struct buf b = {0};
		bus_put_header(&b, &self);
		buf_str(&b, piece);
		assert_true(b.len < MESSAGE_MAX);
		events += read_all(&reader, buf_view(&b));
		assert_false(reader.in.bad);
		buf_free(&b);
	}
	assert_true(pieces > 10);
	assert_int_equal(events, 100);
	batch_reset(&batch);
	assert_false(batch_piece(&batch, 0, &piece));
	batch_free(&batch);
	bus_reader_free(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_a_field_over_its_limit_is_refused),
		cmocka_unit_test(test_counts_that_cannot_be_are_refused),
		cmocka_unit_test(test_what_is_newer_is_skipped),
		cmocka_unit_test(test_what_is_older_is_read),
		cmocka_unit_test(test_records_of_others),
		cmocka_unit_test(test_headers_that_are_not_ours),
		cmocka_unit_test(test_damaged_messages_harm_nobody),
		cmocka_unit_test(test_a_long_batch_comes_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
