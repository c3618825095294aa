// SPDX-License-Identifier: MIT
/* test_store_rocks.c — what only a store on a disk can do: come back after a crash, refuse a
 * directory, fail and be opened again, be read beside being written. */
#include "tests/unit/test_store_markers.h"
#include "historyd/historyd.h"

#include <pthread.h>
#include <stdatomic.h>

static void test_close_and_open(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 3);
	put(store_rocks_store(s), "main", 4, "never committed");
	struct store_rocks_stats stats;
	store_rocks_stats(s, &stats);
	assert_int_equal(stats.commits, 3);
	store_rocks_close(s);

	s = dir_must_open(d);
	struct store *store = store_rocks_store(s);
	assert_int_equal(count_chats(store, "main"), 3);
	assert_int_equal(room_seq(store, "main"), 3);
	assert_int_equal(cid_seq(store, "marker-2"), 2);
	assert_int_equal(cid_seq(store, "never committed"), 0);
	store_rocks_stats(s, &stats);
	assert_true(stats.losses == 0 && !stats.was_cut);
	store_rocks_close(s);
	dir_free(d);
}

/* Every commit that came back ERR_OK is there after a crash; one that the crash tore is not, and
 * does no harm: it had not come back yet, so the mark does not claim it. */
static void test_crash(void **state)
{
	(void)state;
	for (int is_torn = 0; is_torn <= 1; is_torn++) {
		struct dir *d = dir_new();
		struct store_rocks *s = dir_must_open(d);
		write_markers(store_rocks_store(s), 19);
		char mark[256];
		char mark_before[256];
		snprintf(mark_before, sizeof mark_before, "%s/before", d->path);
		snprintf(mark, sizeof mark, "%s/PARLOR-MARK", d->data);
		file_copy(mark, mark_before);
		snprintf(mark, sizeof mark, "%s/PARLOR-MARK", d->other);
		put(store_rocks_store(s), "main", 20, "marker-20");
		assert_int_equal(store_rocks_store(s)->commit(store_rocks_store(s)->impl), ERR_OK);
		put(store_rocks_store(s), "main", 21, "never committed");
		dir_crash_image(d);
		store_rocks_close(s);
		if (is_torn) {
			dir_tear_log(d->other, 10);
			file_copy(mark_before, mark);
		}
		assert_int_equal(unlink(mark_before), 0);

		struct store_rocks_options o = dir_options(d);
		o.data_dir = d->other;
		s = dir_open(d, &o);
		assert_string_equal(d->error, "");
		struct store *store = store_rocks_store(s);
		uint64_t kept = is_torn ? 19 : 20;
		assert_int_equal(count_chats(store, "main"), kept);
		assert_int_equal(room_seq(store, "main"), kept);
		assert_int_equal(cid_seq(store, "marker-19"), 19);
		assert_int_equal(cid_seq(store, "marker-20"), is_torn ? 0 : 20);
		store_rocks_close(s);
		dir_free(d);
	}
}

/* Each room's next seq moves up, once a start that says so, and until the room has a message of
 * that start; also that of a room of which the backup knows nothing. */
static void test_restored_backup(void **state)
{
	(void)state;
	const uint64_t step = 1 << 20;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 5);
	store_rocks_close(s);
	struct store_rocks_options o = dir_options(d);
	for (uint32_t restores = 1; restores <= 2; restores++) {
		o.is_restored = true;
		store_rocks_close(dir_open(d, &o));
		o.is_restored = false;
		s = dir_open(d, &o);
		struct store *store = store_rocks_store(s);
		struct store_rocks_stats stats;
		store_rocks_stats(s, &stats);
		assert_true(stats.restores == restores);
		assert_true(room_seq(store, "main") == 5 + restores * step);
		assert_true(room_seq(store, "gone") == restores * step);
		store_rocks_close(s);
	}
	s = dir_must_open(d);
	struct store *store = store_rocks_store(s);
	const uint64_t seq = 5 + 2 * step + 1;
	const struct store_room facts = {
		.restores = 2, .epochs = {{.epoch = 9, .first = seq}}, .epoch_count = 1};
	put(store, "main", seq, "after");
	store->put_room(store->impl, STR("main"), &facts);
	assert_int_equal(store->commit(store->impl), ERR_OK);
	assert_true(room_seq(store, "main") == seq);
	store_rocks_close(s);
	dir_free(d);
}

