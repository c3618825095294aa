// SPDX-License-Identifier: MIT
/* shrink.c — the smallest run that still fails, by trying: one thing less, and if it still fails,
 * that is kept and the next is tried. Every run is a new roster of the dice, so the smaller run may
 * fail at another place; what counts is that it breaks the same promise. */
#include "tests/sim/run.h"

#include <stdio.h>
#include <string.h>

struct search {
	uint64_t seed;
	struct plan best;
	char promise; /* its number, the first letter of the failure */
	uint64_t failed_ms;
	unsigned runs;
};

static bool keeps_failing(struct search *s, struct plan *smaller)
{
	struct result r;
	s->runs++;
	run(s->seed, smaller, &(struct telling){0}, &r);
	if (r.failure[0] != s->promise)
		return false;
	s->best = *smaller;
	s->failed_ms = r.failed_ms;
	return true;
}

static bool drop_faults(struct search *s)
{
	bool is_smaller = false;
#define F(name)                                     \
	if (s->best.faults.name) {                  \
		struct plan p = s->best;            \
		p.faults.name = 0;                  \
		is_smaller |= keeps_failing(s, &p); \
	}
	FAULTS(F)
#undef F
	return is_smaller;
}

static bool lower(struct search *s, size_t offset, uint32_t least)
{
	bool is_smaller = false;
	for (;;) {
		struct plan p = s->best;
		uint32_t *value = (uint32_t *)(void *)((char *)&p + offset);
		if (*value <= least)
			return is_smaller;
		--*value;
		if (!keeps_failing(s, &p))
			return is_smaller;
		is_smaller = true;
	}
}

static bool shorten(struct search *s)
{
	bool is_smaller = false;
	for (uint64_t part = 2; part <= 16; part *= 2) {
		struct plan p = s->best;
		p.storm_ms -= p.storm_ms / part;
		if (p.storm_ms >= 1000 && keeps_failing(s, &p))
			is_smaller = true;
	}
	return is_smaller;
}

struct plan shrink(uint64_t seed, struct plan plan)
{
	struct search s = {.seed = seed, .best = plan};
	struct result r;
	run(seed, &plan, &(struct telling){0}, &r);
	s.promise = r.failure[0];
	s.failed_ms = r.failed_ms;
	if (!s.promise)
		return plan;
	bool is_smaller = true;
	while (is_smaller) {
		is_smaller = drop_faults(&s);
		is_smaller |= lower(&s, offsetof(struct plan, people), 3);
		is_smaller |= lower(&s, offsetof(struct plan, rooms), s.best.privates + 1);
		is_smaller |= lower(&s, offsetof(struct plan, privates), 1);
		is_smaller |= lower(&s, offsetof(struct plan, gateways), 1);
		is_smaller |= lower(&s, offsetof(struct plan, roomds), 1);
		is_smaller |= lower(&s, offsetof(struct plan, historyds), 1);
		is_smaller |= shorten(&s);
	}
	printf("after %u runs\n", s.runs);
	return s.best;
}
