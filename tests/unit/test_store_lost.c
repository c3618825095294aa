// SPDX-License-Identifier: MIT
/* test_store_lost.c — data directories that have lost something: refused and left as they are, so
 * that what was lost can be put back. Not here: directories that hold no database of ours yet
 * (test_store_new.c). */
#include "tests/unit/test_store_markers.h"
#include "tests/unit/test_store_refused.h"
#include "historyd/store/rocks_dir.h"

/* Tables, and a log that is not in them yet. */
static struct dir *dir_with_data(void)
{
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 20);
	store_rocks_close(s);
	s = dir_must_open(d);
	for (uint64_t seq = 21; seq <= 40; seq++) {
		char cid[32];
		snprintf(cid, sizeof cid, "marker-%u", (unsigned)seq);
		put(store_rocks_store(s), "main", seq, cid);
		assert_int_equal(store_rocks_store(s)->commit(store_rocks_store(s)->impl), ERR_OK);
	}
	store_rocks_close(s);
	return d;
}

/* The name of the file that begins or ends so; the newest by name when there are several. */
static const char *find(const struct dir *d, const char *beginning, const char *end)
{
	static char found[256];
	DIR *dir = opendir(d->data);
	assert_non_null(dir);
	found[0] = '\0';
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t len = strlen(entry->d_name);
		bool is_it = strncmp(entry->d_name, beginning, strlen(beginning)) == 0 &&
			     len >= strlen(end) &&
			     strcmp(entry->d_name + len - strlen(end), end) == 0;
		if (is_it && strcmp(entry->d_name, found) > 0)
			snprintf(found, sizeof found, "%s", entry->d_name);
	}
	closedir(dir);
	return found;
}

static void check_whole(struct dir *d)
{
	struct store_rocks *s = dir_must_open(d);
	struct store_rocks_stats stats;
	store_rocks_stats(s, &stats);
	assert_true(stats.losses == 0);
	assert_int_equal(count_chats(store_rocks_store(s), "main"), 40);
	assert_int_equal(room_seq(store_rocks_store(s), "main"), 40);
	store_rocks_close(s);
}

/* ---- files that are missing ---- */

enum harm { REMOVED, EMPTIED, HALVED, SHORTENED };

/* Does it to a file of d, and keeps the file as it was beside the directory. */
static void harm(const struct dir *d, const char *name, enum harm how)
{
	char kept[256];
	struct stat file;
	snprintf(kept, sizeof kept, "%s/kept", d->path);
	file_copy(path_of(d, name), kept);
	assert_int_equal(stat(kept, &file), 0);
	assert_true(file.st_size > 1);
	off_t left = how == EMPTIED ? 0 : how == HALVED ? file.st_size / 2 : file.st_size - 1;
	if (how == REMOVED)
		assert_int_equal(unlink(path_of(d, name)), 0);
	else
		assert_int_equal(truncate(path_of(d, name), left), 0);
}

static void mend(const struct dir *d, const char *name)
{
	char kept[256];
	snprintf(kept, sizeof kept, "%s/kept", d->path);
	file_copy(kept, path_of(d, name));
	assert_int_equal(unlink(kept), 0);
}

