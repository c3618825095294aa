// SPDX-License-Identifier: MIT
/* host.h — what /proc says: the servers' processor time and memory, and what this machine spent on
 * others or was not given at all (steal). */
#ifndef PARLOR_BENCH_HOST_H
#define PARLOR_BENCH_HOST_H

#include <stdint.h>

enum { SERVERS_MAX = 64 };

struct host {
	int pids[SERVERS_MAX];
	uint32_t pid_count;
};

/* A moment; all times are totals since some start, so that two of them are subtracted. */
struct moment {
	uint64_t wall_ns;
	double server_s, self_s;    /* processor time, user and system */
	double busy_s, steal_s;     /* of all cores; busy without steal */
	uint64_t server_kib;        /* resident memory, summed over the processes */
	double each_s[SERVERS_MAX]; /* server_s, one by one */
	uint64_t each_kib[SERVERS_MAX];
};

uint64_t clock_ns(void); /* never jumps */

/* "12,34" → pids; exits when one of them is no process. */
void host_open(struct host *h, const char *pids);

/* A server that has ended keeps its last numbers out of the sum: exits instead. */
void host_now(const struct host *h, struct moment *m);

#endif
