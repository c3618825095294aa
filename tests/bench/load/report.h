// SPDX-License-Identifier: MIT
/* report.h — one run's numbers as a JSON object on stdout; and a span, the time between two moments
 * of the machine. Not here: what is counted in it (work.h). */
#ifndef PARLOR_BENCH_REPORT_H
#define PARLOR_BENCH_REPORT_H

#include "proto/base.h"
#include "tests/bench/load/hist.h"
#include "tests/bench/load/host.h"

struct span {
	struct moment from, to;
};

void span_begin(const struct host *h, struct span *s);
void span_end(const struct host *h, struct span *s);
double span_seconds(const struct span *s);
double span_self_share(const struct span *s);   /* of one core, by the generator */
double span_server_share(const struct span *s); /* of one core, by the server; may exceed 1 */

/* The report is one object, written in order; names are given by the caller. */
void report_u64(const char *name, uint64_t value);
void report_real(const char *name, double value);
void report_flag(const char *name, bool value);
void report_text(const char *name, const char *value);
void report_hist(const char *name, const struct hist *h); /* in us */
void report_open(const char *name);                       /* an object; "" within a list */
void report_close(void);
void report_open_list(const char *name);
void report_close_list(void);
void report_span(const struct span *s); /* server, generator, machine */
void report_end(void);                  /* prints what is complete */

#endif
