// SPDX-License-Identifier: MIT
/* gateways.c — see gateways.h. */
#include "historyd/gateways.h"

struct gateway {
	uint64_t id;
	struct link link;
};

static struct str id_key(const uint64_t *id)
{
	return str_of((const char *)id, sizeof *id);
}

static struct str gateway_key(const void *item)
{
	const struct gateway *gateway = item;
	return id_key(&gateway->id);
}

void gateways_init(struct gateways *all, uint64_t seed)
{
	*all = (struct gateways){0};
	table_init(&all->table, gateway_key, seed);
}

void gateways_free(struct gateways *all)
{
	struct gateway *gateway;
	TABLE_EACH (&all->table, i, gateway)
		mem_free(gateway);
	table_free(&all->table);
}

static struct gateway *find_or_add(struct gateways *all, uint64_t id)
{
	struct gateway *gateway = table_find(&all->table, id_key(&id));
	if (gateway || all->table.count == GATEWAYS_MAX)
		return gateway;
	gateway = mem_alloc(sizeof *gateway);
	gateway->id = id;
	table_add(&all->table, gateway);
	return gateway;
}

bool gateways_receive(struct gateways *all, const struct envelope *env, uint64_t now_ms)
{
	struct gateway *gateway = find_or_add(all, env->id);
	if (!gateway)
		return false;
	enum link_verdict verdict = link_receive(&gateway->link, env, now_ms);
	all->gaps += verdict == LINK_GAP;
	return verdict != LINK_STALE;
}

static struct gateway *find_lapsed(const struct gateways *all, uint64_t now_ms)
{
	struct gateway *gateway;
	TABLE_EACH (&all->table, i, gateway)
		if (link_lapsed(&gateway->link, now_ms))
			return gateway;
	return NULL;
}

void gateways_tick(struct gateways *all, uint64_t now_ms)
{
	struct gateway *gateway;
	while ((gateway = find_lapsed(all, now_ms)) != NULL) {
		table_remove(&all->table, gateway_key(gateway));
		mem_free(gateway);
	}
}
