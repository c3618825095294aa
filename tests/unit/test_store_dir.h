// SPDX-License-Identifier: MIT
/* test_store_dir.h — a data directory of its own for a test over RocksDB, and ways to open it, to
 * copy it as a crash would leave it, and to bend the bytes in it. */
#ifndef PARLOR_TESTS_TEST_STORE_DIR_H
#define PARLOR_TESTS_TEST_STORE_DIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "historyd/store/rocks.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct dir {
	char path[128];
	char data[160], logs[160], other[160];
	char error[1024];
};

static inline struct dir *dir_new(void)
{
	struct dir *d = mem_alloc(sizeof *d);
	snprintf(d->path, sizeof d->path, "/tmp/parlor-store-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	snprintf(d->data, sizeof d->data, "%s/data", d->path);
	snprintf(d->logs, sizeof d->logs, "%s/logs", d->path);
	snprintf(d->other, sizeof d->other, "%s/other", d->path);
	return d;
}

static inline void dir_empty(const char *path)
{
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		char name[512];
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		unlink(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static inline void dir_free(struct dir *d)
{
	dir_empty(d->data);
	dir_empty(d->logs);
	dir_empty(d->other);
	rmdir(d->path);
	mem_free(d);
}

static inline struct store_rocks_options dir_options(const struct dir *d)
{
	return (struct store_rocks_options){
		.data_dir = d->data,
		.log_dir = d->logs,
		.shards = 1,
		.create = "test",
		.cache_bytes = 8 * 1024 * 1024,
	};
}

/* NULL leaves its reason in d->error. */
static inline struct store_rocks *dir_open(struct dir *d, const struct store_rocks_options *o)
{
	d->error[0] = '\0';
	return store_rocks_open(o, d->error, sizeof d->error);
}

static inline struct store_rocks *dir_must_open(struct dir *d)
{
	const struct store_rocks_options o = dir_options(d);
	struct store_rocks *s = dir_open(d, &o);
	assert_string_equal(d->error, "");
	assert_non_null(s);
	return s;
}

static inline void file_copy(const char *from, const char *to)
{
	char bytes[65536];
	size_t len;
	FILE *in = fopen(from, "rb");
	FILE *out = fopen(to, "wb");
	assert_non_null(in);
	assert_non_null(out);
	while ((len = fread(bytes, 1, sizeof bytes, in)) > 0)
		assert_int_equal(fwrite(bytes, 1, len, out), len);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

/* d->other becomes what a crash right now would leave of d->data. */
static inline void dir_crash_image(const struct dir *d)
{
	DIR *dir = opendir(d->data);
	assert_non_null(dir);
	assert_int_equal(mkdir(d->other, 0700), 0);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char from[512];
		char to[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(from, sizeof from, "%s/%s", d->data, entry->d_name);
		snprintf(to, sizeof to, "%s/%s", d->other, entry->d_name);
		file_copy(from, to);
	}
	closedir(dir);
}

/* Cuts the last `bytes` off the write-ahead log in `path`, as a crash in the midst of a write does.
 */
static inline void dir_tear_log(const char *path, off_t bytes)
{
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char name[512];
		struct stat file;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (!strstr(entry->d_name, ".log"))
			continue;
		assert_int_equal(stat(name, &file), 0);
		if (file.st_size > bytes)
			assert_int_equal(truncate(name, file.st_size - bytes), 0);
	}
	closedir(dir);
}

/* The file in `path` whose name begins so, to be read. Close it. */
static inline FILE *dir_open_file(const char *path, const char *beginning)
{
	DIR *dir = opendir(path);
	FILE *file = NULL;
	assert_non_null(dir);
	for (struct dirent *entry; !file && (entry = readdir(dir)) != NULL;) {
		char name[512];
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0)
			file = fopen(name, "r");
	}
	closedir(dir);
	assert_non_null(file);
	return file;
}

/* Finds these bytes in the write-ahead log in `path` and turns one bit of each of them. */
static inline bool dir_bend_log(const char *path, const char *bytes)
{
	DIR *dir = opendir(path);
	bool is_found = false;
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char name[512];
		static char content[1 << 20];
		if (!strstr(entry->d_name, ".log"))
			continue;
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		FILE *file = fopen(name, "r+b");
		assert_non_null(file);
		size_t len = fread(content, 1, sizeof content, file);
		char *at = memmem(content, len, bytes, strlen(bytes));
		for (size_t i = 0; at && i < strlen(bytes); i++)
			at[i] ^= 1;
		rewind(file);
		assert_int_equal(fwrite(content, 1, len, file), len);
		fclose(file);
		is_found |= at != NULL;
	}
	closedir(dir);
	return is_found;
}

#endif
