// SPDX-License-Identifier: MIT
/* invites.c — invitations to private rooms. historyd stores each one before anybody is told of it,
 * and keeps it until a gateway says that it has been shown. Not here: the list of one name
 * (pending.c). */
#include "roomd/state.h"

/* Told again until a gateway says that it was shown: any word may be lost. */
static void publish(struct roomd *r, struct pending *p)
{
	pending_tell_no_more(r, p);
	p->is_told = true;
	p->told_ms = r->now_ms;
	TAILQ_INSERT_TAIL(&r->unseen, p, unseen);
	bus_put_invited(
		&r->out->down,
		&(struct ev_invited){.room = p->room, .user = p->from, .user2 = p->name->user});
}

void invite_tick(struct roomd *r)
{
	struct pending *p;
	while ((p = TAILQ_FIRST(&r->unseen)) != NULL && p->told_ms + TELL_AGAIN_MS <= r->now_ms)
		publish(r, p);
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
	struct pending *p;
	if (n->has_pending) {
		TAILQ_FOREACH (p, &n->pending, entry)
			publish(r, p);
	} else if (!n->is_loading) {
		n->is_loading = true;
		ask(r, n, &(struct question){.kind = QUESTION_INVITES, .user2 = n->user});
	}
}

void on_invites(struct roomd *r, const struct ev_invites *ev)
{
	struct question *q = question_find(r, ev->req);
	if (!q || q->kind != QUESTION_INVITES || !str_equal(q->user2, ev->user2) ||
	    err_from_wire(ev->status) != ERR_OK)
		return;
	struct name *n = answered(r, q);
	n->has_pending = true;
	n->is_loading = false;
	for (uint32_t i = 0; i < ev->pending.count; i++) {
		struct rec_invitation kept = bus_invitation_at(&ev->pending, i);
		pending_keep(n, kept.room, kept.user);
	}
	if (!TAILQ_EMPTY(&n->holdings))
		invite_load(r, n);
	name_put_away(r, n);
}

void on_invite_ask(struct roomd *r, const struct ev_invite_ask *ev)
{
	const struct invite_asker asker = {.gateway = r->peer->id, .req = ev->req};
	if (!r->is_settled || ev->user2.len == 0 || question_of_asker(r, &asker))
		return;
	ask(r, name_get(r, ev->user2),
	    &(struct question){.kind = QUESTION_INVITE_PUT,
			       .asker = asker,
			       .room = ev->room,
			       .user = ev->user,
			       .user2 = ev->user2});
}

void on_invite_done(struct roomd *r, const struct ev_invite_done *ev)
{
	struct question *q = question_find(r, ev->req);
	enum err status = err_from_wire(ev->status);
	if (!q || !str_equal(q->user2, ev->user2) || status == ERR_UNAVAILABLE)
		return;
	if (q->kind == QUESTION_INVITE_PUT) {
		struct name *n = name_find(r, q->user2);
		CHECK(n);
		if (status == ERR_OK) {
			struct pending *p = pending_keep(n, q->room, q->user);
			if (!TAILQ_EMPTY(&n->holdings))
				publish(r, p);
		}
		bus_put_invite_answer(&r->out->down,
				      &(struct ev_invite_answer){.gateway = q->asker.gateway,
								 .req = q->asker.req,
								 .status = status});
	} else if (q->kind == QUESTION_INVITE_DROP) { /* it may have been loaded meanwhile */
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
	    &(struct question){.kind = QUESTION_INVITE_DROP, .room = ev->room, .user2 = ev->user2});
}

/* What is pending is needed while the user is there, and what was shown must not be shown for ever.
 * An invitation that is still to be kept is its gateway's to ask for again. */
bool invite_question_needed(const struct roomd *r, const struct question *q)
{
	const struct name *n = name_find(r, q->user2);
	CHECK(n && n->questions > 0);
	return q->kind == QUESTION_INVITE_DROP ||
	       (q->kind == QUESTION_INVITES && !TAILQ_EMPTY(&n->holdings));
}

void invite_question_dropped(struct roomd *r, const struct question *q)
{
	struct name *n = name_find(r, q->user2);
	CHECK(n && n->questions > 0);
	n->questions--;
	if (q->kind == QUESTION_INVITES)
		n->is_loading = false;
	name_put_away(r, n);
}
