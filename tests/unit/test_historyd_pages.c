// SPDX-License-Identifier: MIT
/* test_historyd_pages.c — pages: every range against a plain re-statement of the rule, and their
 * limits. */
#include "tests/unit/test_historyd.h"

#include <stdio.h>
#include <stdlib.h>

/* `count` messages in the room, with bodies of this size. */
static void fill(struct rig *r, const char *room, unsigned count, size_t body_bytes)
{
	char *body = mem_alloc(body_bytes + 1);
	memset(body, 'x', body_bytes);
	for (unsigned i = 0; i < count; i++) {
		char cid[16];
		snprintf(cid, sizeof cid, "%s%u", room, i);
		rig_post(r, i, room, "ann", cid, body);
		rig_step(r);
	}
	rig_flush(r, ERR_OK);
	mem_free(body);
}

/* The rule: of the messages with after < seq < before the newest or the oldest `limit`, ascending;
 * and the head, unless `before` is given. `stored` ascends to the head. */
static void expect_page_of(struct buf *b, const struct ev_page_ask *ask, const uint64_t *stored,
			   size_t stored_count)
{
	uint64_t limit = ask->limit < 1 ? 1 : ask->limit > PAGE_MAX ? PAGE_MAX : ask->limit;
	uint64_t seqs[300];
	size_t count = 0;
	for (size_t i = 0; i < stored_count; i++)
		if (stored[i] > ask->after && (ask->before == 0 || stored[i] < ask->before))
			seqs[count++] = stored[i];
	size_t shown = count < limit ? count : limit;
	size_t start = ask->newest ? count - shown : 0;
	buf_reset(b);
	buf_printf(b, "page 0 main ok head=%u%s:",
		   ask->before ? 0 : (unsigned)stored[stored_count - 1],
		   count > shown ? " more" : "");
	for (size_t i = start; i < start + shown; i++)
		buf_printf(b, " %u", (unsigned)seqs[i]);
	BUF_LIT(b, "\n");
	buf_append(b, "", 1);
}

static void expect_page(struct buf *b, const struct ev_page_ask *ask, uint64_t head)
{
	uint64_t stored[300];
	for (uint64_t seq = 1; seq <= head; seq++)
		stored[seq - 1] = seq;
	expect_page_of(b, ask, stored, head);
}

static void test_all_ranges(void **state)
{
	(void)state;
	const uint64_t head = 9;
	const uint64_t edges[] = {0, 1, 2, 4, 5, 8, 9, 10, 11, UINT64_MAX - 1, UINT64_MAX};
	const uint64_t limits[] = {0, 1, 2, 3, 8, 9, 10, 200, 201, UINT64_MAX};
	struct buf expected = {0};
	struct rig *r = rig_new(RIG_ROOMS);
	fill(r, "mai", 3, 1);
	fill(r, "main", (unsigned)head, 1);
	fill(r, "main2", 3, 1);
	for (size_t a = 0; a < ARRAY_LEN(edges); a++)
		for (size_t b = 0; b < ARRAY_LEN(edges); b++)
			for (size_t l = 0; l < ARRAY_LEN(limits) * 2; l++) {
				const struct ev_page_ask ask = {
					.room = STR("main"),
					.after = edges[a],
					.before = edges[b],
					.limit = limits[l / 2],
					.newest = l % 2,
				};
				expect_page(&expected, &ask, head);
				assert_string_equal(rig_page(r, &ask), expected.ptr);
			}
	buf_free(&expected);
	rig_free(r);
}

/* After a loss seqs go on higher up; pages go on over the gaps, however long. */
static void test_gaps(void **state)
{
	(void)state;
	const struct {
		uint64_t first, last;
	} runs[] = {{2, 70}, {75, 75}, {140, 141}, {1000, 1100}};
	const uint64_t edges[] = {0, 1, 2, 60, 70, 71, 75, 76, 142, 999, 1001, 1090, 1101, 5000};
	const uint64_t limits[] = {1, 2, 3, 5, 64, 65, 100, 103, 104, 105, 172, 173, 200};
	uint64_t stored[300];
	size_t count = 0;
	struct buf expected = {0};
	struct rig *r = rig_new(RIG_ROOMS);
	for (size_t i = 0; i < ARRAY_LEN(runs); i++)
		for (uint64_t seq = runs[i].first; seq <= runs[i].last; seq++) {
			const struct rec_chat chat = {seq, seq, STR("ann"), STR("c"), STR("hi")};
			r->store->put_chat(r->store->impl, STR("main"), &chat);
			stored[count++] = seq;
		}
	assert_int_equal(r->store->commit(r->store->impl), ERR_OK);
	for (size_t a = 0; a < ARRAY_LEN(edges); a++)
		for (size_t b = 0; b < ARRAY_LEN(edges); b++)
			for (size_t l = 0; l < ARRAY_LEN(limits) * 2; l++) {
				const struct ev_page_ask ask = {
					.room = STR("main"),
					.after = edges[a],
					.before = edges[b],
					.limit = limits[l / 2],
					.newest = l % 2,
				};
				expect_page_of(&expected, &ask, stored, count);
				assert_string_equal(rig_page(r, &ask), expected.ptr);
			}
	buf_free(&expected);
	rig_free(r);
}

