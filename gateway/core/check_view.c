// SPDX-License-Identifier: MIT
/* check_view.c — the part of gateway_check that walks the rooms. */
#include "gateway/core/session.h"
#include "gateway/core/check.h"
#include "gateway/core/view.h"
#include "proto/shard.h"

/* What the rooms' entries add up to, compared with the gateway's own queues. */
struct sums {
	size_t joining, typing, announcing, dirty, late_acks, is_in;
	size_t repair[REPAIR_KINDS];
};

static void check_acks(const struct membership *m, struct sums *sums)
{
	const struct own_ack *ack;
	uint64_t last = 0;
	TAILQ_FOREACH (ack, &m->own_acks, entry) {
		CHECK(ack->membership == m && ack->seq >= last);
		CHECK(!m->is_live || ack->seq > m->cursor); /* what stands before is acked */
		last = ack->seq;
		sums->late_acks += ack->has_id;
	}
}

static void check_membership(const struct membership *m, struct sums *sums)
{
	const struct view *v = m->view;
	CHECK(session_membership(m->session, v->room) == m);
	CHECK(view_find_present(v, m->session->user->name) == m->present);
	CHECK(m->is_live == !m->joining && !(m->is_live && m->was_live));
	CHECK(!m->joining || m->joining->membership == m);
	CHECK(!m->was_live || m->joining);
	CHECK(v->log.stream[m->session->wire].is_on); /* or there are no frames for it */
	CHECK(!m->is_live || (m->session->is_greeted && m->session->user->is_held));
	CHECK(m->is_live || !m->joining->params.invited.len || m->joining->params.then);
	CHECK(!m->is_live || m->changes_seen <= v->change_count);
	CHECK(!m->is_live || m->cursor <= v->log.head || m->cursor <= v->seen_seq);
	CHECK(!m->feed ||
	      (m->feed->kind == REQUEST_PAGE_READER && m->feed->session == m->session->number &&
	       str_equal(m->feed->room, v->room)));
	sums->joining += !m->is_live;
	check_acks(m, sums);
}

static uint32_t check_memberships(const struct membership_list *list, const struct view *v,
				  bool is_live, struct sums *sums)
{
	const struct membership *m;
	uint32_t count = 0;
	TAILQ_FOREACH (m, list, of_view) {
		CHECK(m->view == v && m->is_live == is_live);
		check_membership(m, sums);
		count++;
	}
	return count;
}

static void check_present(const struct view *v, const struct present *p, struct sums *sums)
{
	CHECK(p->view == v && view_find_present(v, p->user) == p);
	CHECK(p->local || p->is_listed || p->changes); /* something holds it */
	CHECK(!p->is_in || (p->local && !p->join));
	CHECK(p->registration.is_in == p->is_in);
	CHECK(!p->join ||
	      (p->local && p->join->kind == REQUEST_JOIN && str_equal(p->join->room, v->room)));
	CHECK(!p->is_typing || p->is_listed);
	CHECK(p->generation <= v->presence_generation && p->changes <= v->change_count);
	sums->typing += p->is_typing;
	sums->is_in += p->is_in;
}

static void check_presence(const struct view *v, uint32_t members, struct sums *sums)
{
	const struct present *p;
	const struct change *c;
	size_t count = 0;
	uint32_t local = 0;
	uint32_t listed = 0;
	uint32_t changes = 0;
	TAILQ_FOREACH (p, &v->present, entry) {
		check_present(v, p, sums);
		count++;
		local += p->local;
		listed += p->is_listed;
		changes += p->changes;
	}
	CHECK(count == v->names.count && local == members && listed == v->listed);
	CHECK(changes == v->change_count);
	STAILQ_FOREACH(c, &v->changes, entry)
	{
		CHECK(c->who->view == v && c->who->changes);
		changes--;
	}
	CHECK(changes == 0);
	CHECK(v->change_count == 0 || v->is_announcing);
}

