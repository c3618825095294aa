// SPDX-License-Identifier: MIT
/* whole.c — roomd's place in the topology: whether a message comes from a service that knows the
 * same topology, whether a name belongs to this shard, which historyds answer. Not here: what
 * gateways say (peers.c). */
#include "roomd/state.h"

/* Whether the historyd with this number has answered of late. */
static bool is_reached(const struct roomd *r, uint64_t shard, uint64_t now_ms)
{
	return r->active_ms[shard] && now_ms < r->active_ms[shard] + LEASE_MS;
}

/* historyds know their cluster from the disk; while none of ours answers, another may be believed.
 */
static void learn_cluster(struct roomd *r)
{
	bool is_known = false;
	for (uint64_t i = 0; i < r->options.historyd_shards; i++)
		is_known |= is_reached(r, i, r->now_ms);
	if (r->from.from == SERVICE_HISTORYD && r->from.cluster.len &&
	    !(is_known && r->topology.cluster_len))
		topology_learn_cluster(&r->topology, r->from.cluster);
}

/* How many roomds there are, if nobody has told us: the gateway that is heard first has the word,
 * as long as any is there. */
static void learn_count(struct roomd *r)
{
	if (r->options.roomd_shards == 0 && r->peers.count == 0)
		r->topology.roomds = r->from.from == SERVICE_GATEWAY ? r->from.roomds : 0;
}

bool whole_admits(struct roomd *r)
{
	learn_cluster(r);
	learn_count(r);
	enum topology_fault fault = topology_admit(&r->topology, &r->source, &r->from);
	if (r->from.from == SERVICE_HISTORYD && fault == TOPOLOGY_FITS) {
		CHECK(r->from.id < r->options.historyd_shards);
		r->active_ms[r->from.id] = r->now_ms;
	} else if (r->from.from == SERVICE_GATEWAY && fault != TOPOLOGY_FITS) {
		topology_reject(&r->topology, &r->out->down, &r->from, fault, r->now_ms);
	}
	return fault == TOPOLOGY_FITS;
}

/* The name by which a gateway's event finds its shard. */
static struct str name_of(const struct bus_event *ev)
{
	struct str name = bus_field(ev, "user2");
	if (ev->type == EV_private_ask || !name.len)
		name = bus_field(ev, "room");
	return name.len ? name : bus_field(ev, "user");
}

bool whole_owns(struct roomd *r, const struct bus_event *ev)
{
	if (r->topology.roomds <= 1 || r->from.from != SERVICE_GATEWAY)
		return true;
	struct str name = name_of(ev);
	bool is_owner = !name.len || topology_owns(r->topology.roomds, r->options.id, name);
	if (!is_owner)
		topology_note(&r->topology, TOPOLOGY_WRONG_SHARD, &r->source, &r->from);
	return is_owner;
}

/* A request about no room, which every version of historyd answers at once. */
static void say_hello(struct roomd *r)
{
	r->hello_ms = r->now_ms;
	for (uint32_t i = 0; i < r->options.historyd_shards; i++)
		bus_put_room_ask(&r->out->ask[i], &(struct ev_room_ask){0});
}

void whole_tick(struct roomd *r)
{
	if (r->hello_ms == 0 || r->now_ms >= r->hello_ms + HELLO_MS)
		say_hello(r);
}

void roomd_on_refused(struct roomd *r, const struct ev_refused *ev)
{
	enum topology_fault fault = topology_fault_from_wire(ev->fault);
	if (r->from.from != SERVICE_HISTORYD || fault != TOPOLOGY_TWIN ||
	    !topology_is_rejected(&r->topology, r->options.epoch, ev))
		return;
	if (r->now_ms >= r->twin_ms)
		topology_note(&r->topology, fault, &r->source, &r->from);
	r->twin_ms = r->now_ms + TWIN_MS;
}

struct ev_heartbeat roomd_heartbeat(const struct roomd *r, uint64_t now_ms)
{
	struct ev_heartbeat state = {.ready = r->is_settled && now_ms >= r->twin_ms};
	for (uint32_t i = 0; i < r->options.historyd_shards; i++)
		if (!is_reached(r, i, now_ms))
			state.missing |= UINT64_C(1) << i;
	return state;
}

const struct topology *roomd_topology(const struct roomd *r)
{
	return &r->topology;
}
