// SPDX-License-Identifier: MIT
/* on_bus.c — what roomd and historyd publish and answer: the order of each link, which shows losses
 * and restarts, and the events, each given to its handler. Not here: events of clients (client.c).
 */
#include "gateway/core/user.h"
#include "gateway/core/join.h"
#include "gateway/core/private.h"
#include "gateway/core/on_chat.h"
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

static void on_heartbeat(struct gateway *g, const struct ev_heartbeat *ev)
{
	struct link *l = link_of(g, &g->from);
	l->ready = ev->ready != 0;
	l->missing = ev->missing;
	say_address(g, &g->from);
}

static void on_refused(struct gateway *g, const struct ev_refused *ev)
{
	enum topology_fault fault = topology_fault_from_wire(ev->fault);
	if (!topology_is_refused(&g->topology, g->options.epoch, ev) || fault != TOPOLOGY_TWIN)
		return; /* what else does not fit is noticed here as well */
	if (!gateway_has_twin(g))
		topology_note(&g->topology, fault, &g->source, &g->from);
	g->refused_ms = g->now_ms + REFUSED_MS;
}

/* The room's view, if the roomd that speaks owns the room. */
static struct view *find_view(struct gateway *g, struct str room)
{
	struct view *v = view_find(g, room);
	bool is_owner = !v || (g->from.from == SERVICE_ROOMD && g->from.id == v->roomd);
	if (!is_owner)
		topology_note(&g->topology, TOPOLOGY_WRONG_SHARD, &g->source, &g->from);
	return is_owner ? v : NULL;
}

/* Whether the historyd that speaks owns the room; of rooms without a view nobody asks. */
static bool is_historys(struct gateway *g, struct str room)
{
	if (g->options.historyd_shards == 1)
		return g->from.from == SERVICE_HISTORYD;
	const struct view *v = view_find(g, room);
	bool is_owner = g->from.from == SERVICE_HISTORYD && (!v || g->from.id == v->historyd);
	if (!is_owner)
		topology_note(&g->topology, TOPOLOGY_WRONG_SHARD, &g->source, &g->from);
	return is_owner;
}

static void on_claim_answer(struct gateway *g, const struct ev_claim_answer *ev)
{
	struct user *u = ev->gateway == g->options.id ? user_claim_answered(g, ev) : NULL;
	if (u)
		join_user_answered(g, u, err_from_wire(ev->status));
}

static void on_join_answer(struct gateway *g, const struct ev_join_answer *ev)
{
	if (ev->gateway == g->options.id)
		join_answered(g, ev);
}

static void on_user_in(struct gateway *g, const struct ev_user_in *ev)
{
	struct view *v = find_view(g, ev->room);
	if (v)
		view_user_in(g, v, ev->user, ev->version);
}

static void on_user_out(struct gateway *g, const struct ev_user_out *ev)
{
	struct view *v = find_view(g, ev->room);
	if (v)
		view_user_out(g, v, ev->user, ev->version);
}

static void on_typing_on(struct gateway *g, const struct ev_typing_on *ev)
{
	struct view *v = find_view(g, ev->room);
	if (v)
		view_typing(g, v, ev->user, true);
}

static void on_typing_off(struct gateway *g, const struct ev_typing_off *ev)
{
	struct view *v = find_view(g, ev->room);
	if (v)
		view_typing(g, v, ev->user, false);
}

static void on_presence(struct gateway *g, const struct ev_presence *ev)
{
	if (ev->gateway != g->options.id)
		return;
	presence_pace(g, ev);
	struct view *v = find_view(g, ev->room);
	if (v && view_presence(g, v, ev))
		join_advance_view(g, v);
}

static void on_private_answer(struct gateway *g, const struct ev_private_answer *ev)
{
	private_answered(g, ev);
}

static void on_invite_answer(struct gateway *g, const struct ev_invite_answer *ev)
{
	private_invite_answered(g, ev);
}

static void on_invited(struct gateway *g, const struct ev_invited *ev)
{
	user_invited(g, ev);
}

/* Everything that the shard should know of this gateway, from scratch. */
static void on_members_ask(struct gateway *g, const struct ev_members_ask *ev)
{
	if (ev->gateway != g->options.id || g->from.from != SERVICE_ROOMD)
		return;
	g->stats.bus_resyncs_total++;
	repair_members(g, (uint32_t)g->from.id, ev->round);
}

static void on_gateways(struct gateway *g, const struct ev_gateways *ev)
{
	if (g->from.from == SERVICE_ROOMD)
		directory_heard(&g->directory, g->now_ms, ev);
}

/* These travel between shells: see relay.h. */
static void on_relay_ask(struct gateway *g, const struct ev_relay_ask *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_relay_answer(struct gateway *g, const struct ev_relay_answer *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_relay_done(struct gateway *g, const struct ev_relay_done *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_chat_stored(struct gateway *g, const struct ev_chat_stored *ev)
{
	if (is_historys(g, ev->room))
		chat_stored(g, ev);
}

static void on_chat_repeat(struct gateway *g, const struct ev_chat_repeat *ev)
{
	if (is_historys(g, ev->room))
		chat_repeated(g, ev);
}

static void on_chat_refused(struct gateway *g, const struct ev_chat_refused *ev)
{
	if (is_historys(g, ev->room))
		chat_refused(g, ev);
}

static void on_posts_ask(struct gateway *g, const struct ev_posts_ask *ev)
{
	if (ev->gateway == g->options.id && g->from.from == SERVICE_HISTORYD)
		request_begin_posts(g, (uint32_t)g->from.id);
}

static void on_page(struct gateway *g, const struct ev_page *ev)
{
	if (is_historys(g, ev->room))
		chat_page(g, ev);
}

#define HANDLE_GATEWAY(name) on_##name(g, &ev->as.name)
#define HANDLE_ANY(name) on_##name(g, &ev->as.name)
#define HANDLE_ROOMD(name) g->stats.bus_unknown_total++ /* not for us */
#define HANDLE_HISTORYD(name) g->stats.bus_unknown_total++

static void dispatch(struct gateway *g, const struct bus_event *ev)
{
	switch (ev->type) {
		BUS_EVENTS(DISPATCH_ROW)
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
	g->stats.bus_bad_total += g->reader.bad;
}
