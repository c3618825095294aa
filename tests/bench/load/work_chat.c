// SPDX-License-Identifier: MIT
/* work_chat.c — messages at one rate (A, B, C, G). */
#include "tests/bench/load/work.h"

void work_chat(struct load *l)
{
	struct part p;
	work_open(l, l->client_count);
	work_settle(l);
	work_messages(l, l->o.rate, &p);
	work_report_counts(l);
	report_hist("delivery_us", &l->delivery);
	report_hist("own_us", &l->own);
	report_hist("lag_us", &l->lag);
	report_u64("window_deliveries", part_deliveries(&p));
	report_real("us_per_delivery",
		    (p.span.to.server_s - p.span.from.server_s) * 1e6 /
			    (double)(part_deliveries(&p) ? part_deliveries(&p) : 1));
	report_span(&p.span);
	report_open_list("each_cpu_s");
	for (uint32_t i = 0; i < l->host.pid_count; i++)
		report_real("", p.span.to.each_s[i] - p.span.from.each_s[i]);
	report_close_list();
}
