// SPDX-License-Identifier: MIT
/* views.c — see view.h: finding a room's view, and whether the service that speaks owns the room.
 */
#include "gateway/core/view.h"

struct view *view_find(const struct gateway *g, struct str room)
{
	return table_find(&g->views, room);
}

struct view *view_of_roomd(struct gateway *g, struct str room)
{
	struct view *v = view_find(g, room);
	bool is_owner = !v || g->from.id == v->roomd;
	if (!is_owner)
		topology_note(&g->topology, TOPOLOGY_WRONG_SHARD, &g->source, &g->from);
	return is_owner ? v : NULL;
}

/* Of rooms without a view nobody asks. */
bool view_is_historyds(struct gateway *g, struct str room)
{
	if (g->options.historyd_shards == 1)
		return true;
	const struct view *v = view_find(g, room);
	bool is_owner = !v || g->from.id == v->historyd;
	if (!is_owner)
		topology_note(&g->topology, TOPOLOGY_WRONG_SHARD, &g->source, &g->from);
	return is_owner;
}
