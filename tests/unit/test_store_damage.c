// SPDX-License-Identifier: MIT
/* test_store_damage.c — a write-ahead log with a damage in it, and stored values that are not
 * ours. */
#include "tests/unit/test_store_markers.h"
#include "historyd/store/keys.h"

#include <rocksdb/c.h>

/* A damage in the midst of the log would lose acked messages: it is refused unless the operator
 * accepts that. Then the messages before it are there, and no seq that may have been acked behind
 * it is given again. */
static void test_damaged_log(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 20);
	dir_crash_image(d);
	store_rocks_close(s);
	assert_true(dir_bend_log(d->other, "marker-11"));

	struct store_rocks_options o = dir_options(d);
	o.data_dir = d->other;
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "is damaged: restore a backup"));
	assert_null(dir_open(d, &o));

	o.allow_data_loss = true;
	s = dir_open(d, &o);
	assert_non_null(s);
	struct store *store = store_rocks_store(s);
	struct store_rocks_stats stats;
	store_rocks_stats(s, &stats);
	assert_true(stats.losses == 1 && stats.was_cut);
	assert_int_equal(count_chats(store, "main"), 10);
	assert_int_equal(cid_seq(store, "marker-10"), 10);
	assert_int_equal(cid_seq(store, "marker-11"), 0);
	assert_true(room_seq(store, "main") == 1ull << 32);
	assert_true(room_seq(store, "new") == 1ull << 32);
	put(store, "main", room_seq(store, "main") + 1, "after the loss");
	assert_int_equal(store->commit(store->impl), ERR_OK);
	store_rocks_close(s);

	o.allow_data_loss = false;
	s = dir_open(d, &o);
	assert_non_null(s);
	store_rocks_stats(s, &stats);
	assert_true(stats.losses == 1 && !stats.was_cut);
	assert_true(room_seq(store_rocks_store(s), "main") == (1ull << 32) + 1);
	store_rocks_close(s);
	dir_free(d);
}

/* A log cut after some of its families' tables have reached the disk. */
static void test_damaged_log_after_a_flush(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 5);
	store_rocks_close(s);
	s = dir_must_open(d); /* opening moves the log into tables */
	for (uint64_t seq = 6; seq <= 12; seq++) {
		char cid[32];
		snprintf(cid, sizeof cid, "marker-%u", (unsigned)seq);
		put(store_rocks_store(s), "main", seq, cid);
		const struct store_room facts = {.authors = {STR("ann"), {0}}};
		store_rocks_store(s)->put_room(store_rocks_store(s)->impl, STR("main"), &facts);
		assert_int_equal(store_rocks_store(s)->commit(store_rocks_store(s)->impl), ERR_OK);
	}
	dir_crash_image(d);
	store_rocks_close(s);
	assert_true(dir_bend_log(d->other, "marker-8"));
	struct store_rocks_options o = dir_options(d);
	o.data_dir = d->other;
	o.allow_data_loss = true;
	s = dir_open(d, &o);
	assert_non_null(s);
	assert_int_equal(count_chats(store_rocks_store(s), "main"), 7);
	store_rocks_close(s);
	dir_free(d);
}

/* ---- values that are not ours ---- */

/* Writes these bytes as a value of a family, past the store. */
static void plant(const struct dir *d, const char *family, const struct key *key, struct str value)
{
	const char *const names[] = {"default", "messages", "cids", "rooms", "invites"};
	rocksdb_column_family_handle_t *handles[ARRAY_LEN(names)];
	rocksdb_options_t *options = rocksdb_options_create();
	const rocksdb_options_t *all[ARRAY_LEN(names)];
	rocksdb_writeoptions_t *write = rocksdb_writeoptions_create();
	char *error_message = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		all[i] = options;
	rocksdb_t *db = rocksdb_open_column_families(options, d->data, ARRAY_LEN(names), names, all,
						     handles, &error_message);
	assert_null(error_message);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], family) == 0)
			rocksdb_put_cf(db, write, handles[i], key->bytes, key->len, value.ptr,
				       value.len, &error_message);
		rocksdb_column_family_handle_destroy(handles[i]);
	}
	assert_null(error_message);
	rocksdb_close(db);
	rocksdb_writeoptions_destroy(write);
	rocksdb_options_destroy(options);
}

