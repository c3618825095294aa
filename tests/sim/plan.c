// SPDX-License-Identifier: MIT
/* plan.c — see plan.h. */
#include "tests/sim/plan.h"

#include "proto/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { STORM_MS = 40000 };

/* Each kind in some runs only, so that each is also seen alone. */
static struct faults faults_of(struct rng *rng)
{
	struct faults f = {0};
	if (rng_chance(rng, 600000))
		f.drop = rng_below(rng, 30000);
	if (rng_chance(rng, 300000))
		f.repeat = rng_below(rng, 20000);
	if (rng_chance(rng, 300000))
		f.slow = rng_below(rng, 10000);
	if (rng_chance(rng, 700000))
		f.crash = rng_below(rng, 40000);
	if (rng_chance(rng, 400000))
		f.pause = rng_below(rng, 30000);
	if (rng_chance(rng, 500000))
		f.cut = rng_below(rng, 150000);
	if (rng_chance(rng, 400000))
		f.disk = rng_below(rng, 60000);
	if (rng_chance(rng, 200000))
		f.full = rng_below(rng, 30000);
	if (rng_chance(rng, 200000))
		f.unreadable = rng_below(rng, 30000);
	if (rng_chance(rng, 200000))
		f.clock = rng_below(rng, 100000);
	f.stall = f.vanish = 4000;
	f.nonsense = 10000;
	if (rng_chance(rng, 300000))
		f.isolate = rng_below(rng, 60000);
	if (rng_chance(rng, 300000))
		f.surge = rng_below(rng, 100000);
	return f;
}

/* What people do that is no fault. */
static void add_whims(struct rng *rng, struct faults *f)
{
	if (rng_chance(rng, 600000))
		f->leave = rng_below(rng, 40000);
	if (rng_chance(rng, 400000))
		f->quick = rng_below(rng, 40000);
	if (rng_chance(rng, 400000))
		f->rejoin = rng_below(rng, 30000);
	if (rng_chance(rng, 500000))
		f->pipeline = rng_below(rng, 30000);
	f->intrude = rng_below(rng, 15000);
	if (rng_chance(rng, 400000))
		f->socketio = rng_below(rng, 1000000);
	if (rng_chance(rng, 300000))
		f->batched = rng_below(rng, 1000000);
}

static struct faults patient_faults(struct rng *rng)
{
	return (struct faults){.drop = rng_below(rng, 10000),
			       .repeat = rng_below(rng, 20000),
			       .slow = rng_below(rng, 5000),
			       .nonsense = 10000};
}

/* What must be led to its place, so that it comes about often enough. */
static void add_rare(struct plan *p)
{
	if (!p->is_patient && p->gateways > 1 && rng_chance(&p->aside, 300000))
		p->faults.shutout = 100000 + rng_below(&p->aside, 500000);
	if (!p->is_patient && rng_chance(&p->aside, 200000))
		p->faults.older = 20000 + rng_below(&p->aside, 150000);
}

struct plan plan_of(uint64_t seed)
{
	struct rng rng = {seed ^ 0x5eed};
	struct plan p = {.storm_ms = STORM_MS, .is_checking = true, .aside = {seed ^ 0xa51de}};
	p.gateways = 1 + (uint32_t)rng_below(&rng, 3);
	p.roomds = 1 + (uint32_t)rng_below(&rng, 2);
	p.historyds = 1 + (uint32_t)rng_below(&rng, 2);
	bool is_large = rng_chance(&rng, 50000);
	if (is_large)
		p.gateways = 4 + (uint32_t)rng_below(&rng, 5);
	p.people = is_large ? 24 : 3 + (uint32_t)rng_below(&rng, 10);
	p.rooms = 2 + (uint32_t)rng_below(&rng, 3);
	p.post_interval_ms = 50 + rng_below(&rng, 1000);
	p.is_patient = rng_chance(&rng, 100000);
	p.faults = p.is_patient ? patient_faults(&rng) : faults_of(&rng);
	add_whims(&rng, &p.faults);
	add_rare(&p);
	uint32_t more = (uint32_t)rng_below(&rng, 4);
	p.rooms += more;
	p.privates = 1 + more;
	return p;
}

bool plan_without(struct plan *p, const char *fault, size_t len)
{
#define F(name)                                                        \
	if (len == strlen(#name) && strncmp(fault, #name, len) == 0) { \
		p->faults.name = 0;                                    \
		return true;                                           \
	}
	FAULTS(F)
#undef F
	return false;
}

void plan_print_options(uint64_t seed, const struct plan *p)
{
	struct plan whole = plan_of(seed);
	const char *comma = "";
	printf("--seed %" PRIu64, seed);
#define F(name)                                                        \
	if (whole.faults.name && !p->faults.name) {                    \
		printf("%s%s", *comma ? comma : " --without ", #name); \
		comma = ",";                                           \
	}
	FAULTS(F)
#undef F
	if (p->people != whole.people)
		printf(" --people %" PRIu32, p->people);
	if (p->rooms != whole.rooms)
		printf(" --rooms %" PRIu32, p->rooms);
	if (p->privates != whole.privates)
		printf(" --privates %" PRIu32, p->privates);
	if (p->gateways != whole.gateways)
		printf(" --gateways %" PRIu32, p->gateways);
	if (p->roomds != whole.roomds)
		printf(" --roomds %" PRIu32, p->roomds);
	if (p->historyds != whole.historyds)
		printf(" --historyds %" PRIu32, p->historyds);
	if (p->storm_ms != whole.storm_ms)
		printf(" --storm %" PRIu64, p->storm_ms);
}
