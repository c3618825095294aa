// SPDX-License-Identifier: MIT
/* metrics.h — what a service counts, a row a metric, and its Prometheus text. Values stay where
 * they are counted: a row says in which of the service's structs, and where in it. One thread. */
#ifndef PARLOR_PROTO_SHELL_METRICS_H
#define PARLOR_PROTO_SHELL_METRICS_H

#include "proto/base.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric_row {
	const char *name; /* "messages_stored_total"; "parlor_" is put before it */
	enum metric_kind kind;
	const char *help;
	size_t source, offset; /* a uint64_t in that source */

	/* Or an array of them, a sample each, told apart by a label. */
	const char *label;
	const char *(*label_value)(size_t index);
	size_t first, end;
};

/* Begins a row. A field that is no uint64_t does not compile. */
#define METRIC_ROW(metric, metric_kind, text, metric_source, type, member)                   \
	.name = metric, .kind = METRIC_##metric_kind, .help = text, .source = metric_source, \
	.offset = offsetof(type, member) +                                                   \
		  0 * sizeof(_Generic(&((type *)0)->member, uint64_t * : 0))

struct metric_table {
	const struct metric_row *rows;
	size_t count;
};

enum { METRIC_SOURCES_MAX = 8 };

struct metrics {
	const struct metric_table *table;
	const void *sources[METRIC_SOURCES_MAX];
	struct buf labels; /* of every sample, for the braces: service="…",id="…" */
};

/* The sources, by the rows' numbers, must outlast the metrics. */
void metrics_open(struct metrics *m, const struct metric_table *table, const char *service,
		  uint64_t id, const void *const *sources, size_t source_count);
void metrics_close(struct metrics *m);

void metrics_print(const struct metrics *m, struct buf *out);

#endif
