// SPDX-License-Identifier: MIT
/* sim.c — runs of the simulated world: `sim --seeds FIRST-LAST`, or `sim --seed N --log` for one
 * run's story.
 *
 * A run has two phases. In the first everything fails that can: messages, processes, disks, clocks,
 * clients. Then all faults end, and within QUIET_MS everything must have come right. */
#include "tests/sim/people.h"

#include <stdio.h>
#include <stdlib.h>

enum { STORM_MS = 40000, QUIET_MS = 25000, STEP_MS = 10 };

struct run_options {
	bool is_telling;
	bool is_calm;  /* no faults at all */
	bool is_first; /* the first failing run ends it */
};

static struct faults faults_of(struct rng *rng)
{
	struct faults f = {0};
	/* Each kind in some runs only, so that each is also seen alone. */
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
		f.clock = rng_below(rng, 100000);
	return f;
}

static void run_until(struct world *w, struct people *people, uint64_t until_ms)
{
	while (w->now_ms < until_ms) {
		people_act(people);
		world_run(w, w->now_ms + STEP_MS);
	}
}

static bool run(uint64_t seed, const struct run_options *o, uint64_t *acked)
{
	static struct world w;
	struct promises promises;
	struct rng shape = {seed ^ 0x5eed};
	uint32_t gateways = 1 + (uint32_t)rng_below(&shape, 3);
	uint32_t roomds = 1 + (uint32_t)rng_below(&shape, 2);
	uint32_t historyds = 1 + (uint32_t)rng_below(&shape, 2);
	world_open(&w, seed, gateways, roomds, historyds);
	w.is_telling = o->is_telling;
	if (!o->is_calm)
		w.faults = faults_of(&shape);
	promises_open(&promises, &w);
	struct people *people =
		people_open(&w, &promises, 3 + (uint32_t)rng_below(&shape, 10),
			    2 + (uint32_t)rng_below(&shape, 3), 50 + rng_below(&shape, 1000));
	run_until(&w, people, w.now_ms + STORM_MS);
	world_calm(&w);
	people_settle(people);
	run_until(&w, people, w.now_ms + QUIET_MS);
	people_check(people);
	*acked += promises.acked;
	bool is_kept = !*promises.failure;
	if (!is_kept)
		printf("seed %" PRIu64 ": %s\n", seed, promises.failure);
	if (o->is_telling)
		printf("seed %" PRIu64 ": %" PRIu64 " acked, %" PRIu64 " delivered, %" PRIu64
		       " refused, %" PRIu64 " bus messages, %" PRIu64 " lost, %" PRIu64
		       " crashes, %" PRIu64 " stops, %" PRIu64 " cuts, %" PRIu64
		       " disk faults, at most %" PRIu64 " bytes kept for a connection\n",
		       seed, promises.acked, promises.delivered, promises.refused, w.messages,
		       w.drops, w.crashes, w.pauses, w.cuts, w.disk_faults, w.overflow_max);
	world_close(&w);
	people_close(people);
	promises_close(&promises);
	return is_kept;
}

static void usage(void)
{
	fputs("usage: sim --seeds FIRST-LAST | --seed N [--log] [--calm] [--first]\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct run_options o = {0};
	uint64_t first = 1;
	uint64_t last = 0;
	for (int i = 1; i < argc; i++) {
		char *end = NULL;
		bool has_value = i + 1 < argc;
		if (strcmp(argv[i], "--log") == 0) {
			o.is_telling = true;
		} else if (strcmp(argv[i], "--calm") == 0) {
			o.is_calm = true;
		} else if (strcmp(argv[i], "--first") == 0) {
			o.is_first = true;
		} else if (strcmp(argv[i], "--seed") == 0 && has_value) {
			first = last = strtoull(argv[++i], &end, 10);
		} else if (strcmp(argv[i], "--seeds") == 0 && has_value) {
			first = strtoull(argv[++i], &end, 10);
			last = *end == '-' ? strtoull(end + 1, &end, 10) : first;
		} else {
			usage();
		}
	}
	if (last < first)
		usage();
	uint64_t passed = 0;
	uint64_t acked = 0;
	uint64_t runs = 0;
	for (uint64_t seed = first; seed <= last && !(o.is_first && passed < runs); seed++) {
		passed += run(seed, &o, &acked);
		runs++;
	}
	printf("%" PRIu64 " messages acked in all\n", acked);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, runs - passed);
	return passed == runs ? 0 : 1;
}
