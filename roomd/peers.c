// SPDX-License-Identifier: MIT
/* peers.c — the gateways: following their links, asking again for their members when something may
 * be missing, and dropping everything of a dead one. */
#include "roomd/state.h"

static struct str id_key(const uint64_t *id)
{
	return str_of((const char *)id, sizeof *id);
}

static void drop_member(struct roomd *r, struct member *m)
{
	struct room *room = m->user->room;
	member_remove(r, m);
	room_put_away(r, room);
}

static void drop_all(struct roomd *r, struct peer *p)
{
	expelled_forget(r, p->id);
	while (!TAILQ_EMPTY(&p->members))
		drop_member(r, TAILQ_FIRST(&p->members));
	while (!TAILQ_EMPTY(&p->name_claims))
		name_claim_remove(r, TAILQ_FIRST(&p->name_claims));
}

void peer_free(struct roomd *r, struct peer *p)
{
	drop_all(r, p);
	CHECK(TAILQ_EMPTY(&p->members) && TAILQ_EMPTY(&p->name_claims));
	CHECK(table_remove(&r->peers, id_key(&p->id)) == p);
	TAILQ_REMOVE(&r->all_peers, p, entry);
	if (p->address.len)
		r->directory_ms = 0;
	str_free(&p->address);
	mem_free(p);
	r->stats.gateways--;
}

static struct peer *peer_get(struct roomd *r, uint64_t id)
{
	struct peer *p = table_find(&r->peers, id_key(&id));
	if (p || r->peers.count == PEERS_MAX)
		return p;
	p = mem_alloc(sizeof *p);
	p->id = id;
	TAILQ_INIT(&p->members);
	TAILQ_INIT(&p->name_claims);
	table_add(&r->peers, p);
	TAILQ_INSERT_TAIL(&r->all_peers, p, entry);
	r->stats.gateways++;
	return p;
}

/* What came by the round before does not count any more; this one is asked for when it is due. */
static void begin_round(struct roomd *r, struct peer *p)
{
	p->round = ++r->rounds;
	p->round_ms = r->now_ms;
	p->is_round_open = true;
	p->resync.is_wanted = true;
	/* Whoever waits to come in may have left, by a word that was lost or with a gateway that
	 * died. */
	room_forget_joins(r, p->id);
}

static void ask_members(struct roomd *r, struct peer *p)
{
	link_resync_begin(&p->resync, r->now_ms);
	p->round_ms = r->now_ms;
	r->stats.bus_resyncs_total++;
	bus_put_members_ask(&r->out->down,
			    &(struct ev_members_ask){.gateway = p->id, .round = p->round});
}

static void ask_members_if_due(struct roomd *r, struct peer *p)
{
	if (link_resync_due(&p->resync, r->now_ms))
		ask_members(r, p);
}

bool peer_follow(struct roomd *r, const struct envelope *env)
{
	struct peer *p = peer_get(r, env->id);
	if (!p)
		return false;
	if (!link_admits(&p->link, env, r->source.pipe, r->now_ms)) {
		topology_note(&r->topology, TOPOLOGY_TWIN, &r->source, env);
		topology_reject(&r->topology, &r->out->down, env, TOPOLOGY_TWIN, r->now_ms);
		return false;
	}
	bool has_restarted = p->link.epoch && env->epoch > p->link.epoch;
	r->peer = p;
	switch (link_receive(&p->link, env, r->now_ms)) {
	case LINK_STALE:
		return false;
	case LINK_GAP:
		r->stats.bus_gaps_total++;
		begin_round(r, p);
		ask_members_if_due(r, p);
		return true;
	case LINK_NEW:
		if (has_restarted) /* its connections died with it */
			drop_all(r, p);
		begin_round(r, p);
		ask_members(r, p);
		return true;
	case LINK_NEXT:
		break;
	}
	return true;
}

void peer_pipe_closed(struct roomd *r, uint32_t pipe)
{
	struct peer *p;
	TAILQ_FOREACH (p, &r->all_peers, entry)
		link_pipe_closed(&p->link, pipe);
}

void roomd_on_heartbeat(struct roomd *r, const struct ev_heartbeat *ev)
{
	(void)r, (void)ev; /* the envelope has said it all */
}

void on_members_begin(struct roomd *r, const struct ev_members_begin *ev)
{
	(void)r, (void)ev; /* for whoever watches: what follows is marked by the round's end */
}

void on_member_user(struct roomd *r, const struct ev_member_user *ev)
{
	CHECK(r->peer);
	r->peer->round_ms = r->now_ms;
	/* What invitations came meanwhile nobody has been told of. */
	struct name *n = ev->user.len ? name_hold(r, ev->user, ev->key, r->peer) : NULL;
	if (n)
		invite_load(r, n);
}

void on_member_room(struct roomd *r, const struct ev_member_room *ev)
{
	CHECK(r->peer);
	r->peer->round_ms = r->now_ms;
	room_member_named(r, ev->room, ev->user);
}

/* Joins that came since the round was asked for bear its number too: they are newer than what the
 * gateway said. */
void on_members_end(struct roomd *r, const struct ev_members_end *ev)
{
	struct peer *p = r->peer;
	if (!p->is_round_open || ev->round != p->round)
		return;
	p->is_round_open = false;
	struct member *m = TAILQ_FIRST(&p->members);
	while (m) {
		struct member *next = TAILQ_NEXT(m, of_peer);
		if (m->round != p->round)
			drop_member(r, m);
		m = next;
	}
	struct name_claim *h = TAILQ_FIRST(&p->name_claims);
	while (h) {
		struct name_claim *next = TAILQ_NEXT(h, of_peer);
		if (h->round != p->round)
			name_claim_remove(r, h);
		h = next;
	}
}

bool peer_round_open(const struct roomd *r)
{
	const struct peer *p;
	TAILQ_FOREACH (p, &r->all_peers, entry)
		if (p->is_round_open)
			return true;
	return false;
}

void peer_tick(struct roomd *r)
{
	struct peer *p = TAILQ_FIRST(&r->all_peers);
	while (p) {
		struct peer *next = TAILQ_NEXT(p, entry);
		if (link_lapsed(&p->link, r->now_ms) || !p->link.up) {
			r->stats.gateways_lapsed_total++;
			peer_free(r, p);
		} else {
			if (p->is_round_open && r->now_ms >= p->round_ms + ROUND_MS)
				begin_round(r, p);
			ask_members_if_due(r, p);
		}
		p = next;
	}
}
