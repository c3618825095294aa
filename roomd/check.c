// SPDX-License-Identifier: MIT
/* check.c — roomd_check: the invariants of state.h, walked. What each function of the core may rely
 * on between two calls, and leaves behind. */
#include "roomd/state.h"

static void check_members(const struct roomd *r, const struct room_user *u)
{
	const struct member *m;
	CHECK(!TAILQ_EMPTY(&u->members));
	TAILQ_FOREACH (m, &u->members, of_user) {
		CHECK(m->user == u);
		CHECK(table_find(&r->peers, str_of((const char *)&m->peer->id,
						   sizeof m->peer->id)) == m->peer);
		CHECK(m->round <= m->peer->round);
	}
}

static void check_room(struct roomd *r, const struct room *room)
{
	const struct room_user *u;
	const struct waiter *w;
	size_t users = 0;
	CHECK(room_find(r, room->name) == room);
	TAILQ_FOREACH (u, &room->order, entry) {
		CHECK(u->room == room && room_user_find(room, u->name) == u);
		check_members(r, u);
		users++;
	}
	CHECK(users == room->users.count);
	CHECK((room->owner.len == 0) == (room->guest.len == 0));
	CHECK(room->version <= r->versions);
	TAILQ_FOREACH (w, &room->waiters, entry)
		CHECK(w->user.len > 0 && (w->req == 0) == (w->user2.len == 0));
	/* Nobody waits for nothing, and nothing is kept for nobody. */
	CHECK(TAILQ_EMPTY(&room->waiters) || room->question);
	CHECK(room->users.count || room->question);
	if (room->question) {
		const struct question *q = question_find(r, room->question);
		CHECK(q && question_is_about_room(q));
		CHECK(str_equal(q->room, room->name));
	}
}

static uint32_t count_waiters(const struct room *room)
{
	const struct waiter *w;
	uint32_t count = 0;
	TAILQ_FOREACH (w, &room->waiters, entry)
		count++;
	return count;
}

static void check_rooms(struct roomd *r)
{
	const struct room *room;
	uint32_t waiters = 0;
	TABLE_EACH (&r->rooms, i, room) {
		check_room(r, room);
		waiters += count_waiters(room);
	}
	CHECK(waiters == r->waiters);
}

static void check_name(const struct roomd *r, const struct name *n)
{
	const struct holding *h;
	const struct pending *p;
	CHECK(name_find(r, n->user) == n);
	CHECK(!TAILQ_EMPTY(&n->holdings) || n->reserved_ms || n->questions);
	CHECK(TAILQ_EMPTY(&n->holdings) || !n->reserved_ms);
	CHECK(!n->is_loading || n->questions);
	TAILQ_FOREACH (h, &n->holdings, of_name)
		CHECK(h->name == n && h->round <= h->peer->round);
	TAILQ_FOREACH (p, &n->pending, entry) {
		CHECK(p->name == n);
		CHECK(!p->is_told || !TAILQ_EMPTY(&n->holdings));
	}
}

static void check_names(const struct roomd *r)
{
	const struct name *n;
	const struct pending *p;
	uint64_t last_ms = 0;
	TABLE_EACH (&r->names, i, n)
		check_name(r, n);
	TAILQ_FOREACH (n, &r->reserved, reserved) {
		CHECK(n->reserved_ms >= last_ms);
		last_ms = n->reserved_ms;
	}
	last_ms = 0;
	TAILQ_FOREACH (p, &r->unseen, unseen) {
		CHECK(p->is_told && p->told_ms >= last_ms);
		last_ms = p->told_ms;
	}
}

static void check_peers(const struct roomd *r)
{
	const struct peer *p;
	const struct member *m;
	const struct holding *h;
	size_t peers = 0;
	uint64_t members = 0;
	TAILQ_FOREACH (p, &r->all_peers, entry) {
		peers++;
		TAILQ_FOREACH (m, &p->members, of_peer) {
			CHECK(m->peer == p);
			members++;
		}
		TAILQ_FOREACH (h, &p->holdings, of_peer)
			CHECK(h->peer == p && name_find(r, h->name->user) == h->name);
	}
	CHECK(peers == r->peers.count && peers == r->stats.gateways && peers <= PEERS_MAX);
	CHECK(members == r->stats.members);
}

static size_t check_question_list(struct roomd *r, const struct question_list *list,
				  bool is_patient)
{
	const struct question *q;
	size_t count = 0;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (q, list, entry) {
		CHECK(q->is_patient == is_patient && q->retry_ms >= last_ms);
		CHECK(question_find(r, q->number) == q);
		if (q->kind == QUESTION_INVITE_PUT)
			CHECK(question_of_asker(r, &q->asker) == q);
		if (question_is_about_room(q))
			CHECK(room_find(r, q->room) &&
			      room_find(r, q->room)->question == q->number);
		else
			CHECK(name_find(r, q->user2) && name_find(r, q->user2)->questions > 0);
		last_ms = q->retry_ms;
		count++;
	}
	return count;
}

static void check_typing(const struct roomd *r)
{
	const struct room_user *u;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (u, &r->typing, typing) {
		CHECK(u->typing_until_ms >= last_ms && u->typing_until_ms > 0);
		last_ms = u->typing_until_ms;
	}
}

void roomd_check(struct roomd *r)
{
	check_rooms(r);
	check_names(r);
	check_peers(r);
	check_typing(r);
	CHECK(TAILQ_EMPTY(&r->expelled) == (r->expelled_count == 0));
	CHECK(check_question_list(r, &r->questions, false) +
		      check_question_list(r, &r->patient, true) ==
	      r->questions_by_number.count);
}
