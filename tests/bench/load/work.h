// SPDX-License-Identifier: MIT
/* work.h — the workloads: what clients do, when, and which numbers come of it. */
#ifndef PARLOR_BENCH_WORK_H
#define PARLOR_BENCH_WORK_H

#include "tests/bench/load/load.h"
#include "tests/bench/load/report.h"

/* A part of a run, in which processor time and counts belong together. */
struct part {
	struct span span;
	struct counts from, to;
};

/* ---- work.c: what they share ---- */

void part_begin(const struct load *l, struct part *p);
void part_end(const struct load *l, struct part *p);
uint64_t part_deliveries(const struct part *p); /* received in it, the writers' own ones too */

/* Opens all clients; the first `joining` of them also join. Reports how fast. Exits when that
 * cannot be done. */
void work_open(struct load *l, uint32_t joining);

/* Waits until nothing has been heard for o.quiet_ms, so that what joins caused is over. */
void work_settle(struct load *l);

/* The open loop: `rate` messages a second, each due at its own time whatever became of those before
 * it, written by all writers in turn, from now on for `run_ms`. */
void work_schedule(struct load *l, uint64_t rate, uint64_t run_ms);
uint64_t work_schedule_due(struct load *l, uint64_t now_ns); /* for load.due */

/* The schedule for o.warm_ms and then o.window_ms; the part and the latencies are the window's.
 * Then waits for what is missing; what does not come is lost. */
void work_messages(struct load *l, uint64_t rate, struct part *p);

/* Writes no more, and waits until all is here, or nothing has come for o.drain_ms, or o.patience_ms
 * are over. */
void work_drain(struct load *l);

uint64_t work_lost(const struct load *l);
void work_report_counts(const struct load *l);

/* ---- the workloads ---- */

void work_chat(struct load *l);    /* work_chat.c: messages at a rate */
void work_search(struct load *l);  /* work_search.c: the highest rate that is held */
void work_idle(struct load *l);    /* work_idle.c: nothing at all */
void work_join(struct load *l);    /* work_join.c: joins into rooms that are busy */
void work_history(struct load *l); /* work_history.c: pages */

#endif
