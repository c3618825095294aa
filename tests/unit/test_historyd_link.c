// SPDX-License-Identifier: MIT
/* test_historyd_link.c — what historyd takes from a gateway's link: each event once, as many
 * gateways as it has room for, and no bytes that are not ours. */
#include "tests/unit/test_historyd.h"
#include "historyd/gateways.h"

#include <stdio.h>

/* A post behind the word that all posts begin again. */
static void send_from(struct rig *r, uint64_t id, uint64_t seq, const char *cid)
{
	rig_begin(r);
	rig_post(r, 0, "main", "ann", cid, "x");
	historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source,
		      rig_message(r, SERVICE_GATEWAY, id, seq));
}

static void test_link(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	send_from(r, 1, 5, "c1");
	send_from(r, 1, 5, "c2"); /* came twice */
	send_from(r, 1, 4, "c3");
	send_from(r, 2, 1, "c4");
	send_from(r, 1, 8, "c5"); /* 6 and 7 were lost */
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 0 main#1@1000 ann/c1: x\n"
						  "stored g2 0 main#2@1000 ann/c4: x\n"
						  "stored g1 0 main#3@1000 ann/c5: x\n");
	assert_int_equal(rig_stats(r).bus_gaps_total, 2); /* the rig's own first message was 1 */
	assert_int_equal(rig_stats(r).gateways, 2);
	r->now_ms += LEASE_MS - 1;
	historyd_tick(r->h, r->now_ms);
	assert_int_equal(rig_stats(r).gateways, 2);
	r->now_ms += 1;
	historyd_tick(r->h, r->now_ms);
	assert_int_equal(rig_stats(r).gateways, 0);
	send_from(r, 1, 1, "c6");
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 0 main#4@6000 ann/c6: x\n");
	rig_free(r);
}

/* Leases run on the clock that nobody sets: after an hour ahead and back again a gateway that was
 * started anew meanwhile is heard once the lease of its earlier life has run out. */
static void test_clock_that_was_ahead(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	const int64_t hour_ms = 3600 * 1000;
	r->clock_ms = hour_ms;
	send_from(r, 1, 9, "c1");
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 0 main#1@3601000 ann/c1: x\n");
	historyd_tick(r->h, r->now_ms);
	assert_int_equal(rig_stats(r).clock_behind_ms, 0);

	r->clock_ms = 0;
	r->now_ms += LEASE_MS;
	historyd_tick(r->h, r->now_ms);
	send_from(r, 1, 1, "c2");
	rig_post(r, 0, "new", "ann", "c3", "x");
	historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source,
		      rig_message(r, SERVICE_GATEWAY, 1, 2));
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 0 main#2@3601000 ann/c2: x\n"
						  "stored g1 0 new#1@6000 ann/c3: x\n");
	historyd_tick(r->h, r->now_ms);
	assert_int_equal(rig_stats(r).clock_behind_ms, hour_ms - LEASE_MS);
	historyd_tick(r->h, r->now_ms);
	assert_int_equal(rig_stats(r).clock_behind_ms, 0);
	rig_free(r);
}

static void test_gateways_are_bounded(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	for (uint64_t id = 1; id <= GATEWAYS_MAX + 10; id++) {
		const struct ev_heartbeat ev = {.ready = 1};
		bus_put_heartbeat(&r->events, &ev);
		historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source,
			      rig_message(r, SERVICE_GATEWAY, id, 2));
	}
	assert_int_equal(rig_stats(r).gateways, GATEWAYS_MAX);
	assert_int_equal(rig_stats(r).bus_unknown_total, 0);
	rig_free(r);
}

/* ---- bytes that are not ours ---- */

