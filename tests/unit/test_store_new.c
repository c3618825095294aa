// SPDX-License-Identifier: MIT
/* test_store_new.c — data directories that hold no database of ours yet: what was never ours is
 * refused and left as it is, and a creation that did not come to its end is done again. Not here:
 * ones that have lost something (test_store_lost.c). */
#include "tests/unit/test_store_markers.h"
#include "tests/unit/test_store_refused.h"
#include "historyd/store/rocks_dir.h"

static void test_what_was_never_ours(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	const struct store_rocks_options o = dir_options(d);
	assert_int_equal(mkdir(d->data, 0700), 0);
	const char *const names[] = {"photo.jpg", "000004.log", ".hidden", "LOCK", "000009.sst"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		put_file(d, names[i], "x");
		check_refused(d, &o, names[i]);
		assert_int_equal(access(path_of(d, MARK_FILE), F_OK), -1);
		assert_int_equal(unlink(path_of(d, names[i])), 0);
	}
	assert_int_equal(rmdir(d->data), 0);

	struct store_rocks_options nowhere = o;
	char below[256];
	snprintf(below, sizeof below, "%s/nowhere/data", d->path);
	nowhere.data_dir = below;
	assert_null(dir_open(d, &nowhere));
	assert_non_null(strstr(d->error, "cannot be opened (No such file"));
	dir_free(d);
}

static void test_what_is_no_directory(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	const struct store_rocks_options o = dir_options(d);
	FILE *file = fopen(d->data, "w");
	assert_non_null(file);
	fclose(file);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "cannot be opened (Not a directory)"));
	assert_int_equal(unlink(d->data), 0);

	assert_int_equal(symlink(d->data, d->data), 0);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "cannot be opened (Too many levels of symbolic links)"));
	assert_int_equal(unlink(d->data), 0);

	assert_int_equal(symlink("/nowhere/at/all", d->data), 0);
	assert_null(dir_open(d, &o));
	assert_non_null(strstr(d->error, "cannot be opened (File exists)"));
	assert_int_equal(unlink(d->data), 0);

	assert_int_equal(mkdir(d->data, 0000), 0);
	if (geteuid() != 0) {
		assert_null(dir_open(d, &o));
		assert_non_null(strstr(d->error, "may not be read and written by this user"));
	}
	dir_free(d);
}

static void test_creation_that_did_not_end(void **state)
{
	(void)state;
	const char *const left[][4] = {
		{MARK_FILE}, /* empty */
		{NULL},
		{"LOCK", "LOG", "IDENTITY"},
		{"LOCK", "LOG", "MANIFEST-000001", "000001.dbtmp"},
		{"LOCK", "MANIFEST-000001", "CURRENT", "000004.log"},
		{"CURRENT", "OPTIONS-000005"},
	};
	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		struct dir *d = dir_new();
		struct data_dir half;
		if (i == 0)
			assert_int_equal(mkdir(d->data, 0700), 0);
		else
			assert_true(data_dir_open(&half, d->data,
						  (struct data_dir_params){true, true}, d->error,
						  sizeof d->error));
		for (size_t n = 0; n < ARRAY_LEN(left[i]) && left[i][n]; n++)
			put_file(d, left[i][n], n % 2 ? "half a line" : "");
		if (i > 0)
			data_dir_close(&half);
		struct store_rocks *s = dir_must_open(d);
		write_markers(store_rocks_store(s), 3);
		store_rocks_close(s);
		s = dir_must_open(d);
		assert_int_equal(count_chats(store_rocks_store(s), "main"), 3);
		store_rocks_close(s);
		dir_free(d);
	}

	/* What no creation leaves. */
	struct dir *d = dir_new();
	struct data_dir half;
	const struct store_rocks_options o = dir_options(d);
	assert_true(data_dir_open(&half, d->data, (struct data_dir_params){true, true}, d->error,
				  sizeof d->error));
	data_dir_close(&half);
	put_file(d, "000009.sst", "a table");
	check_refused(d, &o, "1 of them tables (000009.sst)");
	dir_free(d);
}

/* An empty file system, and a directory that may not be made when it is opened again. */
static void test_empty_directories(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	assert_int_equal(mkdir(d->data, 0700), 0);
	assert_int_equal(mkdir(path_of(d, "lost+found"), 0700), 0);
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 3);
	char aside[256];
	snprintf(aside, sizeof aside, "%s/aside", d->path);
	for (int is_empty = 0; is_empty <= 1; is_empty++) {
		assert_int_equal(rename(d->data, aside), 0);
		if (is_empty)
			assert_int_equal(mkdir(d->data, 0700), 0);
		assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_UNAVAILABLE);
		if (is_empty)
			assert_int_equal(rmdir(d->data), 0);
		assert_int_equal(rename(aside, d->data), 0);
		assert_int_equal(store_rocks_reopen(s, d->error, sizeof d->error), ERR_OK);
		assert_int_equal(count_chats(store_rocks_store(s), "main"), 3);
	}
	store_rocks_close(s);
	assert_int_equal(rmdir(path_of(d, "lost+found")), 0);
	dir_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_never_ours),
		cmocka_unit_test(test_what_is_no_directory),
		cmocka_unit_test(test_creation_that_did_not_end),
		cmocka_unit_test(test_empty_directories),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
