// SPDX-License-Identifier: MIT
/* check.c — roomd_check: the invariants of state.h, walked. What each function of the core may rely
 * on between two calls, and leaves behind. Whatever is in two places is counted in both. */
#include "roomd/state.h"

/* How many there are, found by walking what owns them. */
struct sums {
	uint64_t members, name_claims, pending_joins;
	uint64_t typing, reserved, announced; /* each of these is in a queue too */
	uint64_t user_requests, loading;
};

static const struct peer *peer_of(const struct roomd *r, uint64_t id)
{
	return table_find(&r->peers, str_of((const char *)&id, sizeof id));
}

/* ---- rooms ---- */

static void check_user(const struct roomd *r, const struct room_user *u, struct sums *sums)
{
	const struct member *m;
	CHECK(!TAILQ_EMPTY(&u->members));
	TAILQ_FOREACH (m, &u->members, of_user) {
		CHECK(m->user == u && peer_of(r, m->peer->id) == m->peer);
		CHECK(m->round <= m->peer->round);
		sums->members++;
	}
	CHECK(u->typing_announced_ms <= r->now_ms && u->typing_until_ms <= r->now_ms + TYPING_MS);
	sums->typing += u->typing_until_ms > 0;
}

static void check_room_request(struct roomd *r, const struct room *room)
{
	const struct store_request *q = store_request_find(r, room->request);
	const struct pending_join *first = TAILQ_FIRST(&room->pending_joins);
	CHECK(q && store_request_is_about_room(q) && str_equal(q->room, room->name));
	/* A room is made private for whoever is first in its line. */
	if (q->kind == STORE_REQUEST_PRIVATE)
		CHECK(first && first->req && str_equal(q->user, first->user) &&
		      str_equal(q->user2, first->user2));
}

static void check_room(struct roomd *r, const struct room *room, struct sums *sums)
{
	const struct room_user *u;
	const struct pending_join *w;
	size_t users = 0;
	CHECK(room_find(r, room->name) == room);
	TAILQ_FOREACH (u, &room->order, entry) {
		CHECK(u->room == room && room_user_find(room, u->name) == u);
		check_user(r, u, sums);
		users++;
	}
	CHECK(users == room->users.count);
	CHECK((room->owner.len == 0) == (room->guest.len == 0));
	CHECK(room->version <= r->versions);
	TAILQ_FOREACH (w, &room->pending_joins, entry) {
		CHECK((w->req == 0) == (w->user2.len == 0));
		sums->pending_joins++;
	}
	/* Nobody waits for nothing, and nothing is kept for nobody. */
	CHECK(TAILQ_EMPTY(&room->pending_joins) || room->request);
	CHECK(room->users.count || room->request);
	if (room->request)
		check_room_request(r, room);
}

static void check_typing(const struct roomd *r, const struct sums *sums)
{
	const struct room_user *u;
	uint64_t last_ms = 1;
	uint64_t count = 0;
	TAILQ_FOREACH (u, &r->typing, typing) {
		CHECK(u->typing_until_ms >= last_ms);
		last_ms = u->typing_until_ms;
		count++;
	}
	CHECK(count == sums->typing);
}

/* ---- names ---- */

static void check_name(const struct roomd *r, const struct name *n, struct sums *sums)
{
	const struct name_claim *h;
	const struct pending *p;
	CHECK(name_find(r, n->user) == n);
	CHECK(!TAILQ_EMPTY(&n->name_claims) || n->reserved_ms || n->requests);
	CHECK(TAILQ_EMPTY(&n->name_claims) || !n->reserved_ms);
	CHECK(!n->reserved_ms || n->key.len);
	CHECK(!n->is_loading || (n->requests && !n->has_pending));
	TAILQ_FOREACH (h, &n->name_claims, of_name) {
		CHECK(h->name == n && peer_of(r, h->peer->id) == h->peer);
		CHECK(h->round <= h->peer->round);
		sums->name_claims++;
	}
	TAILQ_FOREACH (p, &n->pending, entry) {
		CHECK(p->name == n && pending_find(n, p->room) == p);
		CHECK(!p->is_announced || !TAILQ_EMPTY(&n->name_claims));
		sums->announced += p->is_announced;
	}
	sums->reserved += n->reserved_ms > 0;
	sums->user_requests += n->requests;
	sums->loading += n->is_loading;
}

static void check_reserved(const struct roomd *r, const struct sums *sums)
{
	const struct name *n;
	uint64_t last_ms = 1;
	uint64_t count = 0;
	TAILQ_FOREACH (n, &r->reserved, reserved) {
		CHECK(n->reserved_ms >= last_ms);
		last_ms = n->reserved_ms;
		count++;
	}
	CHECK(count == sums->reserved);
}