/* Gives bytes that end where the memory ends, so that a sanitizer sees the first step beyond. */
static void feed(struct rig *r, struct str bytes)
{
	struct bus_reader reader;
	struct batch pages = {0};
	struct str copy = {mem_alloc(bytes.len ? bytes.len : 1), bytes.len};
	memcpy((void *)(uintptr_t)copy.ptr, bytes.ptr, bytes.len);
	bus_reader_init(&reader, SERVICE_ANY);
	historyd_step(r->h, r->now_ms, rig_utc(r), &rig_source, copy);
	historyd_request(r->h, r->now_ms, &rig_source, copy, 1);
	(void)!historyd_read(r->store, &rig_whole, &reader, copy, &pages);
	bus_reader_free(&reader);
	batch_free(&pages);
	mem_free((void *)(uintptr_t)copy.ptr);
	historyd_out_reset(&r->out);
	assert_int_equal(historyd_flush(r->h, r->now_ms, &r->out), ERR_OK);
	assert_int_equal(r->out.response_count, 1);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct str sample(struct rig *r, enum service from, uint64_t seq)
{
	const struct ev_private_put put = {1, STR("den"), STR("ann"), STR("bob")};
	const struct ev_invite_put invite = {2, STR("den"), STR("ann"), STR("bob")};
	const struct ev_page_ask page = {.req = 3, .room = STR("main"), .limit = 5};
	rig_post(r, 1, "main", "ann", "c1", "a message of some length");
	bus_put_private_put(&r->events, &put);
	bus_put_invite_put(&r->events, &invite);
	bus_put_page_ask(&r->events, &page);
	return rig_message(r, from, 1, seq);
}

static void test_garbage(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	uint64_t seed = 88172645463325252u;
	for (int i = 0; i < 5000; i++) {
		char bytes[64];
		size_t len = next_random(&seed) % sizeof bytes;
		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)next_random(&seed);
		feed(r, str_of(bytes, len));
	}
	assert_int_equal(rig_stats(r).bus_bad_total, 10000);
	assert_int_equal(rig_stats(r).messages_stored_total, 0);
	rig_free(r);
}

static void test_corrupt_messages(void **state)
{
	(void)state;
	const enum service senders[] = {SERVICE_GATEWAY, SERVICE_ROOMD, SERVICE_HISTORYD};
	struct rig *r = rig_new(RIG_ROOMS);
	uint64_t seq = 0;
	for (size_t s = 0; s < ARRAY_LEN(senders); s++) {
		size_t whole = sample(r, senders[s], 1).len;
		for (size_t len = 0; len < whole; len++)
			feed(r, str_of(sample(r, senders[s], ++seq).ptr, len));
		for (size_t bit = 0; bit < whole * 8; bit++) {
			struct str message = sample(r, senders[s], ++seq);
			r->message.ptr[bit / 8] ^= (char)(1 << bit % 8);
			feed(r, message);
		}
	}
	assert_true(rig_stats(r).bus_bad_total > 0);

	/* It still serves. */
	rig_restart(r);
	rig_post(r, 1, "quiet", "ann", "c1", "hi");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 1 quiet#1@1000 ann/c1: hi\n");
	rig_free(r);
}

/* What stands before the break is acted on, as the link's sequence has moved past it. */
static void test_events_that_are_not_ours(void **state)
{
	(void)state;
	struct rig *r = rig_new(RIG_ROOMS);
	const struct ev_join join = {STR("main"), STR("ann")};
	const struct ev_room_ask ask = {.room = STR("main")};
	bus_put_join(&r->events, &join);
	bus_put_room_ask(&r->events, &ask);
	rig_post(r, 1, "main", "ann", "c1", "hi");
	BUF_LIT(&r->events.bytes, "\xc1");
	rig_step(r);
	assert_string_equal(rig_flush(r, ERR_OK), "stored g1 1 main#1@1000 ann/c1: hi\n"
						  "ask g1\n");
	assert_int_equal(rig_stats(r).bus_unknown_total, 2);
	assert_int_equal(rig_stats(r).bus_bad_total, 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_clock_that_was_ahead),
		cmocka_unit_test(test_gateways_are_bounded),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_corrupt_messages),
		cmocka_unit_test(test_events_that_are_not_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
