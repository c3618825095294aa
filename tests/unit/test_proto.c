// SPDX-License-Identifier: MIT
/* test_proto.c — the small parts that all services rest on: hash table, links, shards, buffers,
 * JSON strings. */
#include "proto/json_out.h"
#include "proto/link.h"
#include "proto/shard.h"
#include "proto/table.h"
#include "tests/sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum { KEYS = 300 };

struct item {
	char name[16];
	bool is_in;
};

static struct str item_key(const void *item)
{
	return str_from(((const struct item *)item)->name);
}

static void test_table_against_a_model(void **state)
{
	(void)state;
	static struct item items[KEYS];
	struct rng rng = {7};
	struct table t;
	size_t in = 0;
	table_init(&t, item_key, 99);
	for (int i = 0; i < KEYS; i++)
		snprintf(items[i].name, sizeof items[i].name, "key-%d", i);
	for (int step = 0; step < 50000; step++) {
		/* Times of growing and times of shrinking. */
		bool adds = rng_below(&rng, 10) < (step / 5000 % 2 ? 3u : 7u);
		struct item *item = &items[rng_below(&rng, KEYS)];
		assert_ptr_equal(table_find(&t, item_key(item)), item->is_in ? item : NULL);
		if (adds && !item->is_in) {
			table_add(&t, item);
			item->is_in = true;
			in++;
		} else if (!adds) {
			assert_ptr_equal(table_remove(&t, item_key(item)),
					 item->is_in ? item : NULL);
			in -= item->is_in;
			item->is_in = false;
		}
		assert_int_equal(t.count, in);
	}
	size_t seen = 0;
	struct item *each;
	TABLE_EACH (&t, i, each)
		seen += each->is_in;
	assert_int_equal(seen, in);
	table_free(&t);
}

static enum link_result receive(struct link *l, uint64_t epoch, uint64_t seq, uint64_t now_ms)
{
	struct envelope env = {.from = SERVICE_ROOMD, .epoch = epoch, .seq = seq};
	return link_receive(l, &env, now_ms);
}

static void test_link_verdicts(void **state)
{
	(void)state;
	struct link l = {0};
	assert_int_equal(receive(&l, 10, 5, 0), LINK_NEW);
	assert_int_equal(receive(&l, 10, 6, 10), LINK_NEXT);
	assert_int_equal(receive(&l, 10, 6, 20), LINK_STALE); /* a repetition */
	assert_int_equal(receive(&l, 10, 9, 30), LINK_GAP);
	assert_int_equal(receive(&l, 10, 10, 40), LINK_NEXT);
	assert_int_equal(receive(&l, 9, 99, 50), LINK_STALE); /* an earlier life */
	assert_int_equal(receive(&l, 11, 1, 60), LINK_NEW);   /* a restart */
	assert_int_equal(receive(&l, 11, 2, 70), LINK_NEXT);
}

static void test_link_lease(void **state)
{
	(void)state;
	struct link l = {0};
	assert_false(link_lapsed(&l, 100000)); /* never heard: nothing to lapse */
	assert_int_equal(receive(&l, 10, 1, 1000), LINK_NEW);
	assert_false(link_lapsed(&l, 1000 + LEASE_MS - 1));
	assert_true(link_lapsed(&l, 1000 + LEASE_MS));
	assert_false(link_lapsed(&l, 1000 + LEASE_MS + 1)); /* once */
	assert_int_equal(receive(&l, 10, 2, 20000), LINK_NEW);
	assert_true(link_lapsed(&l, 20000 + LEASE_MS));
	assert_int_equal(receive(&l, 4, 1, 40000), LINK_NEW); /* its clock was set back */
}

