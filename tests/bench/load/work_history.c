// SPDX-License-Identifier: MIT
/* work_history.c — pages of history (H): fills the rooms, then each client asks for one page after
 * the other, anywhere in its room. A closed loop: what one server core can give at most. */
#include "proto/shell/options.h"
#include "tests/bench/load/dialect.h"
#include "tests/bench/load/work.h"

#include <stdlib.h>

enum { FILL_MS_MAX = 120000 };

static struct drand48_data dice;

static void ask(struct client *c)
{
	struct load *l = c->load;
	long number;
	lrand48_r(&dice, &number);
	/* Seqs count from 1; each page is full. */
	uint64_t lowest = l->o.page + 1;
	uint64_t highest = l->o.fill + 1;
	uint64_t before = lowest + (uint64_t)number % (highest - lowest + 1);
	c->asked_ns = load_now(l);
	l->dialect->ask_page(c, before, l->o.page);
}

static void on_page(struct client *c, uint64_t messages)
{
	struct load *l = c->load;
	uint64_t now_ns = load_now(l);
	if (messages != l->o.page)
		load_fault(c, "a page has %" PRIu64 " messages", messages);
	if (c->asked_ns >= l->window_from_ns && now_ns < l->window_to_ns)
		hist_add(&l->asked, now_ns - c->asked_ns);
	if (now_ns < l->window_to_ns)
		ask(c);
}

static bool is_filled(struct load *l)
{
	return l->counts.said >= l->o.fill * l->o.rooms;
}

/* Writers take turns, so that each room gets its share. */
static void fill(struct load *l)
{
	work_schedule(l, l->o.rate, FILL_MS_MAX);
	l->due = work_schedule_due;
	bool is_done = load_run(l, load_now(l) + FILL_MS_MAX * (uint64_t)1000000, is_filled);
	work_drain(l);
	if (!is_done || work_lost(l) > 0)
		fail_system(PROGRAM, "rooms could not be filled; %s", l->first_fault);
}

void work_history(struct load *l)
{
	const uint64_t ms = 1000000;
	struct part p;
	if (!l->dialect->ask_page)
		fail_usage(PROGRAM, "%s has no history", l->dialect->name);
	if (l->o.fill < l->o.page)
		fail_usage(PROGRAM, "--fill is less than a page");
	work_open(l, l->client_count);
	work_settle(l);

	fill(l);
	l->window_from_ns = load_now(l) + l->o.warm_ms * ms;
	l->window_to_ns = l->window_from_ns + l->o.window_ms * ms;
	l->on_page = on_page;
	for (uint32_t i = 0; i < l->client_count; i++)
		ask(&l->clients[i]);
	load_run(l, l->window_from_ns, NULL);
	part_begin(l, &p);
	load_run(l, l->window_to_ns, NULL);
	part_end(l, &p);
	uint64_t pages = p.to.pages - p.from.pages;
	work_report_counts(l);
	report_u64("pages", pages);
	report_real("pages_per_s", (double)pages / span_seconds(&p.span));
	report_hist("page_us", &l->asked);
	report_span(&p.span);
}
