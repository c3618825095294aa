// SPDX-License-Identifier: MIT
/* names.c — who may use a name. A name joined with a key belongs to that key while any gateway
 * holds it and RESERVED_MS longer; one joined without is open to others without. */
#include "roomd/state.h"

struct name *name_find(const struct roomd *r, struct str user)
{
	return table_find(&r->names, user);
}

struct name *name_get(struct roomd *r, struct str user)
{
	struct name *n = name_find(r, user);
	if (n)
		return n;
	n = mem_alloc(offsetof(struct name, text) + user.len);
	n->user = str_put(n->text, user);
	TAILQ_INIT(&n->name_claims);
	TAILQ_INIT(&n->pending);
	table_add(&r->names, n);
	return n;
}

static void unreserve(struct roomd *r, struct name *n)
{
	if (n->reserved_ms)
		TAILQ_REMOVE(&r->reserved, n, reserved);
	n->reserved_ms = 0;
}

void name_free(struct roomd *r, struct name *n)
{
	CHECK(TAILQ_EMPTY(&n->name_claims) && !n->requests && !n->is_loading);
	unreserve(r, n);
	pending_forget_all(r, n);
	CHECK(table_remove(&r->names, n->user) == n);
	str_free(&n->key);
	mem_free(n);
}

void name_put_away(struct roomd *r, struct name *n)
{
	if (TAILQ_EMPTY(&n->name_claims) && !n->reserved_ms && !n->requests)
		name_free(r, n);
}

static bool is_in_use(const struct name *n)
{
	return !TAILQ_EMPTY(&n->name_claims) || n->reserved_ms;
}

/* False: it was there. */
static bool add_name_claim(struct roomd *r, struct name *n, struct peer *peer)
{
	struct name_claim *h;
	TAILQ_FOREACH (h, &n->name_claims, of_name) {
		if (h->peer == peer) {
			h->round = peer->round;
			return false;
		}
	}
	unreserve(r, n);
	h = mem_alloc(sizeof *h);
	*h = (struct name_claim){.name = n, .peer = peer, .round = peer->round};
	TAILQ_INSERT_TAIL(&n->name_claims, h, of_name);
	TAILQ_INSERT_TAIL(&peer->name_claims, h, of_peer);
	return true;
}

/* False: the gateway held it before. If a race let two keys in, the first one's stays. */
static bool hold(struct roomd *r, struct str user, struct str key, struct peer *peer)
{
	struct name *n = name_get(r, user);
	if (!is_in_use(n)) {
		str_free(&n->key);
		if (key.len)
			n->key = str_copy(key);
	}
	return add_name_claim(r, n, peer);
}

struct name *name_hold(struct roomd *r, struct str user, struct str key, struct peer *peer)
{
	return hold(r, user, key, peer) ? name_find(r, user) : NULL;
}

struct name *name_claim(struct roomd *r, const struct ev_claim *ev)
{
	if (!r->is_settled || ev->user.len == 0)
		return NULL;
	struct name *n = name_find(r, ev->user);
	enum err status = ERR_OK;
	if (n && is_in_use(n) && !str_equal_secret(n->key, ev->key))
		status = ERR_NAME_TAKEN;
	else
		(void)hold(r, ev->user, ev->key, r->peer);
	bus_put_claim_answer(&r->out->down, &(struct ev_claim_answer){.gateway = r->peer->id,
								      .user = ev->user,
								      .key = ev->key,
								      .status = status});
	return status == ERR_OK ? name_find(r, ev->user) : NULL;
}

void name_claim_remove(struct roomd *r, struct name_claim *h)
{
	struct name *n = h->name;
	TAILQ_REMOVE(&n->name_claims, h, of_name);
	TAILQ_REMOVE(&h->peer->name_claims, h, of_peer);
	mem_free(h);
	if (!TAILQ_EMPTY(&n->name_claims))
		return;
	pending_stop_of(r, n);
	if (n->key.len) {
		n->reserved_ms = r->now_ms + RESERVED_MS;
		TAILQ_INSERT_TAIL(&r->reserved, n, reserved);
	}
	name_put_away(r, n);
}

void on_release(struct roomd *r, const struct ev_release *ev)
{
	struct name *n = name_find(r, ev->user);
	struct name_claim *h;
	if (!n)
		return;
	TAILQ_FOREACH (h, &n->name_claims, of_name) {
		if (h->peer == r->peer) {
			name_claim_remove(r, h);
			return;
		}
	}
}

void name_tick(struct roomd *r)
{
	struct name *n;
	while ((n = TAILQ_FIRST(&r->reserved)) != NULL && n->reserved_ms <= r->now_ms) {
		unreserve(r, n);
		name_put_away(r, n);
	}
}
