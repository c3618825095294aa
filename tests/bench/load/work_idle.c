// SPDX-License-Identifier: MIT
/* work_idle.c — clients that have joined and do nothing: what one costs in memory, and all of them
 * in processor time (D). */
#include "tests/bench/load/work.h"

void work_idle(struct load *l)
{
	struct span s;
	work_open(l, l->client_count);
	work_settle(l);
	span_begin(&l->host, &s);
	load_run(l, load_now(l) + l->o.window_ms * 1000000, NULL);
	span_end(&l->host, &s);
	work_report_counts(l);
	report_span(&s);
	report_open_list("each_kib");
	for (uint32_t i = 0; i < l->host.pid_count; i++)
		report_u64("", s.to.each_kib[i]);
	report_close_list();
}
