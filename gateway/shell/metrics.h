// SPDX-License-Identifier: MIT
/* metrics.h — what the gateway counts, by the names that /metrics gives it. */
#ifndef PARLOR_GATEWAY_SHELL_METRICS_H
#define PARLOR_GATEWAY_SHELL_METRICS_H

#include "proto/shell/metrics.h"

/* Where the rows find their values. */
enum gateway_metric_source {
	OF_CORE,   /* struct gateway_stats */
	OF_SERVER, /* struct server, and so on */
	OF_RELAY,
	OF_EIO,
	OF_CONNS,
	OF_TLS,
	OF_TOKENS,
	GATEWAY_METRIC_SOURCES
};

extern const struct metric_table gateway_metrics;

#endif
