// SPDX-License-Identifier: MIT
/* rng.h — the one source of chance in a run: splitmix64, from the run's seed. */
#ifndef PARLOR_TESTS_SIM_RNG_H
#define PARLOR_TESTS_SIM_RNG_H

#include "proto/base.h"

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 to below - 1. */
static inline uint64_t rng_below(struct rng *r, uint64_t below)
{
	return rng_next(r) % below;
}

/* True so many times in a million. */
static inline bool rng_chance(struct rng *r, uint64_t in_a_million)
{
	return rng_below(r, 1000000) < in_a_million;
}

#endif
