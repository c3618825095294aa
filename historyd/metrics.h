// SPDX-License-Identifier: MIT
/* metrics.h — what historyd counts, by the names that /metrics gives it. Shell only. */
#ifndef PARLOR_HISTORYD_METRICS_H
#define PARLOR_HISTORYD_METRICS_H

#include "proto/shell/metrics.h"

/* Where the rows find their values. */
enum historyd_metric_source {
	OF_CORE,   /* struct historyd_stats */
	OF_STORE,  /* struct store_rocks_stats */
	OF_READER, /* struct reader_stats */
	HISTORYD_METRIC_SOURCES
};

extern const struct metric_table historyd_metrics;

#endif
