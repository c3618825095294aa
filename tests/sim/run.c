// SPDX-License-Identifier: MIT
/* run.c — see run.h: a run's two phases. */
#include "tests/sim/run.h"
#include "tests/sim/people.h"

#include <stdio.h>

enum { STEP_MS = 10 };

static void run_until(struct world *w, struct people *people, uint64_t until_ms)
{
	while (w->now_ms < until_ms) {
		people_act(people);
		world_run(w, w->now_ms + STEP_MS);
	}
}

static void print_sums(const struct world *w, const struct promises *p)
{
	printf("%" PRIu64 " acked, %" PRIu64 " delivered, %" PRIu64 " refused, %" PRIu64
	       " bus messages, %" PRIu64 " lost, %" PRIu64 " crashes, %" PRIu64 " stops, %" PRIu64
	       " cuts, %" PRIu64 " disk faults, %" PRIu64 " older copies put back, at most %" PRIu64
	       " bytes kept for a connection\n",
	       p->acked, p->delivered, p->refused, w->messages, w->drops, w->crashes, w->pauses,
	       w->cuts, w->disk_faults, w->put_backs, w->overflow_max);
}

void run(uint64_t seed, const struct plan *plan, const struct telling *telling,
	 struct result *result)
{
	static struct world w;
	struct promises promises;
	world_open(&w, seed, plan);
	w.tell_from_ms = telling->from_ms;
	w.tell_to_ms = telling->to_ms;
	promises_open(&promises, &w);
	struct people *people = people_open(&w, &promises, plan);
	run_until(&w, people, w.now_ms + plan->storm_ms);
	world_calm(&w);
	people_settle(people);
	run_until(&w, people, w.now_ms + QUIET_MS);
	people_check(people);
	if (telling->to_ms)
		print_sums(&w, &promises);
	memcpy(result->failure, promises.failure, sizeof result->failure);
	result->failed_ms = promises.failed_ms;
	result->acked = promises.acked;
	world_close(&w);
	people_close(people);
	promises_close(&promises);
}