static void check_unseen(const struct roomd *r, const struct sums *sums)
{
	const struct pending *p;
	uint64_t last_ms = 0;
	uint64_t count = 0;
	TAILQ_FOREACH (p, &r->unseen, unseen) {
		CHECK(p->is_announced && p->announced_ms >= last_ms &&
		      p->announced_ms <= r->now_ms);
		last_ms = p->announced_ms;
		count++;
	}
	CHECK(count == sums->announced);
}

/* ---- gateways ---- */

static void check_peer(const struct roomd *r, const struct peer *p, struct sums *found)
{
	const struct member *m;
	const struct name_claim *h;
	CHECK(peer_of(r, p->id) == p && p->round <= r->rounds);
	CHECK(!p->is_round_open || p->round);
	CHECK(p->address.len <= ADDRESS_MAX);
	TAILQ_FOREACH (m, &p->members, of_peer) {
		CHECK(m->peer == p);
		found->members++;
	}
	TAILQ_FOREACH (h, &p->name_claims, of_peer) {
		CHECK(h->peer == p && name_find(r, h->name->user) == h->name);
		found->name_claims++;
	}
}

static void check_peers(const struct roomd *r, const struct sums *sums)
{
	const struct peer *p;
	struct sums found = {0};
	size_t peers = 0;
	TAILQ_FOREACH (p, &r->all_peers, entry) {
		check_peer(r, p, &found);
		peers++;
	}
	CHECK(peers == r->peers.count && peers == r->stats.gateways && peers <= PEERS_MAX);
	CHECK(found.members == sums->members && found.members == r->stats.members);
	CHECK(found.name_claims == sums->name_claims);
}

/* ---- requests ---- */

struct store_request_sums {
	size_t all, of_users, loading, puts;
};

static void check_request(struct roomd *r, const struct store_request *q,
			  struct store_request_sums *sums)
{
	CHECK(q->number <= r->last_request && store_request_find(r, q->number) == q);
	CHECK(q->is_patient || q->tries < STORE_REQUEST_TRIES);
	if (store_request_is_about_room(q))
		CHECK(room_find(r, q->room) && room_find(r, q->room)->request == q->number);
	else
		CHECK(name_find(r, q->user2) && name_find(r, q->user2)->requests > 0);
	if (q->kind == STORE_REQUEST_INVITE_PUT)
		CHECK(store_request_of_requester(r, &q->requester) == q);
	if (q->kind == STORE_REQUEST_INVITES)
		CHECK(name_find(r, q->user2)->is_loading);
	sums->all++;
	sums->of_users += !store_request_is_about_room(q);
	sums->loading += q->kind == STORE_REQUEST_INVITES;
	sums->puts += q->kind == STORE_REQUEST_INVITE_PUT;
}

static void check_request_list(struct roomd *r, const struct store_request_list *list,
			       bool is_patient, struct store_request_sums *sums)
{
	const struct store_request *q;
	uint64_t last_ms = 0;
	TAILQ_FOREACH (q, list, entry) {
		CHECK(q->is_patient == is_patient && q->retry_ms >= last_ms);
		check_request(r, q, sums);
		last_ms = q->retry_ms;
	}
}

static void check_requests(struct roomd *r, const struct sums *sums)
{
	struct store_request_sums found = {0};
	check_request_list(r, &r->requests, false, &found);
	check_request_list(r, &r->patient, true, &found);
	CHECK(found.all == r->requests_by_number.count);
	CHECK(found.puts == r->invite_puts.count);
	CHECK(found.of_users == sums->user_requests && found.loading == sums->loading);
}

void roomd_check(struct roomd *r)
{
	struct sums sums = {0};
	const struct room *room;
	const struct name *n;
	TABLE_EACH (&r->rooms, i, room)
		check_room(r, room, &sums);
	TABLE_EACH (&r->names, i, n)
		check_name(r, n, &sums);
	CHECK(sums.pending_joins == r->pending_joins && r->pending_joins <= PENDING_JOINS_MAX);
	check_typing(r, &sums);
	check_reserved(r, &sums);
	check_unseen(r, &sums);
	check_peers(r, &sums);
	check_requests(r, &sums);
	expelled_check(r);
	for (size_t i = 0; i < SHARDS_MAX; i++)
		CHECK(r->active_ms[i] <= r->now_ms);
	CHECK(r->ticked_ms <= r->now_ms && r->scratch.len == 0);
}
