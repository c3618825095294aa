// SPDX-License-Identifier: MIT
/* work_join.c — clients that join rooms in which messages flow: how long from when a join is due
 * until the greeting is complete (J). Their connections are open before. */
#include "proto/shell/options.h"
#include "tests/bench/load/work.h"

static struct {
	uint64_t from_ns, every_ns;
	uint32_t next, end; /* of the clients */
	uint32_t greeted;
} coming;

static uint64_t join_due(struct load *l, uint64_t now_ns)
{
	uint64_t next_ns = work_schedule_due(l, now_ns);
	while (coming.next < coming.end) {
		struct client *c = &l->clients[coming.next];
		uint64_t number = coming.next - (coming.end - l->o.joiners);
		c->asked_ns = coming.from_ns + number * coming.every_ns;
		if (c->asked_ns > now_ns)
			return c->asked_ns < next_ns ? c->asked_ns : next_ns;
		load_enter(c);
		coming.next++;
	}
	return next_ns;
}

static void on_joined(struct client *c)
{
	struct load *l = c->load;
	hist_add(&l->asked, load_now(l) - c->asked_ns);
	coming.greeted++;
}

static bool all_greeted(struct load *l)
{
	return coming.greeted == l->o.joiners;
}

void work_join(struct load *l)
{
	const uint64_t ms = 1000000;
	struct span s;
	if (l->o.joiners == 0)
		fail_usage(PROGRAM, "--joiners must be given");
	uint32_t members = l->client_count - (uint32_t)l->o.joiners;
	work_open(l, members);
	work_settle(l);

	work_schedule(l, l->o.rate, l->o.warm_ms + l->o.window_ms);
	coming.from_ns = load_now(l) + l->o.warm_ms * ms;
	coming.every_ns = l->o.window_ms * ms / l->o.joiners;
	coming.next = members;
	coming.end = l->client_count;
	l->window_from_ns = coming.from_ns;
	l->window_to_ns = UINT64_MAX;
	l->on_joined = on_joined;
	l->due = join_due;
	load_run(l, coming.from_ns, NULL);
	span_begin(&l->host, &s);
	load_run(l, coming.from_ns + l->o.window_ms * ms, NULL);
	span_end(&l->host, &s);
	bool is_done = load_run(l, load_now(l) + l->o.drain_ms * ms, all_greeted);
	work_drain(l);
	if (!is_done)
		load_fault(&l->clients[members], "%u of %" PRIu64 " joiners were greeted",
			   coming.greeted, l->o.joiners);
	work_report_counts(l);
	report_hist("join_us", &l->asked);
	report_hist("delivery_us", &l->delivery);
	report_hist("lag_us", &l->lag);
	report_span(&s);
}