static void test_what_is_lost_can_be_put_back(void **state)
{
	(void)state;
	static const struct {
		const char *beginning, *end;
		enum harm how;
		const char *words;
	} rows[] = {
		{"CURRENT", "", REMOVED,
		 "has lost its file CURRENT, or is none of ours: it holds "},
		{"CURRENT", "", EMPTIED, "its file CURRENT names no MANIFEST"},
		{"CURRENT", "", HALVED, "its file CURRENT names no MANIFEST"},
		{"CURRENT", "", SHORTENED, "its file CURRENT names no MANIFEST"},
		{"MANIFEST-", "", REMOVED, ", which CURRENT names, is missing"},
		{"MANIFEST-", "", EMPTIED, ", which CURRENT names, is empty"},
		{"MANIFEST-", "", HALVED, "is damaged: restore a backup"},
		{"MANIFEST-", "", SHORTENED, "a MANIFEST that is older or shorter"},
		{"", ".log", REMOVED, "lacks 40 writes that were acked: a file of its log"},
		{"", ".log", EMPTIED, "lacks 40 writes that were acked"},
		{"", ".log", HALVED, "lacks 2"},
		{"", ".log", SHORTENED, "lacks 2 writes that were acked"},
		{"", ".sst", REMOVED, "is damaged: restore a backup ("},
		{"", ".sst", EMPTIED, "is damaged: restore a backup"},
		{"PARLOR-MARK", "", REMOVED, "has lost its file PARLOR-MARK"},
		{"PARLOR-MARK", "", EMPTIED, "has lost its file PARLOR-MARK"},
	};
	struct dir *d = dir_with_data();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[256];
		snprintf(name, sizeof name, "%s", find(d, rows[i].beginning, rows[i].end));
		harm(d, name, rows[i].how);
		const struct store_rocks_options o = dir_options(d);
		if (rows[i].how == REMOVED && strcmp(name, MARK_FILE) == 0)
			assert_null(dir_open(d, &o)); /* locking it has made it anew, empty */
		check_refused(d, &o, rows[i].words);
		mend(d, name);
	}
	check_whole(d);
	dir_free(d);
}

/* Other names for the same: a CURRENT that is none, and all but the tables gone. */
static void test_no_current(void **state)
{
	(void)state;
	struct dir *d = dir_with_data();
	const struct store_rocks_options o = dir_options(d);
	char content[64];
	snprintf(content, sizeof content, "%s\n", find(d, "MANIFEST-", ""));
	const char *const wrong[] = {"MANIFEST-\n", "MANIFEST-000001x\n", "../MANIFEST-1\n", "\n"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		put_file(d, "CURRENT", wrong[i]);
		check_refused(d, &o, "CURRENT names no MANIFEST");
	}
	put_file(d, "CURRENT", "MANIFEST-999999\n");
	check_refused(d, &o, "MANIFEST-999999, which CURRENT names, is missing");
	assert_int_equal(unlink(path_of(d, "CURRENT")), 0);
	assert_int_equal(mkdir(path_of(d, "CURRENT"), 0700), 0);
	check_refused(d, &o, "CURRENT names no MANIFEST");
	assert_int_equal(rmdir(path_of(d, "CURRENT")), 0);
	assert_int_equal(mkfifo(path_of(d, "CURRENT"), 0700), 0);
	check_refused(d, &o, "CURRENT names no MANIFEST");
	assert_int_equal(unlink(path_of(d, "CURRENT")), 0);
	put_file(d, "CURRENT", content);
	check_whole(d);

	struct store_rocks_options may_lose = o;
	may_lose.allow_data_loss = true;
	assert_int_equal(unlink(path_of(d, "CURRENT")), 0);
	check_refused(d, &may_lose, "has lost its file CURRENT");
	assert_int_equal(unlink(path_of(d, find(d, "MANIFEST-", ""))), 0);
	assert_int_equal(unlink(path_of(d, MARK_FILE)), 0);
	check_refused(d, &may_lose, " tables (");
	dir_empty(d->data);

	/* Nothing but the mark. */
	assert_int_equal(mkdir(d->data, 0700), 0);
	const struct mark mark = {.is_made = true, .sequence = 9};
	assert_true(data_dir_copy_mark(d->data, &mark));
	check_refused(d, &o, "it holds 1 file, 0 of them tables (PARLOR-MARK)");
	dir_free(d);
}

/* ---- writes that are missing ---- */

