// SPDX-License-Identifier: MIT
/* limits.h — bench-limits: what the machine could do if there were no chat server, each printed as
 * one line of JSON. */
#ifndef PARLOR_BENCH_LIMITS_H
#define PARLOR_BENCH_LIMITS_H

#include "proto/shell/options.h"

#include <netinet/in.h>

#define PROGRAM "bench-limits"

struct limit_options {
	unsigned what; /* the place in its choices */
	const char *data;
	uint64_t window_ms;
	uint64_t sockets, reader_core; /* send, connect */
	uint64_t frame_bytes;          /* send */
	uint64_t connecting;           /* connect */
	uint64_t batch, record_bytes;  /* commit; fsync, commit */
	uint64_t pace_us;              /* fsync */
};

uint64_t now_ns(void);
void sleep_until(uint64_t ns);
double cpu_s(void);               /* of this process, without its children */
void become_child(uint64_t core); /* runs there, and ends with its parent */
/* On loopback; the port is the system's choice. `flags` as socket() has them. */
int listen_somewhere(struct sockaddr_in *address, int flags);

void limit_send(const struct limit_options *o);    /* send.c */
void limit_connect(const struct limit_options *o); /* connect.c: accept, upgrade, greet */
void limit_fsync(const struct limit_options *o);   /* disk.c: append and fdatasync */
void limit_commit(const struct limit_options *o);  /* disk.c: RocksDB, batches with fsync */

#endif
