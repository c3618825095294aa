// SPDX-License-Identifier: MIT
/* report.c — see report.h. */
#include "tests/bench/load/report.h"
#include "proto/json_out.h"

#include <stdio.h>

static struct buf out;
static bool has_before; /* something stands before the next value: a comma is due */

/* ---- spans ---- */

void span_begin(const struct host *h, struct span *s)
{
	host_now(h, &s->from);
}

void span_end(const struct host *h, struct span *s)
{
	host_now(h, &s->to);
}

double span_seconds(const struct span *s)
{
	return (double)(s->to.wall_ns - s->from.wall_ns) / 1e9;
}

double span_self_share(const struct span *s)
{
	return (s->to.self_s - s->from.self_s) / span_seconds(s);
}

double span_server_share(const struct span *s)
{
	return (s->to.server_s - s->from.server_s) / span_seconds(s);
}

/* ---- JSON ---- */

static void put_name(const char *name)
{
	if (has_before)
		BUF_LIT(&out, ",");
	has_before = true;
	if (!*name)
		return;
	json_out_str(&out, str_from(name));
	BUF_LIT(&out, ":");
}

void report_u64(const char *name, uint64_t value)
{
	put_name(name);
	buf_u64(&out, value);
}

void report_real(const char *name, double value)
{
	put_name(name);
	buf_printf(&out, "%.4f", value);
}

void report_flag(const char *name, bool value)
{
	put_name(name);
	buf_printf(&out, "%s", value ? "true" : "false");
}

void report_text(const char *name, const char *value)
{
	put_name(name);
	json_out_str(&out, str_from(value));
}

static void open_with(const char *name, const char *bracket)
{
	put_name(name);
	buf_str(&out, str_from(bracket));
	has_before = false;
}

static void close_with(const char *bracket)
{
	buf_str(&out, str_from(bracket));
	has_before = true;
}

void report_open(const char *name)
{
	open_with(name, "{");
}

void report_close(void)
{
	close_with("}");
}

void report_open_list(const char *name)
{
	open_with(name, "[");
}

void report_close_list(void)
{
	close_with("]");
}

void report_hist(const char *name, const struct hist *h)
{
	report_open(name);
	report_u64("count", h->count);
	report_real("p50", (double)hist_at(h, 0.5) / 1e3);
	report_real("p90", (double)hist_at(h, 0.9) / 1e3);
	report_real("p99", (double)hist_at(h, 0.99) / 1e3);
	report_real("p999", (double)hist_at(h, 0.999) / 1e3);
	report_real("max", (double)h->max / 1e3);
	report_close();
}

/* ---- what all reports have ---- */

void report_span(const struct span *s)
{
	double others = s->to.busy_s - s->from.busy_s - (s->to.server_s - s->from.server_s) -
			(s->to.self_s - s->from.self_s);
	double seconds = span_seconds(s);
	report_real("seconds", seconds);
	report_real("server_cpu_s", s->to.server_s - s->from.server_s);
	report_real("server_share", span_server_share(s));
	report_u64("server_kib", s->to.server_kib);
	report_real("generator_share", span_self_share(s));
	/* Of one core, beside the server and the generator. */
	report_real("others_share", others > 0 ? others / seconds : 0);
	report_real("steal_share", (s->to.steal_s - s->from.steal_s) / seconds);
}

void report_end(void)
{
	BUF_LIT(&out, "\n");
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
}