static void check_view(const struct gateway *g, const struct view *v, struct sums *sums)
{
	uint32_t members = check_memberships(&v->live, v, true, sums) +
			   check_memberships(&v->joining, v, false, sums);
	CHECK(view_find(g, v->room) == v && members > 0);
	check_presence(v, members, sums);
	CHECK(!v->presence_request || (v->presence_request->kind == REQUEST_PRESENCE &&
				       str_equal(v->presence_request->room, v->room)));
	CHECK(!v->page_request || (v->page_request->kind == REQUEST_PAGE_VIEW &&
				   str_equal(v->page_request->room, v->room)));
	CHECK(v->roomd == shard_of(v->room, g->options.roomd_shards));
	CHECK(v->historyd == shard_of(v->room, g->options.historyd_shards));
	CHECK((v->is_open && v->is_presence_known) || TAILQ_EMPTY(&v->live)); /* else no greeting */
	CHECK(!v->is_list_old || v->is_announcing);
	CHECK(!v->doubted || v->page_request);
	roomlog_check(&v->log);
	epochs_check(&v->epochs);
	CHECK(v->is_open || v->page_request); /* nothing waits for an answer to no request */
	CHECK(v->seen_seq <= v->log.head || v->page_request);
	sums->announcing += v->is_announcing;
	sums->dirty += v->is_dirty;
	for (size_t kind = 0; kind < REPAIR_KINDS; kind++)
		sums->repair[kind] += v->needs_repair[kind];
}

/* ---- the gateway's queues of rooms and of what is in them ---- */

static void check_joining(const struct gateway *g, size_t count)
{
	const struct joining *j;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (j, &g->joining, entry) {
		CHECK(j->membership->joining == j && j->deadline_ms >= last_ms);
		last_ms = j->deadline_ms;
		count--;
	}
	CHECK(count == 0);
}

static void check_typing(const struct gateway *g, size_t count)
{
	const struct present *p;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (p, &g->typing, typing) {
		CHECK(p->is_typing && p->typing_ms >= last_ms && p->typing_ms <= g->now_ms);
		last_ms = p->typing_ms;
		count--;
	}
	CHECK(count == 0);
}

static void check_late_acks(const struct gateway *g, size_t count)
{
	const struct own_ack *ack;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (ack, &g->late_acks, by_age) {
		CHECK(ack->has_id && ack->asked_ms >= last_ms);
		last_ms = ack->asked_ms;
		count--;
	}
	CHECK(count == 0);
}

static void check_announcing(const struct gateway *g, size_t count)
{
	const struct view *v;
	uint64_t last_ms = g->now_ms; /* what is overdue may stand in any order */
	CHECK(count == g->announcing_count);
	TAILQ_FOREACH (v, &g->announcing, announcing) {
		CHECK(v->is_announcing);
		CHECK(v->announce_ms >= last_ms || v->announce_ms <= g->now_ms);
		last_ms = v->announce_ms > last_ms ? v->announce_ms : last_ms;
		count--;
	}
	CHECK(count == 0);
}

static void check_dirty(const struct gateway *g, size_t count)
{
	const struct view *v;
	TAILQ_FOREACH (v, &g->dirty, dirty_entry) {
		CHECK(v->is_dirty);
		count--;
	}
	CHECK(count == 0);
}

static void check_waiting(const struct gateway *g, enum repair_kind kind, size_t count)
{
	const struct view *v;
	for (uint32_t i = 0; i < SHARDS_MAX; i++)
		TAILQ_FOREACH (v, &g->repairs[kind][i].waiting, repair[kind]) {
			CHECK(v->needs_repair[kind]);
			CHECK((kind == REPAIR_PRESENCE ? v->roomd : v->historyd) == i);
			count--;
		}
	CHECK(count == 0);
}

size_t check_views(const struct gateway *g)
{
	const struct view *v;
	struct sums sums = {0};
	CHECK(g->views.count == g->stats.rooms);
	TABLE_EACH (&g->views, i, v)
		check_view(g, v, &sums);
	check_joining(g, sums.joining);
	check_typing(g, sums.typing);
	check_late_acks(g, sums.late_acks);
	check_announcing(g, sums.announcing);
	check_dirty(g, sums.dirty);
	check_waiting(g, REPAIR_PRESENCE, sums.repair[REPAIR_PRESENCE]);
	check_waiting(g, REPAIR_LOG, sums.repair[REPAIR_LOG]);
	return sums.is_in;
}
