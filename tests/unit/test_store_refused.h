// SPDX-License-Identifier: MIT
/* test_store_refused.h — data directories that are refused: their files, and that nothing in them
 * changes. Not here: what is in the database (test_store_markers.h). */
#ifndef PARLOR_TESTS_TEST_STORE_REFUSED_H
#define PARLOR_TESTS_TEST_STORE_REFUSED_H

#include "tests/unit/test_store_dir.h"
#include "proto/table.h"

static inline const char *path_of(const struct dir *d, const char *name)
{
	static char path[2][512];
	static unsigned turn;
	char *at = path[turn++ % 2];
	snprintf(at, sizeof path[0], "%s/%s", d->data, name);
	return at;
}

/* What a refused opening must leave alone: everything but RocksDB's info log. */
static inline uint64_t fingerprint(const struct dir *d)
{
	uint64_t sum = 0;
	DIR *dir = opendir(d->data);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		static char content[1 << 20];
		FILE *file = NULL;
		if (entry->d_type == DT_REG && strncmp(entry->d_name, "LOG", 3) != 0)
			file = fopen(path_of(d, entry->d_name), "rb");
		if (!file)
			continue;
		size_t len = fread(content, 1, sizeof content, file);
		fclose(file);
		sum += hash_bytes(str_of(content, len), hash_bytes(str_from(entry->d_name), 1));
	}
	closedir(dir);
	return sum;
}

static inline void put_file(const struct dir *d, const char *name, const char *content)
{
	FILE *file = fopen(path_of(d, name), "wb");
	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
}

/* Refused, and again, with these words, and nothing changes. */
static inline void check_refused(struct dir *d, const struct store_rocks_options *o,
				 const char *words)
{
	uint64_t before = fingerprint(d);
	for (int times = 0; times < 2; times++) {
		if (dir_open(d, o))
			fail_msg("opened, where \"%s\" was to be said", words);
		if (!strstr(d->error, words))
			fail_msg("\"%s\" is not in \"%s\"", words, d->error);
		assert_true(fingerprint(d) == before);
	}
}

#endif