static void test_shards(void **state)
{
	(void)state;
	enum { NAMES = 10000 };
	uint32_t moved = 0;
	uint32_t counts[5] = {0};
	for (int i = 0; i < NAMES; i++) {
		char name[16];
		snprintf(name, sizeof name, "room-%d", i);
		uint32_t four = shard_of(str_from(name), 4);
		uint32_t five = shard_of(str_from(name), 5);
		assert_true(four < 4 && five < 5);
		assert_true(five == four || five == 4); /* only to the new one */
		moved += five != four;
		counts[five]++;
		assert_int_equal(shard_of(str_from(name), 1), 0);
	}
	assert_in_range(moved, NAMES / 5 - 300, NAMES / 5 + 300);
	for (int i = 0; i < 5; i++)
		assert_in_range(counts[i], NAMES / 5 - 300, NAMES / 5 + 300);
	/* A change of these would send rooms to other shards than their data. */
	assert_int_equal(shard_of(STR("main"), 4), 2);
	assert_int_equal(shard_of(STR("lobby"), 4), 0);
	assert_int_equal(shard_of(STR("grüße"), 64), 21);
}

static void test_buffer_with_a_ceiling(void **state)
{
	(void)state;
	struct buf b = {.max = 10};
	BUF_LIT(&b, "12345");
	buf_u64(&b, 67890);
	assert_false(b.overflow);
	BUF_LIT(&b, "x");
	assert_true(b.overflow);
	assert_true(str_equal(buf_view(&b), STR("1234567890")));
	buf_reset(&b);
	buf_u64(&b, UINT64_MAX); /* 20 digits */
	assert_true(b.overflow && b.len == 0);
	buf_free(&b);
}

static void test_json_strings(void **state)
{
	(void)state;
	struct buf b = {0};
	json_out_str(&b, str_of("a\"b\\c\n\x01\x7f\0z", 10));
	json_out_str(&b, STR("grüße 🙂"));
	assert_true(str_equal(buf_view(&b),
			      STR("\"a\\\"b\\\\c\\n\\u0001\\u007f\\u0000z\"\"grüße 🙂\"")));
	buf_free(&b);
}

/* Every byte at every place, between plain ones and between such as need an escape too. */
static void test_json_escapes_everywhere(void **state)
{
	(void)state;
	struct buf b = {0};
	char expected[256];
	for (unsigned c = 0; c < 256; c++)
		for (size_t at = 0; at < 20; at++) {
			const char *between = at % 2 ? "~" : "\xff";
			char text[20];
			memset(text, *between, sizeof text);
			text[at] = (char)c;
			text[19] = '"';
			int len = 0;
			for (size_t i = 0; i < sizeof text; i++) {
				unsigned char is = (unsigned char)text[i];
				static const char of[] = "\"\\\b\f\n\r\t";
				static const char letters[] = "\"\\bfnrt";
				const char *special = is ? strchr(of, is) : NULL;
				char *to = expected + len;
				size_t room = sizeof expected - (size_t)len;
				if (special)
					len += snprintf(to, room, "\\%c", letters[special - of]);
				else if (is < 0x20 || is == 0x7f)
					len += snprintf(to, room, "\\u%04x", is);
				else
					len += snprintf(to, room, "%c", is);
			}
			buf_reset(&b);
			json_out_str(&b, str_of(text, sizeof text));
			assert_int_equal(b.len, len + 2);
			assert_memory_equal(b.ptr + 1, expected, (size_t)len);
		}
	buf_free(&b);
}

static void test_numbers(void **state)
{
	(void)state;
	struct buf b = {0};
	char expected[32];
	for (uint64_t power = 1;; power *= 10) {
		for (uint64_t n = power - 2; n != power + 3; n++) { /* from below 0, too */
			int len = snprintf(expected, sizeof expected, "%" PRIu64, n);
			buf_reset(&b);
			buf_u64(&b, n);
			assert_int_equal(b.len, len);
			assert_memory_equal(b.ptr, expected, (size_t)len);
		}
		if (power == 10000000000000000000u)
			break;
	}
	buf_free(&b);
}

static void test_order_of_strings(void **state)
{
	(void)state;
	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("a"), STR("ab")) < 0);
	assert_true(str_compare(STR(""), STR("")) == 0);
	assert_true(str_equal_secret(STR("key"), STR("key")));
	assert_false(str_equal_secret(STR("key"), STR("kez")));
	assert_false(str_equal_secret(STR("key"), STR("ke")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_against_a_model),
		cmocka_unit_test(test_link_verdicts),
		cmocka_unit_test(test_link_lease),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_buffer_with_a_ceiling),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_json_escapes_everywhere),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_order_of_strings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
