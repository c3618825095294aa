// SPDX-License-Identifier: MIT
/* check.c — gateway_check: walks the invariants of state.h, which each function of the core may
 * rely on between two calls, and keeps. Not here: rooms (check_view.c). */
#include "gateway/core/session.h"
#include "gateway/core/user.h"
#include "gateway/core/backlog.h"
#include "gateway/core/bearer.h"
#include "gateway/core/check.h"
#include "gateway/core/request.h"

/* ---- sessions and users ---- */

static void check_session(struct gateway *g, const struct session *s)
{
	const struct membership *m;
	const struct request *r;
	uint32_t memberships = 0;
	uint32_t in_flight = 0;
	CHECK(session_find(g, s->number) == s);
	TAILQ_FOREACH (m, &s->memberships, of_session) {
		CHECK(m->session == s && s->user);
		CHECK(session_membership(s, m->view->room) == m);
		memberships++;
	}
	CHECK(memberships == s->membership_count);
	if (s->in_flight)
		TAILQ_FOREACH (r, &g->promised, by_age)
			in_flight += r->session == s->number;
	if (s->backlog)
		TAILQ_FOREACH (r, &s->backlog->parked, entry)
			in_flight++;
	CHECK(in_flight == s->in_flight);
	CHECK(!s->user || s->user->is_held || memberships); /* who waits for a name joins */
	CHECK(!s->is_greeted || (s->user && s->user->is_held));
	CHECK(s->number <= g->last_session && s->wire < WIRES);
	CHECK(!(s->is_blocked && s->is_waiting_join)); /* both stand in `waiting` */
	CHECK(s->idle_ms <= g->now_ms && s->unnamed <= UNNAMED_ERRORS_MAX);
	CHECK(s->tokens_milli <= 1000 * g->options.burst);
	CHECK(s->membership_count <= g->options.rooms_max);
	CHECK(!s->bearer || s->bearer->session == s);
}

/* Memberships that are not live are the joins under way. */
static void check_joins(const struct session *s)
{
	const struct membership *m;
	uint64_t joins = 0;
	TAILQ_FOREACH (m, &s->memberships, of_session)
		joins += !m->is_live;
	CHECK(joins == s->joins);
}

static void check_sessions(struct gateway *g)
{
	const struct session *s;
	const struct request *r;
	uint64_t in_flight = 0;
	uint64_t parked = 0;
	uint64_t owed = 0;
	size_t idle = 0;
	size_t unjoined = 0;
	size_t blocked = 0;
	size_t touched = 0;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (s, &g->idle, idle) {
		CHECK(!s->is_pinged && s->idle_ms >= last_ms);
		last_ms = s->idle_ms;
		idle++;
	}
	last_ms = 0;
	TAILQ_FOREACH (s, &g->pinged, idle) {
		CHECK(s->is_pinged && s->idle_ms >= last_ms);
		last_ms = s->idle_ms;
		idle++;
	}
	TAILQ_FOREACH (s, &g->unjoined, waiting) {
		CHECK(s->is_waiting_join);
		unjoined++;
	}
	TAILQ_FOREACH (s, &g->blocked, waiting) {
		CHECK(s->is_blocked);
		blocked++;
	}
	TAILQ_FOREACH (s, &g->touched, touched) {
		CHECK(s->is_touched);
		touched++;
	}
	CHECK(idle == g->sessions.count && idle == g->stats.sessions);
	TABLE_EACH (&g->sessions, i, s) {
		check_session(g, s);
		check_joins(s);
		unjoined -= s->is_waiting_join;
		blocked -= s->is_blocked;
		touched -= s->is_touched;
		in_flight += s->in_flight;
		parked += backlog_check(g, s);
		owed += s->is_blocked ? s->owed : 0;
		owed += s->backlog ? s->backlog->input.len - s->backlog->at : 0;
	}
	CHECK(unjoined == 0 && blocked == 0 && touched == 0);
	TAILQ_FOREACH (r, &g->promised, by_age)
		in_flight -= session_find(g, r->session) != NULL;
	CHECK(in_flight == parked && g->stats.owed_bytes == owed);
}

