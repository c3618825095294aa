// SPDX-License-Identifier: MIT
/* work.c — what the workloads share. See work.h. */
#include "tests/bench/load/work.h"
#include "proto/shell/options.h"
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

enum {
	OPEN_MS_MAX = 120000,
	SETTLE_MS_MAX = 30000,
	BURST = 64, /* messages written before looking at what has arrived */
};

void part_begin(const struct load *l, struct part *p)
{
	p->from = l->counts;
	span_begin(&l->host, &p->span);
}

void part_end(const struct load *l, struct part *p)
{
	p->to = l->counts;
	span_end(&l->host, &p->span);
}

uint64_t part_deliveries(const struct part *p)
{
	return p->to.delivered + p->to.own - p->from.delivered - p->from.own;
}

static const uint64_t ms = 1000000;

/* ---- opening ---- */

static uint32_t joining; /* how many clients are to join */

static void on_open(struct client *c)
{
	if (c->number < joining && c->state == CLIENT_OPEN)
		load_enter(c);
}

/* At most o.connecting clients are between their first packet and the end of their joining. */
static uint64_t open_due(struct load *l, uint64_t now_ns)
{
	while (l->next_to_open < l->client_count && l->connecting + l->entering < l->o.connecting)
		client_open(&l->clients[l->next_to_open++]);
	return now_ns + 10 * ms;
}

static bool is_open(struct load *l)
{
	return l->counts.faults > 0 ||
	       (l->next_to_open == l->client_count && l->joined >= joining && l->connecting == 0);
}

void work_open(struct load *l, uint32_t joining_count)
{
	struct span s;
	joining = joining_count;
	span_begin(&l->host, &s);
	l->due = open_due;
	l->on_open = on_open;
	bool is_done = load_run(l, load_now(l) + OPEN_MS_MAX * ms, is_open);
	l->due = NULL;
	l->on_open = NULL;
	if (!is_done || l->counts.faults > 0)
		fail_system(PROGRAM, "%u of %u clients joined; %s", l->joined, joining,
			    l->first_fault);
	span_end(&l->host, &s);
	report_open("open");
	report_u64("clients", l->client_count);
	report_u64("joined", l->joined);
	report_u64("server_kib_before", s.from.server_kib);
	report_real("joins_per_s", l->joined / span_seconds(&s));
	report_span(&s);
	report_close();
}

void work_settle(struct load *l)
{
	uint64_t end_ns = load_now(l) + SETTLE_MS_MAX * ms;
	l->active_ns = load_now(l);
	while (load_now(l) < end_ns && load_now(l) - l->active_ns < l->o.quiet_ms * ms)
		load_run(l, l->active_ns + l->o.quiet_ms * ms, NULL);
}

/* ---- the open loop ---- */

static struct {
	uint64_t from_ns, to_ns, rate;
	uint64_t count; /* written */
	uint64_t turn;  /* of the writers, goes on from one schedule to the next */
} schedule;

void work_schedule(struct load *l, uint64_t rate, uint64_t run_ms)
{
	/* Whole us, as acks have them, or the first one's would be before the window. */
	schedule.from_ns = (load_now(l) + ms) / 1000 * 1000;
	schedule.to_ns = schedule.from_ns + run_ms * ms;
	schedule.rate = rate;
	schedule.count = 0;
}

uint64_t work_schedule_due(struct load *l, uint64_t now_ns)
{
	for (uint32_t burst = 0;; burst++) {
		uint64_t due_ns = schedule.from_ns + schedule.count * 1000 * ms / schedule.rate;
		if (due_ns >= schedule.to_ns)
			return UINT64_MAX;
		if (due_ns > now_ns || burst == BURST)
			return due_ns;
		struct client *c = &l->clients[schedule.turn++ % (l->o.rooms * l->o.writers)];
		schedule.count++;
		if (c->state == CLIENT_JOINED)
			load_say(c, due_ns);
	}
}

static bool all_in(struct load *l)
{
	return work_lost(l) == 0;
}

void work_drain(struct load *l)
{
	uint64_t end_ns = load_now(l) + l->o.patience_ms * ms;
	uint64_t before;
	l->due = NULL;
	do {
		before = l->counts.frames;
		uint64_t until_ns = load_now(l) + l->o.drain_ms * ms;
		if (load_run(l, until_ns < end_ns ? until_ns : end_ns, all_in))
			return;
	} while (l->counts.frames != before && load_now(l) < end_ns);
}

void work_messages(struct load *l, uint64_t rate, struct part *p)
{
	hist_clear(&l->delivery);
	hist_clear(&l->own);
	hist_clear(&l->lag);
	work_schedule(l, rate, l->o.warm_ms + l->o.window_ms);
	l->window_from_ns = schedule.from_ns + l->o.warm_ms * ms;
	l->window_to_ns = schedule.to_ns;
	l->due = work_schedule_due;
	load_run(l, l->window_from_ns, NULL);
	part_begin(l, p);
	load_run(l, l->window_to_ns, NULL);
	part_end(l, p);
	/* A generator that is behind still has messages to write; they are not worth waiting for.
	 */
	work_drain(l);
}

uint64_t work_lost(const struct load *l)
{
	uint64_t got = l->counts.delivered + l->counts.own;
	return l->counts.expected > got ? l->counts.expected - got : 0;
}

void work_report_counts(const struct load *l)
{
	const struct counts *n = &l->counts;
	report_u64("said", n->said);
	report_u64("expected", n->expected);
	report_u64("delivered", n->delivered);
	report_u64("own", n->own);
	report_u64("lost", work_lost(l));
	report_u64("repeated", n->again);
	report_u64("out_of_order", n->late);
	report_u64("foreign", n->foreign);
	report_u64("faults", n->faults);
	report_text("first_fault", l->first_fault);
	report_u64("blocked", n->blocked);
}
