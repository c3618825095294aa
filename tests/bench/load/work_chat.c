// SPDX-License-Identifier: MIT
/* work_chat.c — messages at one rate (A, B, C, G). */
#include "tests/bench/load/work.h"

void work_chat(struct load *l)
{
	struct span s;
	work_open(l, l->client_count);
	work_settle(l);
	work_messages(l, l->o.rate, &s);
	work_report_counts(l);
	report_hist("delivery_us", &l->delivery);
	report_hist("own_us", &l->own);
	report_hist("lag_us", &l->lag);
	report_u64("window_deliveries", span_deliveries(&s));
	report_real("us_per_delivery",
		    (s.to.server_s - s.from.server_s) * 1e6 /
			    (double)(span_deliveries(&s) ? span_deliveries(&s) : 1));
	report_span(&s);
	report_open_list("each_cpu_s");
	for (uint32_t i = 0; i < l->host.pid_count; i++)
		report_real("", s.to.each_s[i] - s.from.each_s[i]);
	report_close_list();
}
