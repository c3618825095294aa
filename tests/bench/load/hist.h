// SPDX-License-Identifier: MIT
/* hist.h — how often each duration was seen, in buckets that are 1.6 % wide, so that a percentile
 * of a million values costs one array of constant size.
 *
 * Not here: which durations are worth counting (work.h). */
#ifndef PARLOR_BENCH_HIST_H
#define PARLOR_BENCH_HIST_H

#include <stdint.h>

enum {
	HIST_SUB_BITS = 6, /* 64 buckets for each doubling */
	HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS,
};

struct hist {
	uint64_t count, max;
	uint64_t buckets[HIST_BUCKETS];
};

void hist_clear(struct hist *h);
void hist_add(struct hist *h, uint64_t value);

/* The value that a share of all (0.99 for p99) does not exceed; 0 when there are none. */
uint64_t hist_at(const struct hist *h, double share);

#endif
