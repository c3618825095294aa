// SPDX-License-Identifier: MIT
/* gateways.c — see gateways.h. */
#include "historyd/gateways.h"

enum {
	ASK_MS = 250,           /* between two requests to one gateway */
	STOPPED_ROOMS_MAX = 16, /* more than these, and none of its posts are taken */
};

struct gateway {
	uint64_t id;
	struct link link;
	bool is_stopped;
	uint64_t asked_ms; /* by the same clock as link.active_ms */
	/* Rooms that have stopped alone, so that one which cannot be read stops no others; by their
	 * hashes, as nothing is lost when another room has the same. */
	uint32_t stopped_count;
	uint64_t stopped[STOPPED_ROOMS_MAX];
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

struct gateway *gateways_receive(struct gateways *all, const struct envelope *env, uint32_t pipe,
				 uint64_t now_ms, bool *is_twin)
{
	struct gateway *gateway = find_or_add(all, env->id);
	*is_twin = gateway && !link_admits(&gateway->link, env, pipe, now_ms);
	if (!gateway || *is_twin)
		return NULL;
	enum link_result result = link_receive(&gateway->link, env, now_ms);
	if (result == LINK_STALE)
		return NULL;
	all->gaps += result == LINK_GAP;
	if (result != LINK_NEXT)
		gateway_stop(all, gateway);
	return gateway;
}

void gateways_pipe_closed(struct gateways *all, uint32_t pipe)
{
	struct gateway *gateway;
	TABLE_EACH (&all->table, i, gateway)
		link_pipe_closed(&gateway->link, pipe);
}

/* ---- whose posts are taken ---- */

/* It knows of posts_begin; what an older one says is taken as it comes. */
static bool is_ordered(const struct gateway *gateway)
{
	return gateway->link.minor >= 1;
}

static bool has_stopped(const struct gateway *gateway)
{
	return gateway->is_stopped || gateway->stopped_count;
}

bool gateway_is_taken(const struct gateways *all, const struct gateway *gateway, struct str room)
{
	if (!has_stopped(gateway) || !is_ordered(gateway))
		return true;
	if (gateway->is_stopped)
		return false;
	uint64_t hash = hash_bytes(room, all->table.seed);
	for (uint32_t i = 0; i < gateway->stopped_count; i++)
		if (gateway->stopped[i] == hash)
			return false;
	return true;
}

void gateway_stop(struct gateways *all, struct gateway *gateway)
{
	gateway->is_stopped = true;
	all->has_stopped = true;
}

void gateway_stop_room(struct gateways *all, struct gateway *gateway, struct str room)
{
	CHECK(gateway->stopped_count <= STOPPED_ROOMS_MAX);
	if (gateway->stopped_count == STOPPED_ROOMS_MAX)
		gateway->is_stopped = true;
	else
		gateway->stopped[gateway->stopped_count++] = hash_bytes(room, all->table.seed);
	all->has_stopped = true;
}

void gateways_stop_all(struct gateways *all)
{
	struct gateway *gateway;
	TABLE_EACH (&all->table, i, gateway)
		gateway_stop(all, gateway);
}

void gateway_begin(struct gateway *gateway)
{
	gateway->is_stopped = false;
	gateway->stopped_count = 0;
}

void gateways_ask(struct gateways *all, struct batch *down)
{
	struct gateway *gateway;
	if (!all->has_stopped)
		return;
	all->has_stopped = false;
	TABLE_EACH (&all->table, i, gateway) {
		if (!has_stopped(gateway) || !is_ordered(gateway))
			continue;
		all->has_stopped = true;
		if (gateway->link.active_ms - gateway->asked_ms < ASK_MS)
			continue;
		gateway->asked_ms = gateway->link.active_ms;
		bus_put_posts_ask(down, &(struct ev_posts_ask){.gateway = gateway->id});
	}
}

void gateways_check(const struct gateways *all, bool is_writable)
{
	const struct gateway *gateway;
	CHECK(all->table.count <= GATEWAYS_MAX);
	TABLE_EACH (&all->table, i, gateway) {
		CHECK(table_find(&all->table, gateway_key(gateway)) == gateway);
		CHECK(gateway->link.up && gateway->asked_ms <= gateway->link.active_ms);
		CHECK(gateway->stopped_count <= STOPPED_ROOMS_MAX);
		CHECK(!has_stopped(gateway) || !is_ordered(gateway) || all->has_stopped);
		/* What it says while nothing can be stored is not taken. */
		CHECK(is_writable || !is_ordered(gateway) || gateway->is_stopped);
	}
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
		CHECK(table_remove(&all->table, gateway_key(gateway)) == gateway);
		mem_free(gateway);
	}
}
