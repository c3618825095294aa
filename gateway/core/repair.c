// SPDX-License-Identifier: MIT
/* repair.c — see repair.h. */
#include "gateway/core/handlers.h"
#include "gateway/core/repair.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"

void repair_init(struct gateway *g)
{
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		TAILQ_INIT(&g->repairs[REPAIR_PRESENCE][i].waiting);
		TAILQ_INIT(&g->repairs[REPAIR_LOG][i].waiting);
		for (size_t kind = 0; kind < REGISTRATION_KINDS; kind++) {
			TAILQ_INIT(&g->rosters[i].registered[kind]);
			TAILQ_INIT(&g->rosters[i].unregistered[kind]);
		}
	}
}

/* ---- rooms ---- */

static struct repair *repair_of(struct gateway *g, const struct view *v, enum repair_kind kind)
{
	return &g->repairs[kind][kind == REPAIR_PRESENCE ? v->roomd : v->historyd];
}

static void enqueue(struct gateway *g, struct view *v, enum repair_kind kind)
{
	if (v->needs_repair[kind])
		return;
	v->needs_repair[kind] = true;
	TAILQ_INSERT_TAIL(&repair_of(g, v, kind)->waiting, v, repair[kind]);
}

static void dequeue(struct gateway *g, struct view *v, enum repair_kind kind)
{
	if (!v->needs_repair[kind])
		return;
	v->needs_repair[kind] = false;
	TAILQ_REMOVE(&repair_of(g, v, kind)->waiting, v, repair[kind]);
}

void repair_forget_room(struct gateway *g, struct view *v)
{
	dequeue(g, v, REPAIR_PRESENCE);
	dequeue(g, v, REPAIR_LOG);
}

static bool has_capacity(const struct repair *r)
{
	return !TAILQ_EMPTY(&r->waiting) && r->in_flight < REPAIR_WINDOW;
}

/* Whatever was asked meanwhile for another reason counts too: one request a room is enough. */
static void run(struct gateway *g, enum repair_kind kind, uint32_t shard)
{
	struct repair *r = &g->repairs[kind][shard];
	while (has_capacity(r)) {
		struct view *v = TAILQ_FIRST(&r->waiting);
		dequeue(g, v, kind);
		if (kind == REPAIR_PRESENCE)
			view_resync_presence(g, v);
		else
			view_resync_log(g, v);
	}
}

static void resync(struct gateway *g, enum repair_kind kind, uint32_t shard)
{
	struct view *v;
	link_resync_begin(&g->repairs[kind][shard].resync, g->now_ms);
	g->stats.bus_resyncs_total++;
	request_repeat_all(g, kind == REPAIR_PRESENCE ? SERVICE_ROOMD : SERVICE_HISTORYD, shard);
	TABLE_EACH (&g->views, i, v)
		if ((kind == REPAIR_PRESENCE ? v->roomd : v->historyd) == shard)
			enqueue(g, v, kind);
	run(g, kind, shard);
}

/* One under way, until all rooms have been asked about, and one that is wanted. */
static void resync_if_due(struct gateway *g, enum repair_kind kind, uint32_t shard)
{
	const struct repair *r = &g->repairs[kind][shard];
	if (TAILQ_EMPTY(&r->waiting) && link_resync_due(&r->resync, g->now_ms))
		resync(g, kind, shard);
}

void repair_shard(struct gateway *g, enum service service, uint32_t shard, bool has_restarted)
{
	enum repair_kind kind = service == SERVICE_ROOMD ? REPAIR_PRESENCE : REPAIR_LOG;
	g->repairs[kind][shard].resync.is_wanted = true;
	if (has_restarted)
		resync(g, kind, shard);
	else
		resync_if_due(g, kind, shard);
}

/* ---- members ---- */

static void put_user(struct batch *b, struct registration *registration)
{
	const struct user *u = CONTAINER_OF(registration, struct user, registration);
	bus_put_member_user(b, &(struct ev_member_user){.user = u->name, .key = u->key});
}

static void put_member(struct batch *b, struct registration *registration)
{
	const struct present *p = CONTAINER_OF(registration, struct present, registration);
	bus_put_member_room(b, &(struct ev_member_room){.room = p->view->room, .user = p->user});
}

/* One piece of the roster. */
static void name_some(struct gateway *g, uint32_t shard)
{
	struct roster *roster = &g->rosters[shard];
	struct batch *b = &g->out->roomd[shard];
	uint32_t named = 0;
	for (size_t kind = 0; kind < REGISTRATION_KINDS; kind++) {
		struct registration *registration;
		while ((registration = TAILQ_FIRST(&roster->unregistered[kind])) != NULL) {
			if (named++ == NAMED_A_TURN)
				return;
			TAILQ_REMOVE(&roster->unregistered[kind], registration, entry);
			registration->generation = roster->generation;
			TAILQ_INSERT_TAIL(&roster->registered[kind], registration, entry);
			if (kind == REGISTERED_USER)
				put_user(b, registration);
			else
				put_member(b, registration);
		}
	}
	bus_put_members_end(b, &(struct ev_members_end){.round = roster->round});
	roster->is_open = false;
}

/* Names all users and members to the shard, from the beginning. */
void on_members_ask(struct gateway *g, const struct ev_members_ask *ev)
{
	if (ev->gateway != g->options.id)
		return;
	const uint32_t shard = (uint32_t)g->from.id;
	struct roster *roster = &g->rosters[shard];
	g->stats.bus_resyncs_total++;
	/* What an earlier call has not come to is still in `untold`. */
	for (size_t kind = 0; kind < REGISTRATION_KINDS; kind++)
		TAILQ_CONCAT(&roster->unregistered[kind], &roster->registered[kind], entry);
	roster->generation++;
	roster->round = ev->round;
	roster->is_open = true;
	bus_put_members_begin(&g->out->roomd[shard],
			      &(struct ev_members_begin){.round = ev->round});
	name_some(g, shard);
}

/* ---- both ---- */

static void go_on(struct gateway *g, enum repair_kind kind, uint32_t shard)
{
	run(g, kind, shard);
	resync_if_due(g, kind, shard);
}

void repair_tick(struct gateway *g)
{
	for (uint32_t i = 0; i < g->options.roomd_shards; i++) {
		go_on(g, REPAIR_PRESENCE, i);
		if (g->rosters[i].is_open)
			name_some(g, i);
	}
	for (uint32_t i = 0; i < g->options.historyd_shards; i++)
		go_on(g, REPAIR_LOG, i);
}

/* What waits for answers has nothing to do until they come. */
static uint64_t next_due(const struct repair *r)
{
	if (!TAILQ_EMPTY(&r->waiting))
		return has_capacity(r) ? 0 : UINT64_MAX;
	return r->resync.is_wanted ? r->resync.next_ms : UINT64_MAX;
}

uint64_t repair_next_due(const struct gateway *g)
{
	uint64_t due = UINT64_MAX;
	for (uint32_t i = 0; i < SHARDS_MAX; i++) {
		if (g->rosters[i].is_open)
			return 0;
		for (size_t kind = 0; kind < REPAIR_KINDS; kind++) {
			uint64_t at = next_due(&g->repairs[kind][i]);
			due = at < due ? at : due;
		}
	}
	return due;
}
