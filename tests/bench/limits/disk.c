// SPDX-License-Identifier: MIT
/* disk.c — what the disk and RocksDB alone ask for a durable message: an append with fdatasync, and
 * batches of records with one fsync each. Keys are random, as the rooms of a chat are. */
#include "tests/bench/limits/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TIMES_MAX = 1 << 20, STALL_NS = 10000000 };

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* In which part of the time whoever comes by finds a stall under way. */
static double stalled_share(const uint64_t *times, uint64_t count, uint64_t whole_ns)
{
	uint64_t stalled_ns = 0;
	for (uint64_t i = 0; i < count; i++)
		stalled_ns += times[i] > STALL_NS ? times[i] : 0;
	return (double)stalled_ns / (double)whole_ns;
}

static void print_times(uint64_t *times, uint64_t count)
{
	qsort(times, count, sizeof *times, compare);
	printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", (double)times[count / 2] / 1e3,
	       (double)times[count * 99 / 100] / 1e3, (double)times[count - 1] / 1e3);
}

void limit_fsync(const struct limit_options *o)
{
	uint64_t *times = mem_alloc(TIMES_MAX * sizeof *times);
	char *record = mem_alloc(o->record_bytes);
	char path[4096];
	snprintf(path, sizeof path, "%s/fsync", o->data);
	mkdir(o->data, 0700);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0)
		fail_system(PROGRAM, "%s: %s", path, strerror(errno));
	uint64_t count = 0;
	const uint64_t start = now_ns();
	for (; now_ns() - start < o->window_ms * 1000000 && count < TIMES_MAX; count++) {
		uint64_t from = now_ns();
		if (write(fd, record, o->record_bytes) < 0 || fdatasync(fd) != 0)
			fail_system(PROGRAM, "%s: %s", path, strerror(errno));
		times[count] = now_ns() - from;
		if (o->pace_us)
			sleep_until(from + o->pace_us * 1000);
	}
	close(fd);
	printf("{\"limit\":\"fsync\",\"count\":%" PRIu64 ",\"stalled_share\":%.5f,", count,
	       stalled_share(times, count, now_ns() - start));
	print_times(times, count);
}

static rocksdb_t *open_database(const char *path)
{
	char *error = NULL;
	rocksdb_options_t *options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(options, 1);
	rocksdb_options_set_compression(options, rocksdb_lz4_compression);
	rocksdb_t *db = rocksdb_open(options, path, &error);
	if (!db)
		fail_system(PROGRAM, "%s", error);
	rocksdb_options_destroy(options);
	return db;
}

/* A random key and a value that does not compress to nothing. */
static void put_records(rocksdb_writebatch_t *batch, const struct limit_options *o, char *value)
{
	for (uint64_t i = 0; i < o->batch; i++) {
		const long key[2] = {mrand48(), mrand48()};
		for (uint64_t at = 0; at + sizeof *key <= o->record_bytes; at += 16)
			memcpy(value + at, key, sizeof *key);
		rocksdb_writebatch_put(batch, (const char *)key, sizeof key, value,
				       o->record_bytes);
	}
}

void limit_commit(const struct limit_options *o)
{
	uint64_t *times = mem_alloc(TIMES_MAX * sizeof *times);
	char *value = mem_alloc(o->record_bytes);
	rocksdb_t *db = open_database(o->data);
	rocksdb_writeoptions_t *sync = rocksdb_writeoptions_create();
	rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
	rocksdb_writeoptions_set_sync(sync, 1);
	uint64_t count = 0, start = now_ns();
	for (; now_ns() - start < o->window_ms * 1000000 && count < TIMES_MAX; count++) {
		char *error = NULL;
		uint64_t from = now_ns();
		put_records(batch, o, value);
		rocksdb_write(db, sync, batch, &error);
		if (error)
			fail_system(PROGRAM, "%s", error);
		rocksdb_writebatch_clear(batch);
		times[count] = now_ns() - from;
	}
	double seconds = (double)(now_ns() - start) / 1e9;
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	printf("{\"limit\":\"commit\",\"batch\":%" PRIu64
	       ",\"records_per_s\":%.0f,\"us_per_record\":%.2f,",
	       o->batch, (double)(count * o->batch) / seconds,
	       cpu_s * 1e6 / (double)(count * o->batch));
	print_times(times, count);
	rocksdb_writebatch_destroy(batch);
	rocksdb_writeoptions_destroy(sync);
	rocksdb_close(db);
}
