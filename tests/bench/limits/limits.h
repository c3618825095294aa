// SPDX-License-Identifier: MIT
/* limits.h — bench-limits: what the machine could do if there were no chat server, each printed as
 * one line of JSON. */
#ifndef PARLOR_BENCH_LIMITS_H
#define PARLOR_BENCH_LIMITS_H

#include "proto/options.h"

#define PROGRAM "bench-limits"

struct limit_options {
	const char *what, *data;
	uint64_t window_ms;
	uint64_t sockets, frame_bytes, reader_core; /* send */
	uint64_t batch, record_bytes;               /* commit; fsync, commit */
	uint64_t pace_us;                           /* fsync */
};

uint64_t now_ns(void);
void sleep_until(uint64_t ns);

void limit_send(const struct limit_options *o);   /* send.c */
void limit_fsync(const struct limit_options *o);  /* disk.c: append and fdatasync */
void limit_commit(const struct limit_options *o); /* disk.c: RocksDB, batches with fsync */

#endif
