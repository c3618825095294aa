// SPDX-License-Identifier: MIT
/* invites.c — invitations to private rooms. historyd stores each one before anybody is told of it,
 * and keeps it until a gateway says that it has been shown. Not here: the list of one name
 * (pending.c). */
#include "roomd/state.h"

/* Told again until a gateway says that it was shown: any word may be lost. */
static void publish(struct roomd *r, struct pending *p)
{
	pending_stop(r, p);
	p->is_announced = true;
	p->announced_ms = r->now_ms;
	TAILQ_INSERT_TAIL(&r->unseen, p, unseen);
	bus_put_invited(
		&r->out->down,
		&(struct ev_invited){.room = p->room, .user = p->from, .user2 = p->name->user});
}

void invite_tick(struct roomd *r)
{
	struct pending *p;
	while ((p = TAILQ_FIRST(&r->unseen)) != NULL &&
	       p->announced_ms + ANNOUNCE_AGAIN_MS <= r->now_ms)
		publish(r, p);
}

static void ask(struct roomd *r, struct name *n, const struct store_request *params)
{
	n->requests++;
	store_request_start(r, params);
}

/* The name whose request this answers, with the request ended and its contents in *q (strings
 * freed). */
static struct name *answered(struct roomd *r, struct store_request *q)
{
	struct name *n = name_find(r, q->user2);
	CHECK(n && n->requests > 0);
	n->requests--;
	store_request_end(r, q);
	return n;
}

void invite_load(struct roomd *r, struct name *n)
{
	struct pending *p;
	if (n->has_pending) {
		TAILQ_FOREACH (p, &n->pending, entry)
			publish(r, p);
	} else if (!n->is_loading) {
		n->is_loading = true;
		ask(r, n, &(struct store_request){.kind = STORE_REQUEST_INVITES, .user2 = n->user});
	}
}

void on_invites(struct roomd *r, const struct ev_invites *ev)
{
	struct store_request *q = store_request_find(r, ev->req);
	if (!q || q->kind != STORE_REQUEST_INVITES || !str_equal(q->user2, ev->user2) ||
	    err_from_wire(ev->status) != ERR_OK)
		return;
	struct name *n = answered(r, q);
	n->has_pending = true;
	n->is_loading = false;
	for (uint32_t i = 0; i < ev->pending.count; i++) {
		struct rec_invitation kept = bus_invitation_at(&ev->pending, i);
		pending_keep(n, kept.room, kept.user);
	}
	if (!TAILQ_EMPTY(&n->name_claims))
		invite_load(r, n);
	name_put_away(r, n);
}

void on_invite_ask(struct roomd *r, const struct ev_invite_ask *ev)
{
	const struct invite_requester requester = {.gateway = r->peer->id, .req = ev->req};
	if (!r->is_settled || ev->user2.len == 0 || store_request_of_requester(r, &requester))
		return;
	ask(r, name_get(r, ev->user2),
	    &(struct store_request){.kind = STORE_REQUEST_INVITE_PUT,
				    .requester = requester,
				    .room = ev->room,
				    .user = ev->user,
				    .user2 = ev->user2});
}

void on_invite_done(struct roomd *r, const struct ev_invite_done *ev)
{
	struct store_request *q = store_request_find(r, ev->req);
	enum err status = err_from_wire(ev->status);
	if (!q || !str_equal(q->user2, ev->user2) || status == ERR_UNAVAILABLE)
		return;
	if (q->kind == STORE_REQUEST_INVITE_PUT) {
		struct name *n = name_find(r, q->user2);
		CHECK(n);
		if (status == ERR_OK) {
			struct pending *p = pending_keep(n, q->room, q->user);
			if (!TAILQ_EMPTY(&n->name_claims))
				publish(r, p);
		}
		bus_put_invite_answer(&r->out->down,
				      &(struct ev_invite_answer){.gateway = q->requester.gateway,
								 .req = q->requester.req,
								 .status = status});
	} else if (q->kind == STORE_REQUEST_INVITE_DROP) { /* it may have been loaded meanwhile */
		struct name *n = name_find(r, q->user2);
		struct pending *p = n ? pending_find(n, q->room) : NULL;
		if (p)
			pending_forget(r, p);
	} else {
		return;
	}
	name_put_away(r, answered(r, q));
}

void on_invite_seen(struct roomd *r, const struct ev_invite_seen *ev)
{
	if (ev->user2.len == 0)
		return;
	struct name *n = name_get(r, ev->user2);
	struct pending *p = pending_find(n, ev->room);
	if (p)
		pending_forget(r, p);
	ask(r, n,
	    &(struct store_request){
		    .kind = STORE_REQUEST_INVITE_DROP, .room = ev->room, .user2 = ev->user2});
}

/* What is pending is needed while the user is there, and what was shown must not be shown for ever.
 * An invitation that is still to be kept is its gateway's to ask for again. */
bool invite_request_needed(const struct roomd *r, const struct store_request *q)
{
	const struct name *n = name_find(r, q->user2);
	CHECK(n && n->requests > 0);
	return q->kind == STORE_REQUEST_INVITE_DROP ||
	       (q->kind == STORE_REQUEST_INVITES && !TAILQ_EMPTY(&n->name_claims));
}

void invite_request_dropped(struct roomd *r, const struct store_request *q)
{
	struct name *n = name_find(r, q->user2);
	CHECK(n && n->requests > 0);
	n->requests--;
	if (q->kind == STORE_REQUEST_INVITES)
		n->is_loading = false;
	name_put_away(r, n);
}
