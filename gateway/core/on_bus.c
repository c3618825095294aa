// SPDX-License-Identifier: MIT
/* on_bus.c — what roomd and historyd publish and answer: the order of each link, which shows losses
 * and restarts, and the events, each given to its handler. Not here: events of clients (client.c).
 */
#include "gateway/core/user.h"
#include "gateway/core/handlers.h"
#include "gateway/core/join.h"
#include "gateway/core/repair.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"

/* With each of its heartbeats: it may have forgotten. */
static void say_address(struct gateway *g, const struct envelope *to)
{
	if (to->from == SERVICE_ROOMD && g->options.address.len)
		bus_put_gateway_at(&g->out->roomd[to->id],
				   &(struct ev_gateway_at){.address = g->options.address});
}

static struct link *link_of(struct gateway *g, const struct envelope *env)
{
	return env->from == SERVICE_ROOMD ? &g->roomd[env->id] : &g->historyd[env->id];
}

void gateway_on_heartbeat(struct gateway *g, const struct ev_heartbeat *ev)
{
	struct link *l = link_of(g, &g->from);
	l->ready = ev->ready != 0;
	l->missing = ev->missing;
	say_address(g, &g->from);
}

void gateway_on_refused(struct gateway *g, const struct ev_refused *ev)
{
	enum topology_fault fault = topology_fault_from_wire(ev->fault);
	if (!topology_is_rejected(&g->topology, g->options.epoch, ev) || fault != TOPOLOGY_TWIN)
		return; /* what else does not fit is noticed here as well */
	if (!gateway_has_twin(g))
		topology_note(&g->topology, fault, &g->source, &g->from);
	g->refused_ms = g->now_ms + REFUSED_MS;
}

void on_claim_answer(struct gateway *g, const struct ev_claim_answer *ev)
{
	struct user *u = ev->gateway == g->options.id ? user_claim_answered(g, ev) : NULL;
	if (u)
		join_user_answered(g, u, err_from_wire(ev->status));
}

void on_presence(struct gateway *g, const struct ev_presence *ev)
{
	if (ev->gateway != g->options.id)
		return;
	presence_pace(g, ev);
	struct view *v = view_of_roomd(g, ev->room);
	if (v && view_presence(g, v, ev))
		join_advance_view(g, v);
}

void on_gateways(struct gateway *g, const struct ev_gateways *ev)
{
	directory_update(&g->directory, g->now_ms, ev);
}

#define HANDLE_GATEWAY(name) on_##name(g, &ev->as.name)
#define HANDLE_ANY(name) gateway_on_##name(g, &ev->as.name)
#define HANDLE_ROOMD(name) (void)0 /* bus_next gives none of these */
#define HANDLE_HISTORYD(name) (void)0

static void dispatch(struct gateway *g, const struct bus_event *ev)
{
	switch (ev->type) {
		BUS_CORE_EVENTS(DISPATCH_ROW)
		BUS_RELAY_EVENTS(IGNORE_ROW)
	}
}

static bool is_any_up(const struct link *links, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (links[i].up && links[i].fault == TOPOLOGY_FITS)
			return true;
	return false;
}

/* historyds know their cluster from the disk; while none of ours is heard, another may be believed.
 */
static void learn_cluster(struct gateway *g, const struct envelope *env)
{
	bool is_known =
		g->topology.cluster_len && is_any_up(g->historyd, g->options.historyd_shards);
	if (env->from == SERVICE_HISTORYD && env->cluster.len && !is_known)
		topology_learn_cluster(&g->topology, env->cluster);
}

/* Whether it comes from the shard that stands at this place of our list and knows the same whole.
 */
static bool admit(struct gateway *g, const struct bus_source *source, const struct envelope *env)
{
	bool is_roomd = source->kind == SERVICE_ROOMD;
	CHECK(source->shard < (is_roomd ? g->options.roomd_shards : g->options.historyd_shards));
	struct link *l = is_roomd ? &g->roomd[source->shard] : &g->historyd[source->shard];
	g->source = *source;
	learn_cluster(g, env);
	l->fault = topology_admit(&g->topology, source, env);
	return l->fault == TOPOLOGY_FITS;
}

/* False: not in order, to be dropped. Answers come without a sequence. */
static bool follow_link(struct gateway *g, const struct envelope *env)
{
	if (env->seq == 0)
		return true;
	switch (link_receive(link_of(g, env), env, g->now_ms)) {
	case LINK_STALE:
		return false;
	case LINK_GAP:
		g->stats.bus_gaps_total++;
		repair_shard(g, env->from, (uint32_t)env->id, false);
		return true;
	case LINK_NEW:
		repair_shard(g, env->from, (uint32_t)env->id, true);
		say_address(g, env);
		return true;
	case LINK_NEXT:
		break;
	}
	return true;
}

void gateway_step(struct gateway *g, uint64_t now_ms, const struct bus_source *source,
		  struct str message, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	struct bus_event ev;
	if (!bus_open(&g->reader, message, &g->from)) {
		g->stats.bus_bad_total++;
		return;
	}
	if (!admit(g, source, &g->from) || !follow_link(g, &g->from))
		return;
	uint64_t unknown = g->reader.unknown;
	while (bus_next(&g->reader, &ev))
		dispatch(g, &ev);
	g->stats.bus_unknown_total += g->reader.unknown - unknown;
	g->stats.bus_bad_total += g->reader.in.bad;
}
