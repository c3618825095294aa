// SPDX-License-Identifier: MIT
/* run.h — one run of the simulated world, and the smallest run that still fails. */
#ifndef PARLOR_TESTS_SIM_RUN_H
#define PARLOR_TESTS_SIM_RUN_H

#include "tests/sim/plan.h"

enum { QUIET_MS = 25000 };

struct result {
	char failure[512];  /* the first promise that was broken; empty: all kept */
	uint64_t failed_ms; /* when, on the world's clock */
	uint64_t acked;
};

/* What of the run's story is printed, by the world's clock; nothing when both are 0. */
struct telling {
	uint64_t from_ms, to_ms;
};

/* Two phases. In the first everything fails that the plan says: messages, processes, disks, clocks,
 * clients. Then all faults end, and within QUIET_MS everything must have come right. */
void run(uint64_t seed, const struct plan *plan, const struct telling *telling,
	 struct result *result);

/* Takes away from a failing plan whatever can go without the run's passing: faults, people, rooms,
 * shards, time. */
struct plan shrink(uint64_t seed, struct plan plan);

#endif
