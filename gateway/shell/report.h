// SPDX-License-Identifier: MIT
/* report.h — a log line now and then about what clients were refused: connections, errors by code,
 * closes by code. Each is counted where it happens, and is a metric too. */
#ifndef PARLOR_GATEWAY_SHELL_REPORT_H
#define PARLOR_GATEWAY_SHELL_REPORT_H

#include "gateway/core/gateway.h"
#include "gateway/shell/server.h"

/* What was told last; zeroed at the start. */
struct report {
	uint64_t due_ms;
	uint64_t sockets, origins;
	struct gateway_stats stats;
};

/* Says what came since the last line, if anything did and that is long enough ago. */
void report_look(struct report *r, const struct gateway_stats *stats, const struct server *server,
		 uint64_t now_ms);

#endif
