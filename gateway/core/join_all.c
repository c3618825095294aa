// SPDX-License-Identifier: MIT
/* join_all.c — what happens to several joins and members at once: roomd has answered, it is known
 * whose a name or a room is, or the room's history has gone back to an older state. Not here: one
 * join (join.c). */
#include "gateway/core/handlers.h"
#include "gateway/core/deliver.h"
#include "gateway/core/frame.h"
#include "gateway/core/join.h"
#include "gateway/core/request.h"
#include "gateway/core/roster.h"
#include "gateway/core/session.h"
#include "gateway/core/view.h"

/* Ends the joins that wait for this name and key; the user goes with the last of them. */
void join_user_rejected(struct gateway *g, struct user *u, enum err error)
{
	struct session *s = TAILQ_FIRST(&u->sessions);
	while (s) {
		struct session *next = TAILQ_NEXT(s, of_user);
		struct membership *m = TAILQ_FIRST(&s->memberships);
		while (m) {
			struct membership *following = TAILQ_NEXT(m, of_session);
			join_fail(g, m, error);
			m = following;
		}
		s = next;
	}
}

void join_user_answered(struct gateway *g, struct user *u, enum err status)
{
	struct session *s;
	struct membership *m;
	if (status != ERR_OK) {
		join_user_rejected(g, u, status);
		return;
	}
	while (u->next)
		join_user_rejected(g, u->next, ERR_NAME_TAKEN);
	TAILQ_FOREACH (s, &u->sessions, of_user)
		TAILQ_FOREACH (m, &s->memberships, of_session)
			join_advance(g, m);
}

static void void_member(struct gateway *g, struct membership *m)
{
	deliver_all_acks(g, m); /* others may stand in their places now */
	if (!m->is_live && !m->was_live)
		return; /* has nothing yet, or says what it has */
	if (m->is_live)
		membership_end_feed(g, m);
	m->is_void = true;
	m->cursor = 0;
	session_touch(g, m->session);
}

static void void_members(struct gateway *g, const struct membership_list *list)
{
	struct membership *m;
	TAILQ_FOREACH (m, list, of_view)
		void_member(g, m);
}

void join_void(struct gateway *g, struct view *v)
{
	void_members(g, &v->live);
	void_members(g, &v->joining);
}

static bool is_in_page(const struct ev_page *page, uint64_t seq)
{
	for (uint32_t i = 0; i < page->messages.count; i++)
		if (bus_chat_at(&page->messages, i).seq == seq)
			return true;
	return false;
}

static bool waits_for_gone(const struct membership *m, const struct ev_page *page)
{
	const struct own_ack *ack;
	TAILQ_FOREACH (ack, &m->own_acks, entry)
		if (ack->seq > m->view->log.head && !is_in_page(page, ack->seq) &&
		    (!page->more || ack->seq > page->head))
			return true;
	return false;
}

void join_void_behind(struct gateway *g, struct view *v, const struct ev_page *page)
{
	struct membership *m;
	TAILQ_FOREACH (m, &v->live, of_view)
		if (waits_for_gone(m, page))
			void_member(g, m);
	TAILQ_FOREACH (m, &v->joining, of_view)
		if (waits_for_gone(m, page))
			void_member(g, m);
}

static bool is_owners(const struct session *s, struct str owner, struct str guest)
{
	return str_equal(s->user->name, owner) || str_equal(s->user->name, guest);
}

static struct membership *find_in(const struct membership_list *list, struct str owner,
				  struct str guest)
{
	struct membership *m;
	TAILQ_FOREACH (m, list, of_view)
		if (!is_owners(m->session, owner, guest))
			return m;
	return NULL;
}

/* The first membership of anybody but the two. */
static struct membership *find_stranger(const struct view *v, struct str owner, struct str guest)
{
	struct membership *m = find_in(&v->live, owner, guest);
	return m ? m : find_in(&v->joining, owner, guest);
}

void join_put_out(struct gateway *g, struct membership *m)
{
	if (!m->is_live) {
		join_fail(g, m, ERR_FORBIDDEN);
		return;
	}
	frame_send_expelled(g, m->session, m->view->room);
	membership_end(g, m);
}

static uint32_t count_in(const struct membership_list *list)
{
	const struct membership *m;
	uint32_t count = 0;
	TAILQ_FOREACH (m, list, of_view)
		count++;
	return count;
}

void join_keep_private(struct gateway *g, struct view *v, struct str owner, struct str guest)
{
	struct membership *m;
	uint32_t remaining = count_in(&v->live) + count_in(&v->joining);
	while (remaining-- && (m = find_stranger(v, owner, guest)) != NULL)
		join_put_out(g, m); /* the last one takes the view along */
}

/* All that the user has in the room, which may end the view. */
static void put_out_user(struct gateway *g, struct view *v, struct present *p)
{
	uint32_t remaining = p->local;
	struct membership *m = TAILQ_FIRST(&v->live);
	while (m && remaining) {
		struct membership *next = TAILQ_NEXT(m, of_view);
		if (m->present == p) {
			remaining--;
			join_put_out(g, m);
		}
		m = next;
	}
	m = remaining ? TAILQ_FIRST(&v->joining) : NULL;
	while (m && remaining) {
		struct membership *next = TAILQ_NEXT(m, of_view);
		if (m->present == p) {
			remaining--;
			join_put_out(g, m);
		}
		m = next;
	}
}

/* roomd says that the user may not be there: the room became private to others while this gateway
 * was cut off. */
static void expel(struct gateway *g, struct view *v, struct present *p)
{
	p->is_in = false; /* roomd has let go of it already */
	roster_remove(g, v->roomd, REGISTERED_MEMBER, &p->registration);
	put_out_user(g, v, p);
}

void join_reject(struct gateway *g, const struct request *r, enum err status)
{
	struct session *s = session_find(g, r->session);
	if (!s)
		return;
	frame_send_error(g, s, r->has_id, r->id, status, NULL);
	struct view *v = status == ERR_FORBIDDEN ? view_find(g, r->room) : NULL;
	struct present *p = v ? view_find_present(v, s->user->name) : NULL;
	if (p)
		put_out_user(g, v, p);
}

void on_join_answer(struct gateway *g, const struct ev_join_answer *ev)
{
	if (ev->gateway != g->options.id)
		return;
	struct view *v = view_find(g, ev->room);
	struct present *p = v ? view_find_present(v, ev->user) : NULL;
	enum err status = err_from_wire(ev->status);
	if (status == ERR_FORBIDDEN && !(p && p->join)) {
		if (p && p->is_in)
			expel(g, v, p);
		/* roomd says so until it hears this. */
		bus_put_leave(&g->out->roomd[g->from.id],
			      &(struct ev_leave){.room = ev->room, .user = ev->user});
		return;
	}
	if (!p || !p->join)
		return;
	request_end(g, p->join);
	p->join = NULL;
	p->is_in = status == ERR_OK;
	if (p->is_in)
		roster_add(g, v->roomd, REGISTERED_MEMBER, &p->registration);
	/* roomd has counted further than the deltas that came: one was lost. */
	if (v->is_presence_known && v->presence_epoch == g->from.epoch &&
	    ev->version > v->presence_version)
		view_ask_presence(g, v);
	struct membership *m = TAILQ_FIRST(&v->joining);
	while (m) {
		struct membership *next =
			TAILQ_NEXT(m, of_view); /* the last one may take the view along */
		if (m->present == p && status == ERR_OK)
			join_advance(g, m);
		else if (m->present == p)
			join_fail(g, m, status);
		m = next;
	}
}
