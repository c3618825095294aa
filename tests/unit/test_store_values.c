// SPDX-License-Identifier: MIT
/* test_store_values.c — the on-disk format of values: there and back, and bent bytes refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "historyd/store/values.h"

static char filler[BODY_MAX];

static struct str text_of(size_t len)
{
	memset(filler, 'x', sizeof filler);
	return str_of(filler, len);
}

static void test_chat_comes_back(void **state)
{
	(void)state;
	const size_t lengths[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
	const uint64_t numbers[] = {0,     127,   128,        255,        256,
				    65535, 65536, UINT32_MAX, 1ull << 53, UINT64_MAX};
	struct buf b = {0};
	for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
		for (size_t n = 0; n < ARRAY_LEN(numbers); n++) {
			struct rec_chat chat = {
				.seq = numbers[n],
				.time = numbers[n],
				.user = text_of(lengths[l] < USER_MAX ? lengths[l] : USER_MAX),
				.cid = text_of(lengths[l] < CID_MAX ? lengths[l] : CID_MAX),
				.body = text_of(lengths[l]),
			};
			struct rec_chat back;
			bool is_packed;
			buf_reset(&b);
			bus_pack_chat(&b, &chat);
			assert_true(value_read_chat(buf_view(&b), &back, &is_packed));
			assert_true(is_packed);
			assert_true(back.seq == chat.seq && back.time == chat.time);
			assert_true(str_equal(back.user, chat.user));
			assert_true(str_equal(back.cid, chat.cid));
			assert_true(str_equal(back.body, chat.body));
		}
	buf_free(&b);
}

/* What a newer version has appended, or bytes behind the record, may be read but not passed on. */
static void test_chat_of_others(void **state)
{
	(void)state;
	const struct rec_chat chat = {1, 2, STR("ann"), STR("c"), STR("hi")};
	struct rec_chat back;
	bool is_packed;
	struct buf b = {0};
	bus_pack_chat(&b, &chat);
	BUF_LIT(&b, "\x07");
	assert_true(value_read_chat(buf_view(&b), &back, &is_packed));
	assert_false(is_packed);
	b.ptr[0] = '\x96';
	assert_true(value_read_chat(buf_view(&b), &back, &is_packed));
	assert_false(is_packed);
	assert_true(str_equal(back.body, STR("hi")));
	buf_free(&b);
}

static void test_others_come_back(void **state)
{
	(void)state;
	struct buf b = {0};
	const struct store_room room = {.owner = STR("ann"),
					.authors = {STR("eve"), text_of(USER_MAX)},
					.has_more_authors = true};
	struct store_room room_back = {.seq = 5};
	value_pack_room(&b, &room);
	assert_true(value_read_room(buf_view(&b), &room_back));
	assert_true(str_equal(room_back.owner, room.owner));
	assert_int_equal(room_back.guest.len, 0);
	assert_true(str_equal(room_back.authors[0], room.authors[0]));
	assert_true(str_equal(room_back.authors[1], room.authors[1]));
	assert_true(room_back.has_more_authors);
	assert_int_equal(room_back.seq, 5);
	assert_int_equal(room_back.epoch_count, 0);

	struct store_room old = {.restores = 3, .epoch_count = EPOCHS_MAX};
	for (uint64_t i = 0; i < EPOCHS_MAX; i++)
		old.epochs[i] = (struct rec_epoch){.epoch = i << 48 | 1, .first = i + 1};
	buf_reset(&b);
	value_pack_room(&b, &old);
	assert_true(value_read_room(buf_view(&b), &room_back));
	assert_true(room_back.restores == 3 && room_back.epoch_count == EPOCHS_MAX);
	assert_memory_equal(room_back.epochs, old.epochs, sizeof old.epochs);
	/* As 0.1.0 wrote it. */
	assert_true(value_read_room(STR("\x95\xa1"
					"a\xa0\xa0\xa0\x00"),
				    &room_back));
	assert_true(room_back.restores == 0 && room_back.epoch_count == 0);

	uint64_t seq;
	uint64_t time_ms;
	buf_reset(&b);
	value_pack_cid(&b, 7, UINT64_MAX);
	assert_true(value_read_cid(buf_view(&b), &seq, &time_ms));
	assert_true(seq == 7 && time_ms == UINT64_MAX);

	const struct rec_invitation invitation = {STR("den"), STR("ann")};
	struct rec_invitation invitation_back;
	buf_reset(&b);
	bus_pack_invitation(&b, &invitation);
	assert_true(value_read_invitation(buf_view(&b), &invitation_back));
	assert_true(str_equal(invitation_back.room, invitation.room));
	assert_true(str_equal(invitation_back.user, invitation.user));

	const struct store_format format = {.version = 1,
					    .shard = 2,
					    .shards = 3,
					    .losses = 4,
					    .has_mark = true,
					    .restores = 5};
	struct store_format format_back;
	buf_reset(&b);
	value_pack_format(&b, &format);
	assert_true(value_read_format(buf_view(&b), &format_back));
	assert_true(format_back.version == 1 && format_back.shard == 2 && format_back.shards == 3 &&
		    format_back.losses == 4 && format_back.has_mark && format_back.restores == 5);
	assert_true(value_read_format(STR("\x94\x01\x02\x03\x04"), &format_back));
	assert_true(format_back.losses == 4 && !format_back.has_mark); /* of an older program */
	buf_free(&b);
}

