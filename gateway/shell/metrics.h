// SPDX-License-Identifier: MIT
/* metrics.h — what the gateway counts, by the names that /metrics gives it. */
#ifndef PARLOR_GATEWAY_SHELL_METRICS_H
#define PARLOR_GATEWAY_SHELL_METRICS_H

#include "gateway/core/gateway.h"
#include "gateway/relay/relay.h"
#include "gateway/shell/server.h"
#include "proto/shell/metrics.h"

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