/* A directory of 0.1.0 has no mark and does not ask for one; it gets one. */
static void test_directory_of_an_older_program(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 5);
	store_rocks_close(s);
	struct key key = {.len = 6};
	memcpy(key.bytes, "format", 6);
	plant(d, "default", &key, STR("\x94\x01\x00\x01\x00"));
	char mark[256];
	snprintf(mark, sizeof mark, "%s/PARLOR-MARK", d->data);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(unlink(mark), 0);
		const struct store_rocks_options o = dir_options(d);
		s = dir_open(d, &o);
		if (times == 0) {
			assert_non_null(s);
			assert_int_equal(count_chats(store_rocks_store(s), "main"), 5);
			store_rocks_close(s);
		} else {
			assert_null(s);
			assert_non_null(strstr(d->error, "has lost its file PARLOR-MARK"));
		}
	}
	dir_free(d);
}

static void test_corrupt_values(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	static char huge[8192];
	struct key key;
	store_rocks_close(dir_must_open(d));
	key_chat(&key, STR("main"), 1);
	plant(d, "messages", &key, STR("\x95\x01\x02\xdb\xff\xff\xff\xff"));
	key_chat(&key, STR("moved"), 1); /* its value says seq 2 */
	plant(d, "messages", &key,
	      STR("\x95\x02\x02\xa1"
		  "a\xa1"
		  "c\xa1"
		  "b"));
	key_cid(&key, STR("main"), STR("ann"), STR("c"));
	plant(d, "cids", &key, STR(""));
	key_cid(&key, STR("main"), STR("ann"), STR("huge"));
	plant(d, "cids", &key, str_of(huge, sizeof huge));
	key_room(&key, STR("bent"));
	plant(d, "rooms", &key,
	      STR("\x95\xa3"
		  "ann"));
	key_invite(&key, STR("bob"), STR("den"));
	plant(d, "invites", &key, STR("\xc1"));

	struct store_rocks *s = dir_must_open(d);
	struct store *store = store_rocks_store(s);
	struct store_room facts;
	uint64_t seq;
	uint64_t time_ms;
	const struct str main_room = STR("main");
	const struct str ann = STR("ann");
	assert_int_equal(store->chats(store->impl, main_room, 0, 0, true, ignore_chat, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->chats(store->impl, STR("moved"), 0, 0, true, ignore_chat, NULL),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->room(store->impl, main_room, &facts), ERR_UNAVAILABLE);
	assert_int_equal(store->room(store->impl, STR("bent"), &facts), ERR_UNAVAILABLE);
	assert_int_equal(store->cid(store->impl, main_room, ann, STR("c"), &seq, &time_ms),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->cid(store->impl, main_room, ann, STR("huge"), &seq, &time_ms),
			 ERR_UNAVAILABLE);
	assert_int_equal(store->invites(store->impl, STR("bob"), ignore_invitation, NULL),
			 ERR_UNAVAILABLE);
	struct store_rocks_stats stats;
	char error_message[128];
	store_rocks_stats(s, &stats);
	store_rocks_last_error(s, error_message, sizeof error_message);
	assert_int_equal(stats.read_failures, 7);
	assert_string_equal(error_message, "a stored value is not in our format");

	write_markers(store, 0);
	put(store, "healthy", 1, "c");
	assert_int_equal(store->commit(store->impl), ERR_OK);
	assert_int_equal(count_chats(store, "healthy"), 1);
	store_rocks_close(s);

	key.len = 6;
	memcpy(key.bytes, "format", 6);
	plant(d, "default", &key, STR("\x94\x02\x00\x01\x00"));
	const struct store_rocks_options o = dir_options(d);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "has format 2, this program knows only 1"));
	plant(d, "default", &key, STR("?"));
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "its format record is not readable"));
	dir_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_log),
		cmocka_unit_test(test_damaged_log_after_a_flush),
		cmocka_unit_test(test_directory_of_an_older_program),
		cmocka_unit_test(test_corrupt_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