static size_t check_user(const struct user *u)
{
	const struct session *s;
	const struct invitation *i;
	size_t count = 0;
	CHECK(u->name.len > 0 && u->name.len <= USER_MAX && u->key.len <= KEY_MAX);
	CHECK(u->is_held || TAILQ_EMPTY(&u->invitations) || !u->next);
	TAILQ_FOREACH (i, &u->invitations, entry)
		CHECK(i->room.len > 0 && i->from.len > 0 && !str_equal(i->from, u->name));
	CHECK(!TAILQ_EMPTY(&u->sessions) && u->registration.is_in == u->is_held);
	TAILQ_FOREACH (s, &u->sessions, of_user) {
		CHECK(s->user == u);
		CHECK(!s->is_greeted || TAILQ_EMPTY(&u->invitations));
		count++;
	}
	return count;
}

static void check_users(const struct gateway *g)
{
	const struct user *u;
	const struct session *s;
	size_t sessions = 0;
	TABLE_EACH (&g->users, i, u) {
		CHECK(user_find(g, u->name) == u && u->is_held == !u->claim);
		CHECK(!u->claim ||
		      (u->claim->kind == REQUEST_CLAIM && str_equal(u->claim->user, u->name) &&
		       str_equal(u->claim->cid, u->key)));
		CHECK(!u->is_held || !u->next);
		sessions += check_user(u);
		uint32_t waiting = 0;
		for (const struct user *w = u->next; w; w = w->next) {
			CHECK(!w->is_held && !w->claim && str_equal(w->name, u->name));
			sessions += check_user(w);
			waiting++;
		}
		CHECK(waiting <= NAME_LINE_MAX);
	}
	CHECK(g->users.count == g->stats.users);
	TABLE_EACH (&g->sessions, i, s)
		sessions -= s->user != NULL;
	CHECK(sessions == 0);
}

/* ---- what shards are told, and asked ---- */

static size_t check_registrations(const struct registration_list *list, uint32_t generation,
				  bool is_current)
{
	const struct registration *registration;
	size_t count = 0;
	TAILQ_FOREACH (registration, list, entry) {
		CHECK(registration->is_in &&
		      (registration->generation == generation) == is_current);
		count++;
	}
	return count;
}

static size_t check_rosters(const struct gateway *g)
{
	size_t count = 0;
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		const struct roster *roster = &g->rosters[i];
		for (size_t kind = 0; kind < REGISTRATION_KINDS; kind++) {
			count += check_registrations(&roster->registered[kind], roster->generation,
						     true);
			count += check_registrations(&roster->unregistered[kind],
						     roster->generation, false);
			CHECK(TAILQ_EMPTY(&roster->unregistered[kind]) || roster->is_open);
		}
	}
	return count;
}

static uint32_t count_requests(const struct gateway *g, enum request_kind kind, uint32_t shard)
{
	const struct request *r;
	uint32_t count = 0;
	TAILQ_FOREACH (r, &g->requests, entry)
		count += r->kind == kind && r->shard == shard;
	return count;
}

static void check_repairs(const struct gateway *g)
{
	for (uint32_t i = 0; i < SHARDS_MAX; i++) {
		CHECK(g->repairs[REPAIR_PRESENCE][i].in_flight ==
		      count_requests(g, REQUEST_PRESENCE, i));
		CHECK(g->repairs[REPAIR_LOG][i].in_flight ==
		      count_requests(g, REQUEST_PAGE_VIEW, i));
	}
}

/* Nothing waits for a shard that there is not. */
static void check_shards(const struct gateway *g)
{
	for (uint32_t i = 0; i < SHARDS_MAX; i++) {
		const struct repair *presence = &g->repairs[REPAIR_PRESENCE][i];
		const struct repair *log = &g->repairs[REPAIR_LOG][i];
		CHECK(i < g->options.roomd_shards ||
		      (TAILQ_EMPTY(&presence->waiting) && !g->rosters[i].is_open));
		CHECK(i < g->options.historyd_shards ||
		      (TAILQ_EMPTY(&log->waiting) && !g->again[i]));
		CHECK(g->roomd[i].active_ms <= g->now_ms && g->historyd[i].active_ms <= g->now_ms);
	}
}

static size_t count_held(const struct gateway *g)
{
	const struct user *u;
	size_t count = 0;
	TABLE_EACH (&g->users, i, u)
		count += u->registration.is_in;
	return count;
}

void gateway_check(struct gateway *g)
{
	check_sessions(g);
	check_users(g);
	check_requests(g);
	check_repairs(g);
	check_shards(g);
	CHECK(check_rosters(g) == count_held(g) + check_views(g));
	bearers_check(g);
	list_pace_check(&g->list_pace);
	directory_check(&g->directory, g->now_ms);
	CHECK(g->late_ms == 0); /* set only while one client's event is worked on */
}