static void test_two_cannot_open_one(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	const struct store_rocks_options o = dir_options(d);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "/data is in use by another process ("));
	write_markers(store_rocks_store(s), 1);
	store_rocks_close(s);
	dir_free(d);
}

static void test_refused_directories(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	store_rocks_close(dir_must_open(d));
	struct store_rocks_options o = dir_options(d);
	o.shards = 2;
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "belongs to shard 0 of 1, this is shard 0 of 2"));
	o.shard = 1;
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "belongs to shard 0 of 1, this is shard 1 of 2"));

	char nested[256];
	snprintf(nested, sizeof nested, "%s/CURRENT/inside", d->data);
	o = dir_options(d);
	o.data_dir = nested;
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "cannot be opened ("));
	store_rocks_close(dir_must_open(d));
	dir_free(d);
}

/* ---- failing and coming back ---- */

static void test_reopen(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	struct store *store = store_rocks_store(s);
	write_markers(store, 5);
	put(store, "main", 6, "lost in between");
	assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_OK);
	assert_false(store_rocks_failed(s));
	assert_int_equal(store->commit(store->impl), ERR_OK);
	assert_int_equal(count_chats(store, "main"), 5);
	put(store, "main", 6, "marker-6");
	assert_int_equal(store->commit(store->impl), ERR_OK);

	/* While it cannot be opened again, everything is refused and nothing crashes. */
	char aside[256];
	snprintf(aside, sizeof aside, "%s/aside", d->path);
	assert_int_equal(rename(d->data, aside), 0);
	FILE *in_the_way = fopen(d->data, "w");
	assert_non_null(in_the_way);
	fclose(in_the_way);
	assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_UNAVAILABLE);
	assert_non_null(strstr(d->error, "cannot be opened"));
	assert_true(store_rocks_failed(s));
	struct store_room facts;
	uint64_t seq;
	uint64_t time_ms;
	const struct rec_invitation invitation = {STR("den"), STR("ann")};
	put(store, "main", 7, "x");
	store->put_invite(store->impl, STR("bob"), &invitation);
	store->drop_invite(store->impl, STR("bob"), STR("den"));
	assert_int_equal(store->commit(store->impl), ERR_UNAVAILABLE);
	assert_int_equal(store->room(store->impl, STR("main"), &facts), ERR_UNAVAILABLE);
	assert_int_equal(store->cid(store->impl, STR("main"), STR("ann"), STR("x"), &seq, &time_ms),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->chats(store->impl, STR("main"), 0, 0, true, ignore_chat, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->invites(store->impl, STR("bob"), ignore_invitation, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(store_rocks_checkpoint(s, d->other, d->error, sizeof d->error),
			 ERR_UNAVAILABLE);

	assert_int_equal(unlink(d->data), 0);
	assert_int_equal(rename(aside, d->data), 0);
	assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_OK);
	assert_int_equal(count_chats(store, "main"), 6);
	struct store_rocks_stats stats;
	store_rocks_stats(s, &stats);
	assert_int_equal(stats.reopens, 2);
	assert_int_equal(stats.commit_failures, 1);
	store_rocks_close(s);
	dir_free(d);
}

struct reader {
	struct store *store;
	atomic_bool is_stopping;
	atomic_uint_fast64_t pages;
};

static void *read_pages(void *arg)
{
	struct reader *r = arg;
	uint64_t before = 0;
	while (!atomic_load(&r->is_stopping)) {
		uint64_t count = 0;
		if (r->store->chats(r->store->impl, STR("main"), 0, 0, false, count_chat, &count) ==
		    ERR_OK) {
			assert_true(count >= before); /* what was seen once stays */
			before = count;
			atomic_fetch_add(&r->pages, 1);
		}
	}
	return NULL;
}

/* A reading thread beside the writing one, also while the store is closed and opened. */
static void test_reader_thread(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	struct reader reader = {.store = store_rocks_store(s)};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, read_pages, &reader), 0);
	for (uint64_t seq = 1; seq <= 200; seq++) {
		char cid[32];
		snprintf(cid, sizeof cid, "marker-%u", (unsigned)seq);
		put(reader.store, "main", seq, cid);
		assert_int_equal(reader.store->commit(reader.store->impl), ERR_OK);
		if (seq % 50 == 0)
			assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_OK);
	}
	while (atomic_load(&reader.pages) == 0)
		usleep(1000);
	atomic_store(&reader.is_stopping, true);
	pthread_join(thread, NULL);
	store_rocks_close(s);
	dir_free(d);
}

