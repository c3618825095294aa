// SPDX-License-Identifier: MIT
/* invites.c — invitations to private rooms. historyd keeps each one before anybody hears of it, and
 * until a gateway says that it has been shown. */
#include "roomd/state.h"

static void forget(struct name *n, struct pending *p)
{
	TAILQ_REMOVE(&n->pending, p, entry);
	str_free(&p->room);
	str_free(&p->from);
	mem_free(p);
}

void invite_forget_all(struct name *n)
{
	while (!TAILQ_EMPTY(&n->pending))
		forget(n, TAILQ_FIRST(&n->pending));
}

static struct pending *find(const struct name *n, struct str room)
{
	struct pending *p;
	TAILQ_FOREACH (p, &n->pending, entry)
		if (str_equal(p->room, room))
			return p;
	return NULL;
}

static const struct pending *keep(struct name *n, struct str room, struct str from)
{
	struct pending *p = find(n, room);
	if (p)
		return p;
	p = mem_alloc(sizeof *p);
	p->room = str_copy(room);
	p->from = str_copy(from);
	TAILQ_INSERT_TAIL(&n->pending, p, entry);
	return p;
}

static void publish(struct roomd *r, const struct name *n, const struct pending *p)
{
	bus_put_invited(&r->out->down,
			&(struct ev_invited){.room = p->room, .user = p->from, .user2 = n->user});
}

static void ask(struct roomd *r, struct name *n, const struct question *wish)
{
	n->questions++;
	question_start(r, wish);
}

/* The name whose question this answers, with the question ended and its contents in *q (strings
 * freed). */
static struct name *answered(struct roomd *r, struct question *q)
{
	struct name *n = name_find(r, q->user2);
	CHECK(n && n->questions > 0);
	n->questions--;
	question_end(r, q);
	return n;
}

void invite_load(struct roomd *r, struct name *n)
{
	const struct pending *p;
	if (n->has_pending) {
		TAILQ_FOREACH (p, &n->pending, entry)
			publish(r, n, p);
	} else if (!n->questions) {
		ask(r, n, &(struct question){.kind = QUESTION_INVITES, .user2 = n->user});
	}
}

void invite_loaded(struct roomd *r, const struct ev_invites *ev)
{
	struct question *q = question_find(r, ev->req);
	if (!q || q->kind != QUESTION_INVITES || !str_equal(q->user2, ev->user2) ||
	    err_from_wire(ev->status) != ERR_OK)
		return;
	struct name *n = answered(r, q);
	n->has_pending = true;
	for (uint32_t i = 0; i < ev->pending.count; i++) {
		struct rec_invitation kept = bus_invitation_at(&ev->pending, i);
		keep(n, kept.room, kept.user);
	}
	if (!TAILQ_EMPTY(&n->holdings))
		invite_load(r, n);
	name_put_away(r, n);
}

void invite_ask(struct roomd *r, const struct ev_invite_ask *ev)
{
	struct question *q;
	if (!r->is_settled || ev->user2.len == 0)
		return;
	TAILQ_FOREACH (q, &r->questions, entry)
		if (q->kind == QUESTION_INVITE_PUT && q->gateway == r->peer->id &&
		    q->req == ev->req)
			return;
	ask(r, name_get(r, ev->user2),
	    &(struct question){.kind = QUESTION_INVITE_PUT,
			       .gateway = r->peer->id,
			       .req = ev->req,
			       .room = ev->room,
			       .user = ev->user,
			       .user2 = ev->user2});
}

void invite_done(struct roomd *r, const struct ev_invite_done *ev)
{
	struct question *q = question_find(r, ev->req);
	enum err status = err_from_wire(ev->status);
	if (!q || !str_equal(q->user2, ev->user2) || status == ERR_UNAVAILABLE)
		return;
	if (q->kind == QUESTION_INVITE_PUT) {
		struct name *n = name_find(r, q->user2);
		CHECK(n);
		if (status == ERR_OK) {
			const struct pending *p = keep(n, q->room, q->user);
			if (!TAILQ_EMPTY(&n->holdings))
				publish(r, n, p);
		}
		bus_put_invite_answer(&r->out->down,
				      &(struct ev_invite_answer){.gateway = q->gateway,
								 .req = q->req,
								 .status = status});
	} else if (q->kind != QUESTION_INVITE_DROP) {
		return;
	}
	name_put_away(r, answered(r, q));
}

void invite_seen(struct roomd *r, const struct ev_invite_seen *ev)
{
	if (ev->user2.len == 0)
		return;
	struct name *n = name_get(r, ev->user2);
	struct pending *p = find(n, ev->room);
	if (p)
		forget(n, p);
	ask(r, n,
	    &(struct question){.kind = QUESTION_INVITE_DROP, .room = ev->room, .user2 = ev->user2});
}

void invite_question_failed(struct roomd *r, const struct question *q)
{
	struct name *n = name_find(r, q->user2);
	CHECK(n && n->questions > 0);
	n->questions--;
	name_put_away(r, n);
}
