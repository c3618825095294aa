// SPDX-License-Identifier: MIT
/* shell_metrics.h — what the gateway counts, by the names that /metrics gives it. */
#ifndef PARLOR_GATEWAY_SHELL_METRICS_H
#define PARLOR_GATEWAY_SHELL_METRICS_H

#include "gateway/gateway.h"
#include "gateway/relay.h"
#include "gateway/shell_server.h"
#include "proto/metrics.h"

/* Where the counts are; they must outlast the metrics. */
struct metrics_of {
	struct gateway *core;
	const struct server *server;
	const struct relay *relay;
	const struct eio *eio;
	const struct conns *conns;
};

void gateway_metrics_open(struct metrics *m, uint64_t id, const struct metrics_of *of);

#endif