static void test_room_on_disk(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks_options o = dir_options(d);
	o.log_dir = NULL;
	o.min_free_bytes = 1;
	struct store_rocks *s = dir_open(d, &o);
	assert_true(store_rocks_has_capacity(s));
	store_rocks_close(s);
	o.min_free_bytes = UINT64_MAX;
	s = dir_open(d, &o);
	assert_false(store_rocks_has_capacity(s));
	store_rocks_close(s);
	dir_free(d);
}

static void test_checkpoint(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 5);
	assert_int_equal(store_rocks_checkpoint(s, d->other, d->error, sizeof d->error), ERR_OK);
	put(store_rocks_store(s), "main", 6, "after the backup");
	assert_int_equal(store_rocks_store(s)->commit(store_rocks_store(s)->impl), ERR_OK);
	assert_int_equal(store_rocks_checkpoint(s, d->other, d->error, sizeof d->error),
			 ERR_UNAVAILABLE);
	assert_non_null(strstr(d->error, "backup to "));
	store_rocks_close(s);

	struct store_rocks_options o = dir_options(d);
	o.data_dir = d->other;
	s = dir_open(d, &o);
	assert_int_equal(count_chats(store_rocks_store(s), "main"), 5);
	store_rocks_close(s);
	dir_free(d);
}

/* ---- with the core on top ---- */

static void post(struct historyd *h, uint64_t link_seq, const char *cid)
{
	const struct envelope env = {.from = SERVICE_GATEWAY, .id = 1, .epoch = 1, .seq = link_seq};
	const struct ev_chat_post ev = {
		.room = STR("main"), .user = STR("ann"), .cid = str_from(cid), .body = STR("x")};
	struct batch batch = {0};
	struct buf message = {0};
	bus_put_posts_begin(&batch, &(struct ev_posts_begin){0});
	bus_put_chat_post(&batch, &ev);
	bus_put_header(&message, &env);
	buf_append(&message, batch.bytes.ptr, batch.bytes.len);
	historyd_step(h, 1000, 1000, &(struct bus_source){.kind = SERVICE_ANY}, buf_view(&message));
	batch_free(&batch);
	buf_free(&message);
}

static void test_core_over_rocks(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct historyd_out out = {0};
	const struct historyd_options options = {.seed = 1, .rooms_max = 10};
	for (uint64_t life = 0; life < 3; life++) {
		struct store_rocks *s = dir_must_open(d);
		struct historyd *h = historyd_open(&options, store_rocks_store(s));
		struct historyd_stats stats;
		post(h, 1, "the same");
		post(h, 2, life == 0 ? "a" : life == 1 ? "b" : "c");
		assert_int_equal(historyd_flush(h, 1000, &out), ERR_OK);
		assert_int_equal(out.down.count, 2);
		historyd_out_reset(&out);
		historyd_stats(h, &stats);
		assert_int_equal(stats.messages_repeated_total, life > 0);
		assert_int_equal(count_chats(store_rocks_store(s), "main"), life + 2);
		historyd_close(h);
		store_rocks_close(s);
	}
	historyd_out_free(&out);
	dir_free(d);
}

/* RocksDB writes down the options that it took. The hints are given to it as a text, and one that
 * it does not know would only show as a slower disk. */
static void test_insert_hints(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	store_rocks_close(dir_must_open(d));
	static const char option[] = "memtable_insert_with_hint_prefix_extractor=";
	char line[512];
	uint64_t rooms = 0, partitions = 0, others = 0;
	FILE *options = dir_open_file(d->data, "OPTIONS-");
	while (fgets(line, sizeof line, options)) {
		const char *at = strstr(line, option);
		if (!at)
			continue;
		at += strlen(option);
		bool is_room = strncmp(at, "rocksdb.FixedPrefix.8\n", 22) == 0;
		bool is_partition = strncmp(at, "rocksdb.FixedPrefix.2\n", 22) == 0;
		rooms += is_room;
		partitions += is_partition;
		others += !is_room && !is_partition;
	}
	fclose(options);
	assert_true(rooms == 2 && partitions == 3 && others == 0);
	dir_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_and_open),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_restored_backup),
		cmocka_unit_test(test_two_cannot_open_one),
		cmocka_unit_test(test_refused_directories),
		cmocka_unit_test(test_reopen),
		cmocka_unit_test(test_reader_thread),
		cmocka_unit_test(test_room_on_disk),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_insert_hints),
		cmocka_unit_test(test_core_over_rocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