static void test_limit_is_clamped(void **state)
{
	(void)state;
	struct buf expected = {0};
	struct rig *r = rig_new(RIG_ROOMS);
	fill(r, "main", PAGE_MAX + 1, 1);
	for (uint64_t newest = 0; newest < 2; newest++) {
		const struct ev_page_ask ask = {
			.room = STR("main"), .limit = 1000, .newest = newest};
		expect_page(&expected, &ask, PAGE_MAX + 1);
		assert_string_equal(rig_page(r, &ask), expected.ptr);
	}
	buf_free(&expected);
	rig_free(r);
}

/* A page ends when it has passed 512 KiB; the pages together still have everything once. */
static void test_bytes_are_bounded(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	fill(r, "main", 20, BODY_MAX);
	const struct ev_page_ask oldest = {.room = STR("main"), .limit = 200};
	const struct ev_page_ask rest = {.room = STR("main"), .limit = 200, .after = 16};
	const struct ev_page_ask newest = {.room = STR("main"), .limit = 200, .newest = 1};
	assert_string_equal(rig_page(r, &oldest), "page 0 main ok head=20 more: 1 2 3 4 5 6 7 8\n");
	assert_true(r->pages.bytes.len < 600 * 1024);
	assert_string_equal(rig_page(r, &rest), "page 0 main ok head=20: 17 18 19 20\n");
	assert_string_equal(rig_page(r, &newest),
			    "page 0 main ok head=20 more: 13 14 15 16 17 18 19 20\n");
	rig_free(r);
}

/* Many asks in one message: in order, and bounded together below what one message of the bus may
 * hold. */
static void test_many_asks(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	fill(r, "main", 10, BODY_MAX);
	fill(r, "side", 2, 1);
	const struct ev_page_ask side = {.req = 1, .room = STR("side"), .limit = 1};
	const struct ev_page_ask none = {.req = 2, .room = STR("none"), .limit = 1};
	bus_put_page_ask(&r->events, &side);
	bus_put_page_ask(&r->events, &none);
	const struct ev_page_ask nameless = {.req = 3, .room = STR(""), .limit = 1};
	assert_string_equal(rig_page(r, &nameless), "page 1 side ok head=2 more: 1\n"
						    "page 2 none ok head=0:\n"
						    "page 3  bad_field head=0:\n");

	for (uint64_t i = 0; i < 20; i++) {
		const struct ev_page_ask big = {.req = i, .room = STR("main"), .limit = 200};
		bus_put_page_ask(&r->events, &big);
	}
	const char *text = rig_page(r, &side);
	assert_ptr_equal(strstr(text, "page 0 main ok head=10 more: 1 2 3"), text);
	assert_non_null(strstr(text, "page 3 main ok"));
	assert_null(strstr(text, "page 19 main")); /* it is asked for again */
	assert_null(strstr(text, "unavailable"));
	assert_true(r->pages.bytes.len < MESSAGE_MAX);
	rig_free(r);
}

static void test_contents(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	rig_post(r, 1, "main", "ann", "c1", "hi");
	rig_post(r, 2, "main", "bob", "\x01-internal", "ho");
	rig_step(r);
	assert_non_null(strstr(rig_flush(r, ERR_OK), "bob/\x01-internal: ho"));

	struct bus_reader reader;
	struct envelope env;
	struct bus_event ev;
	const struct ev_page_ask ask = {.room = STR("main"), .limit = 2};
	rig_page(r, &ask);
	batch_reset(&r->events);
	buf_append(&r->events.bytes, r->pages.bytes.ptr, r->pages.bytes.len);
	bus_reader_init(&reader, SERVICE_ANY);
	assert_true(bus_open(&reader, rig_message(r, SERVICE_HISTORYD, 0, 0), &env));
	assert_true(bus_next(&reader, &ev));
	const struct rec_chat first = bus_chat_at(&ev.as.page.messages, 0);
	const struct rec_chat second = bus_chat_at(&ev.as.page.messages, 1);
	assert_int_equal(first.time, 1000);
	assert_true(str_equal(first.user, STR("ann")));
	assert_true(str_equal(first.cid, STR("c1")));
	assert_true(str_equal(first.body, STR("hi")));
	assert_true(str_equal(second.user, STR("bob")));
	assert_true(str_equal(second.cid, STR("\x01-internal")));
	bus_reader_free(&reader);
	rig_free(r);
}

static void test_unreadable(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	fill(r, "main", 3, 1);
	store_memory_set_unreadable(r->memory, true);
	const struct ev_page_ask ask = {.room = STR("main"), .limit = 2};
	assert_string_equal(rig_page(r, &ask), "page 0 main unavailable head=0:\n");
	rig_free(r);
}

static void test_not_ours(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	struct bus_reader reader;
	struct batch pages = {0};
	bus_reader_init(&reader, SERVICE_ANY);
	assert_false(historyd_read(r->store, &rig_whole, &reader, STR(""), &pages));
	assert_false(historyd_read(r->store, &rig_whole, &reader, STR("\xff\xff"), &pages));
	assert_false(historyd_read(r->store, &rig_whole, &reader,
				   rig_message(r, SERVICE_ROOMD, 1, 0), &pages));
	assert_int_equal(pages.count, 0);
	bus_reader_free(&reader);
	batch_free(&pages);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_ranges),       cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_limit_is_clamped), cmocka_unit_test(test_bytes_are_bounded),
		cmocka_unit_test(test_many_asks),        cmocka_unit_test(test_contents),
		cmocka_unit_test(test_unreadable),       cmocka_unit_test(test_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
