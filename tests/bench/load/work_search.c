// SPDX-License-Identifier: MIT
/* work_search.c — the highest rate at which p99 stays below a limit and nothing is lost: steps up
 * until one fails, then steps between (A-max, W). */
#include "tests/bench/load/search.h"
#include "tests/bench/load/work.h"

enum { BACKLOG_WAITS = 4 };

struct step {
	uint64_t rate;
	struct part part;
	uint64_t p50_ns, p99_ns, lost;
	bool is_held;
};

/* Writers alone in their rooms have nobody to deliver to: then it is their acks that count. */
static void take_step(struct load *l, struct step *s)
{
	l->counts = (struct counts){0};
	work_messages(l, s->rate, &s->part);
	const struct hist *h = l->o.members > 1 ? &l->delivery : &l->own;
	uint64_t due = s->rate * l->o.window_ms / 1000;
	uint64_t said = s->part.to.said - s->part.from.said;
	s->p50_ns = hist_at(h, 0.5);
	s->p99_ns = hist_at(h, 0.99);
	s->lost = work_lost(l);
	s->is_held = s->lost == 0 && l->counts.faults == 0 && s->p99_ns < l->o.limit_ms * 1000000 &&
		     said * 100 >= due * 97;
}

/* What a step has left behind must not weigh on the next one; what never comes is waited for in
 * vain. */
static void wait_for_backlog(struct load *l)
{
	for (int i = 0; i < BACKLOG_WAITS && work_lost(l) > 0; i++)
		work_drain(l);
}

static void report_step(const struct load *l, const struct step *s)
{
	report_open("");
	report_u64("rate", s->rate);
	report_flag("held", s->is_held);
	report_real("deliveries_per_s",
		    (double)part_deliveries(&s->part) / span_seconds(&s->part.span));
	report_real("p50", (double)s->p50_ns / 1e3);
	report_real("p99", (double)s->p99_ns / 1e3);
	report_u64("lost", s->lost);
	report_u64("repeated", l->counts.again);
	report_u64("out_of_order", l->counts.late);
	report_u64("faults", l->counts.faults);
	report_hist("lag_us", &l->lag);
	report_span(&s->part.span);
	report_close();
}

void work_search(struct load *l)
{
	struct step s = {.rate = l->o.rate};
	struct step best = {0}, worst = {0};
	work_open(l, l->client_count);
	work_settle(l);
	report_open_list("steps");
	for (uint64_t n = 0; n < l->o.steps_max; n++) {
		take_step(l, &s);
		report_step(l, &s);
		if (s.is_held)
			best = s;
		else
			worst = s;
		if (l->joined < l->client_count || (s.rate == 1 && !s.is_held))
			break; /* connections were lost, or there is nothing below */
		wait_for_backlog(l);
		if (search_is_done(best.rate, worst.rate, l->o.precision))
			break;
		bool is_easy = best.p99_ns < l->o.limit_ms * 1000000 / 2;
		s = (struct step){.rate = search_next_rate(best.rate, is_easy, worst.rate)};
	}
	report_close_list();
	report_text("first_fault", l->first_fault);
	report_u64("held_rate", best.rate);
	report_real("held_deliveries_per_s",
		    best.rate ? (double)part_deliveries(&best.part) / span_seconds(&best.part.span)
			      : 0);
	report_real("held_p50", (double)best.p50_ns / 1e3);
	report_real("held_p99", (double)best.p99_ns / 1e3);
	/* Of the step that was not held. */
	report_real("worst_generator_share", worst.rate ? span_self_share(&worst.part.span) : 0);
	report_real("worst_server_share", worst.rate ? span_server_share(&worst.part.span) : 0);
}