/* With the operator's word what is left is served, and no seq is given again, however often. */
static void test_losses_of_the_log(void **state)
{
	(void)state;
	struct dir *d = dir_with_data();
	struct store_rocks_options o = dir_options(d);
	for (uint64_t losses = 1; losses <= 3; losses++) {
		if (losses == 2)
			assert_int_equal(unlink(path_of(d, find(d, "", ".log"))), 0);
		else
			harm(d, find(d, "", ".log"), losses == 1 ? HALVED : EMPTIED);
		o.allow_data_loss = false;
		check_refused(d, &o, "writes that were acked");
		o.allow_data_loss = true;
		struct store_rocks *s = dir_open(d, &o);
		assert_string_equal(d->error, "");
		struct store *store = store_rocks_store(s);
		struct store_rocks_stats stats;
		store_rocks_stats(s, &stats);
		assert_true(stats.losses == losses && stats.was_cut);
		assert_true(room_seq(store, "main") == losses << 32);
		put(store, "main", room_seq(store, "main") + 1, "after the loss");
		assert_int_equal(store->commit(store->impl), ERR_OK);
		store_rocks_close(s);
		o.allow_data_loss = false;
		s = dir_open(d, &o);
		assert_non_null(s);
		store_rocks_stats(s, &stats);
		assert_true(stats.losses == losses && !stats.was_cut);
		assert_true(room_seq(store_rocks_store(s), "main") == (losses << 32) + 1);
		put(store_rocks_store(s), "main", (losses << 32) + 2, "lost next");
		assert_int_equal(store_rocks_store(s)->commit(store_rocks_store(s)->impl), ERR_OK);
		store_rocks_close(s);
	}
	dir_free(d);
}

/* The log of a process that was killed, the first log of all, and both with the mark gone. */
static void test_log_removed_after_a_kill(void **state)
{
	(void)state;
	struct dir *d = dir_new();
	struct store_rocks *s = dir_must_open(d);
	write_markers(store_rocks_store(s), 5);
	dir_crash_image(d);
	store_rocks_close(s);
	dir_empty(d->data);
	assert_int_equal(rename(d->other, d->data), 0);
	struct store_rocks_options o = dir_options(d);
	for (const char *log = find(d, "", ".log"); *log; log = find(d, "", ".log"))
		assert_int_equal(unlink(path_of(d, log)), 0);
	check_refused(d, &o, "lacks 10 writes that were acked");
	put_file(d, MARK_FILE, "");
	check_refused(d, &o, "has lost its file PARLOR-MARK");
	o.shards = 2;
	check_refused(d, &o, "belongs to shard 0 of 1");
	o.shards = 1;
	o.allow_data_loss = true;
	s = dir_open(d, &o);
	assert_non_null(s);
	assert_true(room_seq(store_rocks_store(s), "main") == 1ull << 32);
	store_rocks_close(s);
	dir_free(d);
}

/* A power cut may tear the slot that is being written; the other one counts. */
static void test_half_a_mark(void **state)
{
	(void)state;
	struct dir *d = dir_with_data();
	FILE *file = fopen(path_of(d, MARK_FILE), "r+b");
	assert_non_null(file);
	for (long at = 0; at <= 512; at += 512) {
		char line[64] = "";
		assert_int_equal(fseek(file, at + 20, SEEK_SET), 0);
		assert_int_equal(fread(line, 1, 30, file), 30);
		assert_int_equal(fseek(file, at + 20, SEEK_SET), 0);
		fputs("torn", file);
		fflush(file);
		struct data_dir dir;
		assert_true(data_dir_open(&dir, d->data, (struct data_dir_params){true, true},
					  d->error, sizeof d->error));
		assert_true(dir.has_mark && dir.mark.is_made && dir.mark.sequence >= 79);
		data_dir_close(&dir);
		assert_int_equal(fseek(file, at + 20, SEEK_SET), 0);
		assert_int_equal(fwrite(line, 1, 30, file), 30);
		fflush(file);
	}
	fclose(file);
	check_whole(d);
	dir_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_lost_can_be_put_back),
		cmocka_unit_test(test_no_current),
		cmocka_unit_test(test_losses_of_the_log),
		cmocka_unit_test(test_log_removed_after_a_kill),
		cmocka_unit_test(test_half_a_mark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