/* Fields that a later version appends do not hinder this one. */
static void test_newer_fields_are_skipped(void **state)
{
	(void)state;
	uint64_t seq;
	uint64_t time_ms;
	assert_true(value_read_cid(STR("\x94\x07\x08\xa1x\xc0"), &seq, &time_ms));
	assert_true(seq == 7 && time_ms == 8);
}

static void test_not_ours(void **state)
{
	(void)state;
	const struct str rows[] = {
		STR(""),
		STR("\x92"),
		STR("\x92\x01"),
		STR("\x91\x01"),
		STR("\x92\x01\xa1x"),
		STR("\x92\x01\xff"),             /* -1 */
		STR("\x82\x01\x02"),             /* a map */
		STR("\xdd\xff\xff\xff\xff\x01"), /* an array of 2^32 */
		STR("\x92\xcf\x01\x02"),
		STR("\x92\x92\x92\x92"),
		STR("\xc1"),
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t seq;
		uint64_t time_ms;
		assert_false(value_read_cid(rows[i], &seq, &time_ms));
	}
	struct rec_invitation invitation;
	assert_false(value_read_invitation(STR("\x92\xdb\xff\xff\xff\xff"), &invitation));
	assert_false(value_read_invitation(STR("\x92\xa1x\xd9"), &invitation));
	assert_false(value_read_invitation(STR("\x92\xa1x\xda\x02\x00y"), &invitation));
}

/* All five readers on one piece of memory that ends where the value does. */
static void read_all(struct str value)
{
	struct str copy = str_of(memcpy(mem_alloc(value.len), value.ptr, value.len), value.len);
	struct rec_chat chat;
	struct rec_invitation invitation;
	struct store_room room;
	struct store_format format;
	uint64_t seq;
	uint64_t time_ms;
	bool is_packed;
	if (value_read_chat(copy, &chat, &is_packed) && chat.body.len)
		assert_true(chat.body.ptr + chat.body.len <= copy.ptr + copy.len);
	(void)!value_read_invitation(copy, &invitation);
	(void)!value_read_room(copy, &room);
	(void)!value_read_format(copy, &format);
	(void)!value_read_cid(copy, &seq, &time_ms);
	mem_free((void *)(uintptr_t)copy.ptr);
}

static void test_corrupt_values(void **state)
{
	(void)state;
	struct buf b = {0};
	const struct rec_chat chat = {1ull << 40, 1456391092857, STR("ann"), STR("some-cid"),
				      text_of(300)};
	bus_pack_chat(&b, &chat);
	for (size_t len = 0; len < b.len; len++) {
		struct rec_chat back;
		bool is_packed;
		assert_false(value_read_chat(str_of(b.ptr, len), &back, &is_packed));
		read_all(str_of(b.ptr, len));
	}
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.ptr[bit / 8] ^= (char)(1 << bit % 8);
		read_all(buf_view(&b));
		b.ptr[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chat_comes_back),
		cmocka_unit_test(test_chat_of_others),
		cmocka_unit_test(test_others_come_back),
		cmocka_unit_test(test_newer_fields_are_skipped),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_corrupt_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
