// SPDX-License-Identifier: MIT
/* hist.c — see hist.h. */
#include "tests/bench/load/hist.h"

#include <math.h>
#include <string.h>

void hist_clear(struct hist *h)
{
	memset(h, 0, sizeof *h);
}

/* Below 2^7 each value has its own bucket; above, the highest seven bits choose it. */
static uint32_t bucket_of(uint64_t value)
{
	const uint32_t first = 1u << HIST_SUB_BITS;
	if (value < 2 * first)
		return (uint32_t)value;
	uint32_t shift = 63u - HIST_SUB_BITS - (uint32_t)__builtin_clzll(value);
	return (shift << HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_top(uint32_t bucket)
{
	const uint32_t first = 1u << HIST_SUB_BITS;
	if (bucket < 2 * first)
		return bucket;
	uint32_t shift = (bucket >> HIST_SUB_BITS) - 1;
	uint64_t lead = bucket - (shift << HIST_SUB_BITS);
	return ((lead + 1) << shift) - 1;
}

void hist_add(struct hist *h, uint64_t value)
{
	h->count++;
	h->buckets[bucket_of(value)]++;
	if (value > h->max)
		h->max = value;
}

uint64_t hist_at(const struct hist *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->count);
	uint64_t seen = 0;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted && seen > 0)
			return bucket_top(i) < h->max ? bucket_top(i) : h->max;
	}
	return 0;
}
