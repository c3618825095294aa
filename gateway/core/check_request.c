// SPDX-License-Identifier: MIT
/* check_request.c — the part of gateway_check that walks the requests: each is wanted by somebody,
 * goes to a shard that there is, and stands where its kind stands. */
#include "gateway/core/session.h"
#include "gateway/core/user.h"
#include "gateway/core/check.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"

/* ---- posts ---- */

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

/* ---- all ---- */

/* The member whose page it is; NULL: nobody's. */
static const struct membership *reader_of(struct gateway *g, const struct request *r)
{
	const struct session *s = session_find(g, r->session);
	return s ? session_membership(s, r->room) : NULL;
}

/* A request that nobody waits for would be repeated for ever. */
static bool is_wanted(struct gateway *g, const struct request *r)
{
	const struct view *v = view_find(g, r->room);
	const struct user *u = user_find(g, r->user);
	const struct present *p = v ? view_find_present(v, r->user) : NULL;
	const struct membership *m = reader_of(g, r);
	switch (r->kind) {
	case REQUEST_CLAIM:
		return u && u->claim == r;
	case REQUEST_JOIN:
		return p && p->join == r;
	case REQUEST_PRESENCE:
		return v && v->presence_request == r;
	case REQUEST_PAGE_VIEW:
		return v && v->page_request == r;
	case REQUEST_PAGE_READER:
		return m && m->feed == r;
	case REQUEST_POST:
	case REQUEST_PRIVATE:
	case REQUEST_INVITE:
	case REQUEST_PAGE_CLIENT:
		break;
	}
	return r->session != 0; /* they end by themselves, after GIVE_UP_MS */
}

static bool is_roomds(enum request_kind kind)
{
	return kind == REQUEST_CLAIM || kind == REQUEST_JOIN || kind == REQUEST_PRESENCE ||
	       kind == REQUEST_PRIVATE || kind == REQUEST_INVITE;
}

static void check_request(struct gateway *g, const struct request *r)
{
	const struct gateway_options *o = &g->options;
	CHECK(request_find(g, r->number) == r && r->number <= g->last_request);
	CHECK(r->shard < (is_roomds(r->kind) ? o->roomd_shards : o->historyd_shards));
	CHECK(r->session <= g->last_session && r->asked_ms <= g->now_ms);
	CHECK(is_wanted(g, r));
}

static void check_queue(struct gateway *g)
{
	const struct request *r;
	size_t count = 0;
	uint64_t last_ms = g->now_ms; /* what is overdue may stand in any order */
	TAILQ_FOREACH (r, &g->requests, entry) {
		CHECK(!r->is_parked);
		check_request(g, r);
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

void check_requests(struct gateway *g)
{
	check_queue(g);
	check_posts(g);
}
