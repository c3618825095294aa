// SPDX-License-Identifier: MIT
/* ready.c — whether this gateway can serve, and what it cannot reach. Not here: who asks
 * (shell/http.c), how it is noticed (on_bus.c). */
#include "gateway/core/state.h"

bool gateway_has_twin(const struct gateway *g)
{
	return g->now_ms < g->refused_ms;
}

static bool is_up(const struct link *l)
{
	return l->up && l->ready && l->fault == TOPOLOGY_FITS;
}

static void print_missing(struct buf *missing, const struct link *l, const char *name, uint32_t i)
{
	buf_printf(missing, "%s\"%s-%" PRIu32, missing->len ? "," : "", name, i);
	if (l->fault != TOPOLOGY_FITS)
		buf_printf(missing, ": %s", topology_fault_text(l->fault));
	BUF_LIT(missing, "\"");
}

/* How many of them are up. */
static uint32_t count_up(const struct link *links, uint32_t count, const char *name,
			 struct buf *missing)
{
	uint32_t up = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (is_up(&links[i]))
			up++;
		else
			print_missing(missing, &links[i], name, i);
	}
	return up;
}

/* How many pairs of a roomd and a historyd, both of them up, reach each other. */
static uint32_t count_pairs(const struct gateway *g, struct buf *missing)
{
	uint32_t pairs = 0;
	for (uint32_t i = 0; i < g->options.roomd_shards; i++)
		for (uint32_t k = 0; k < g->options.historyd_shards; k++) {
			if (!is_up(&g->roomd[i]) || !is_up(&g->historyd[k]))
				continue;
			if (g->roomd[i].missing >> k & 1)
				buf_printf(missing,
					   "%s\"roomd-%" PRIu32 " to historyd-%" PRIu32 "\"",
					   missing->len ? "," : "", i, k);
			else
				pairs++;
		}
	return pairs;
}

enum readiness gateway_readiness(const struct gateway *g, struct buf *missing)
{
	const uint32_t all = g->options.roomd_shards * g->options.historyd_shards;
	(void)count_up(g->roomd, g->options.roomd_shards, "roomd", missing);
	(void)count_up(g->historyd, g->options.historyd_shards, "historyd", missing);
	uint32_t pairs = count_pairs(g, missing);
	if (gateway_has_twin(g)) {
		buf_printf(missing, "%s\"gateway-%" PRIu64 ": %s\"", missing->len ? "," : "",
			   g->options.id, topology_fault_text(TOPOLOGY_TWIN));
		return GATEWAY_WAITING;
	}
	if (pairs == all)
		return GATEWAY_READY;
	return pairs ? GATEWAY_DEGRADED : GATEWAY_WAITING;
}

const struct topology *gateway_topology(const struct gateway *g)
{
	return &g->topology;
}
