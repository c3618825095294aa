// SPDX-License-Identifier: MIT
/* check.c — gateway_check: the invariants of state.h, walked. What each function of the core may
 * rely on between two calls, and leaves behind. Rooms are in check_view.c. */
#include "gateway/core/session.h"
#include "gateway/core/user.h"
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
}

/* Returns how many requests are parked in it. */
static uint64_t check_backlog(struct gateway *g, const struct session *s)
{
	const struct backlog *b = s->backlog;
	const struct request *r;
	const struct membership *m;
	uint64_t parked = 0;
	uint64_t joins = s->joins;
	TAILQ_FOREACH (m, &s->memberships, of_session)
		joins -= !m->is_live;
	CHECK(joins == 0);
	if (!b)
		return 0;
	CHECK(b->at <= b->input.len);
	CHECK(!b->is_waiting || s->joins || !TAILQ_EMPTY(&b->privates)); /* who waits is let go */
	TAILQ_FOREACH (r, &b->parked, entry) {
		CHECK(r->is_parked && r->session == s->number && request_find(g, r->number) == r);
		parked++;
	}
	TAILQ_FOREACH (r, &b->privates, of_session)
		CHECK(r->kind == REQUEST_PRIVATE && r->session == s->number);
	return parked;
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
		unjoined -= s->is_waiting_join;
		blocked -= s->is_blocked;
		touched -= s->is_touched;
		in_flight += s->in_flight;
		parked += check_backlog(g, s);
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
	size_t count = 0;
	CHECK(!TAILQ_EMPTY(&u->sessions) && u->told.is_in == u->is_held);
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

/* ---- requests ---- */

/* The next post of the same connection into the room; NULL: no more. */
static const struct request *next_of_session(struct gateway *g, const struct request *r)
{
	const struct request *next = r;
	do
		next = request_next_post(g, next);
	while (next && next->session != r->session);
	return next;
}

/* Of one room, in the order in which they came. That is also the order by age, by which they are
 * published again, for what comes from one connection. */
static size_t check_ring(struct gateway *g, const struct request *first)
{
	size_t count = 0;
	for (const struct request *r = first; r; r = request_next_post(g, r)) {
		CHECK(request_find(g, r->number) == r && r->kind == REQUEST_POST);
		CHECK(str_equal(r->room, first->room) && r->next->prev == r);
		CHECK(r->next == first || r->next->number > r->number);
		const struct request *later = next_of_session(g, r);
		CHECK(!later || later->asked_ms >= r->asked_ms);
		count++;
	}
	return count;
}

static void check_posts(struct gateway *g)
{
	const struct request *r;
	size_t count = 0;
	TABLE_EACH (&g->posts, i, r)
		count += check_ring(g, r);
	TAILQ_FOREACH (r, &g->promised, by_age)
		count -= r->kind == REQUEST_POST;
	CHECK(count == 0);
	for (uint32_t i = 0; i < SHARDS_MAX; i++)
		if ((r = g->again[i]) != NULL)
			CHECK(request_find(g, r->number) == r && r->kind == REQUEST_POST &&
			      r->shard == i);
}

static void check_requests(struct gateway *g)
{
	const struct request *r;
	size_t count = 0;
	uint64_t last_ms = g->now_ms; /* what is overdue may stand in any order */
	TAILQ_FOREACH (r, &g->requests, entry) {
		CHECK(request_find(g, r->number) == r && r->number <= g->last_request);
		CHECK(r->retry_ms >= last_ms || r->retry_ms <= g->now_ms);
		last_ms = r->retry_ms > last_ms ? r->retry_ms : last_ms;
		count++;
	}
	const struct session *s;
	TABLE_EACH (&g->sessions, i, s)
		if (s->backlog)
			TAILQ_FOREACH (r, &s->backlog->parked, entry)
				count++;
	CHECK(count == g->requests_by_number.count);
	last_ms = 0;
	TAILQ_FOREACH (r, &g->promised, by_age) {
		CHECK(request_find(g, r->number) == r && r->session && r->asked_ms >= last_ms);
		last_ms = r->asked_ms;
	}
}

/* ---- what shards are told, and asked ---- */

static size_t check_told(const struct told_list *list, uint32_t calls, bool is_told)
{
	const struct told *told;
	size_t count = 0;
	TAILQ_FOREACH (told, list, entry) {
		CHECK(told->is_in && (told->call == calls) == is_told);
		count++;
	}
	return count;
}

static size_t check_rolls(const struct gateway *g)
{
	size_t count = 0;
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		const struct roll *roll = &g->rolls[i];
		for (size_t kind = 0; kind < TOLD_KINDS; kind++) {
			count += check_told(&roll->told[kind], roll->calls, true);
			count += check_told(&roll->untold[kind], roll->calls, false);
			CHECK(TAILQ_EMPTY(&roll->untold[kind]) || roll->is_open);
		}
	}
	return count;
}

static uint32_t count_questions(const struct gateway *g, enum request_kind kind, uint32_t shard)
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
		      count_questions(g, REQUEST_PRESENCE, i));
		CHECK(g->repairs[REPAIR_LOG][i].in_flight ==
		      count_questions(g, REQUEST_PAGE_VIEW, i));
	}
}

static size_t count_held(const struct gateway *g)
{
	const struct user *u;
	size_t count = 0;
	TABLE_EACH (&g->users, i, u)
		count += u->told.is_in;
	return count;
}

void gateway_check(struct gateway *g)
{
	check_sessions(g);
	check_users(g);
	check_requests(g);
	check_posts(g);
	check_repairs(g);
	CHECK(check_rolls(g) == count_held(g) + check_views(g));
}
