// SPDX-License-Identifier: MIT
/* test_keys.c — the on-disk format of keys: pinned bytes, and the order that pages rest on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "historyd/store/keys.h"

#include <stdio.h>

static void hex(const struct key *k, char *out)
{
	for (size_t i = 0; i < k->len; i++)
		snprintf(out + 2 * i, 3, "%02x", (unsigned char)k->bytes[i]);
}

/* If one of these changes, no existing data directory can be read any more. */
static void test_pinned_bytes(void **state)
{
	(void)state;
	struct key keys[5];
	const char *const expected[] = {
		"067f0741d8980ca800046d61696e",
		"067f0741d8980ca800046d61696e0102030405060708",
		"067f0741d8980ca800046d61696e0003616e6e0003632d31",
		"091d6b18b0a65bd50003616e6e",
		"091d6b18b0a65bd50003616e6e000364656e",
	};
	key_room(&keys[0], STR("main"));
	key_chat(&keys[1], STR("main"), 0x0102030405060708);
	key_cid(&keys[2], STR("main"), STR("ann"), STR("c-1"));
	key_inbox(&keys[3], STR("ann"));
	key_invite(&keys[4], STR("ann"), STR("den"));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char text[2 * STORE_KEY_MAX + 1];
		hex(&keys[i], text);
		assert_string_equal(text, expected[i]);
	}
}

/* The bytes of two messages compare as their seqs do, and a room's messages have no other room
 * between them. */
static void test_order(void **state)
{
	(void)state;
	const uint64_t seqs[] = {
		0, 1, 2, 255, 256, 65535, 65536, 1ull << 32, (1ull << 53) - 1, UINT64_MAX};
	const char *const rooms[] = {"a", "b", "aa", "main", "main\x01", "mai"};
	for (size_t room = 0; room < ARRAY_LEN(rooms); room++) {
		struct key first;
		struct key last;
		key_chat(&first, str_from(rooms[room]), 0);
		key_chat(&last, str_from(rooms[room]), UINT64_MAX);
		for (size_t i = 0; i + 1 < ARRAY_LEN(seqs); i++) {
			struct key low;
			struct key high;
			key_chat(&low, str_from(rooms[room]), seqs[i]);
			key_chat(&high, str_from(rooms[room]), seqs[i + 1]);
			assert_true(str_compare(key_view(&low), key_view(&high)) < 0);
		}
		for (size_t other = 0; other < ARRAY_LEN(rooms); other++) {
			struct key k;
			key_chat(&k, str_from(rooms[other]), 7);
			bool is_between = str_compare(key_view(&first), key_view(&k)) < 0 &&
					  str_compare(key_view(&k), key_view(&last)) < 0;
			assert_int_equal(is_between, other == room);
		}
	}
}

static void test_seq_comes_back(void **state)
{
	(void)state;
	struct key room;
	struct key other;
	struct key chat;
	uint64_t seq = 0;
	key_room(&room, STR("main"));
	key_room(&other, STR("mai"));
	key_chat(&chat, STR("main"), 0xfedcba9876543210);
	assert_true(key_chat_seq(key_view(&chat), &room, &seq));
	assert_true(seq == 0xfedcba9876543210);
	assert_false(key_chat_seq(key_view(&chat), &other, &seq));
	for (size_t len = 0; len < chat.len; len++)
		assert_false(key_chat_seq(str_of(chat.bytes, len), &room, &seq));
}

static void test_inbox(void **state)
{
	(void)state;
	struct key ann;
	struct key an;
	struct key invite;
	key_inbox(&ann, STR("ann"));
	key_inbox(&an, STR("an"));
	key_invite(&invite, STR("ann"), STR("den"));
	assert_true(key_is_in_inbox(key_view(&invite), &ann));
	assert_false(key_is_in_inbox(key_view(&invite), &an));
	assert_false(key_is_in_inbox(STR(""), &ann));
}

static void test_longest_names_fit(void **state)
{
	(void)state;
	static char name[ROOM_MAX];
	struct key k;
	key_cid(&k, str_of(name, ROOM_MAX), str_of(name, USER_MAX), str_of(name, CID_MAX));
	assert_int_equal(k.len, STORE_KEY_MAX);
	key_invite(&k, str_of(name, USER_MAX), str_of(name, ROOM_MAX));
	key_chat(&k, str_of(name, ROOM_MAX), UINT64_MAX);
}

static void test_partitions_are_filled_evenly(void **state)
{
	(void)state;
	static unsigned counts[PARTITIONS];
	for (unsigned i = 0; i < PARTITIONS * 16; i++) {
		char name[16];
		struct key k;
		snprintf(name, sizeof name, "room%u", i);
		key_room(&k, str_from(name));
		counts[(unsigned char)k.bytes[0] << 8 | (unsigned char)k.bytes[1]]++;
	}
	for (size_t i = 0; i < PARTITIONS; i++)
		assert_in_range(counts[i], 1, 48);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pinned_bytes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_seq_comes_back),
		cmocka_unit_test(test_inbox),
		cmocka_unit_test(test_longest_names_fit),
		cmocka_unit_test(test_partitions_are_filled_evenly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
