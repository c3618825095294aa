// SPDX-License-Identifier: MIT
/* metrics.h — the registry of what a service counts, and its Prometheus text. Values stay where
 * they are counted; the registry holds pointers to them. One thread. */
#ifndef PARLOR_PROTO_SHELL_METRICS_H
#define PARLOR_PROTO_SHELL_METRICS_H

#include "proto/base.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
	const char *name; /* "messages_stored_total"; "parlor_" is put before it */
	enum metric_kind kind;
	const char *help;
	const uint64_t *value;
};

/* One of several samples of a metric. */
struct metric_label {
	const char *name, *value; /* NULL: it has none */
};

struct metrics {
	struct metric_row {
		struct metric metric;
		struct metric_label label;
	} * rows;
	size_t count, cap;
	struct buf labels; /* put on every sample: {service="…",id="…"} */
};

void metrics_init(struct metrics *m, const char *service, uint64_t id);
void metrics_free(struct metrics *m);

/* Keeps the pointers until metrics_free. */
void metrics_add(struct metrics *m, const char *name, enum metric_kind kind, const char *help,
		 const uint64_t *value);

/* The samples of one name are added one after another. */
void metrics_add_labelled(struct metrics *m, const struct metric *metric,
			  struct metric_label label);

void metrics_print(const struct metrics *m, struct buf *out);

#endif
