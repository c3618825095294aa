// SPDX-License-Identifier: MIT
/* join.c — entering and leaving a room. A join needs four things, requested at the same time where
 * possible: the name (user.c), the room's consent (roomd), who is there, and the newest messages.
 * When all are there the session is greeted: ack, activeUsers, msgHistory. Everything newer than
 * the history follows by cursor, so nothing is missed between. Not here: many joins at once
 * (join_all.c). */
#include "gateway/core/session.h"
#include "gateway/core/user.h"
#include "gateway/core/join.h"
#include "gateway/core/backlog.h"
#include "gateway/core/changes.h"
#include "gateway/core/roster.h"
#include "gateway/core/deliver.h"
#include "gateway/core/announce.h"
#include "gateway/core/frame.h"
#include "gateway/core/history.h"
#include "gateway/core/repair.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"
#include "proto/json_out.h"
#include "proto/shard.h"

static struct membership *membership_start(struct gateway *g, struct session *s, struct view *v)
{
	struct membership *m = mem_alloc(sizeof *m);
	m->session = s;
	m->view = v;
	TAILQ_INIT(&m->own_acks);
	view_want(g, v, s->wire);
	m->present = view_present(v, s->user->name);
	m->present->local++;
	TAILQ_INSERT_TAIL(&s->memberships, m, of_session);
	s->membership_count++;
	return m;
}

void membership_end_feed(struct gateway *g, struct membership *m)
{
	if (m->feed)
		request_end(g, m->feed);
	m->feed = NULL;
}

static void end_joining(struct gateway *g, struct membership *m)
{
	CHECK(m->joining && !m->is_live);
	TAILQ_REMOVE(&g->joining, m->joining, entry);
	TAILQ_REMOVE(&m->view->joining, m, of_view);
	backlog_joins(g, m->session, -1);
	str_free(&m->joining->params.invited);
	mem_free(m->joining);
	m->joining = NULL;
}

/* Its last membership is gone. */
static void end_room(struct gateway *g, struct view *v)
{
	CHECK(TAILQ_EMPTY(&v->live) && TAILQ_EMPTY(&v->joining));
	change_forget_all(g, v);
	struct present *p;
	while ((p = TAILQ_FIRST(&v->present)) != NULL) {
		CHECK(p->local == 0 && !p->join);
		p->is_listed = false;
		view_drop_present(g, v, p);
	}
	if (v->presence_request) {
		list_pace_note(&g->list_pace, g->now_ms, v->room);
		request_end(g, v->presence_request);
	}
	if (v->page_request)
		request_end(g, v->page_request);
	v->presence_request = v->page_request = NULL;
	repair_forget_room(g, v);
	view_free(g, v);
}

void membership_end(struct gateway *g, struct membership *m)
{
	struct session *s = m->session;
	struct view *v = m->view;
	struct present *p = m->present;
	CHECK(s->membership_count > 0 && p->local > 0);
	deliver_all_acks(g, m);
	membership_end_feed(g, m);
	if (m->is_live)
		TAILQ_REMOVE(&v->live, m, of_view);
	else
		end_joining(g, m);
	TAILQ_REMOVE(&s->memberships, m, of_session);
	s->membership_count--;
	mem_free(m);

	if (--p->local == 0) {
		/* Also when the join was not answered yet: it may have been granted. */
		if (p->is_in || p->join)
			bus_put_leave(&g->out->roomd[v->roomd],
				      &(struct ev_leave){.room = v->room, .user = p->user});
		if (p->join)
			request_end(g, p->join);
		p->join = NULL;
		p->is_in = false;
		roster_remove(g, v->roomd, REGISTERED_MEMBER, &p->registration);
		view_drop_present(g, v, p);
	}
	if (TAILQ_EMPTY(&v->live) && TAILQ_EMPTY(&v->joining))
		end_room(g, v);
	if (!s->user->is_held && TAILQ_EMPTY(&s->memberships))
		user_leave(g, s); /* nothing waits for the name any more */
}

/* Few have waited for long before they began. */
static void insert_by_deadline(struct gateway *g, struct joining *j)
{
	struct joining *before = TAILQ_LAST(&g->joining, joining_list);
	while (before && before->deadline_ms > j->deadline_ms)
		before = TAILQ_PREV(before, joining_list, entry);
	if (before)
		TAILQ_INSERT_AFTER(&g->joining, before, j, entry);
	else
		TAILQ_INSERT_HEAD(&g->joining, j, entry);
}

void join_start(struct gateway *g, struct session *s, struct str room,
		const struct join_params *params)
{
	struct membership *m = session_membership(s, room);
	if (m) { /* joins once more: the same greeting again */
		CHECK(m->is_live);
		TAILQ_REMOVE(&m->view->live, m, of_view);
		membership_end_feed(g, m);
		m->is_live = false;
		m->was_live = true;
	} else {
		m = membership_start(g, s, view_open(g, room));
	}
	struct joining *j = mem_alloc(sizeof *j);
	j->membership = m;
	j->deadline_ms = g->now_ms + GIVE_UP_MS - g->late_ms;
	j->params = *params;
	j->params.invited = str_copy(params->invited);
	m->joining = j;
	TAILQ_INSERT_TAIL(&m->view->joining, m, of_view);
	insert_by_deadline(g, j);
	backlog_joins(g, s, +1);
	join_advance(g, m);
}

void join_fail(struct gateway *g, struct membership *m, enum err error)
{
	if (m->is_live)
		return;
	const struct join_params *params = &m->joining->params;
	frame_send_error(g, m->session, params->has_id, params->id, error, NULL);
	if (!m->was_live || error != ERR_UNAVAILABLE) {
		membership_end(g, m);
		return;
	}
	/* Joining again took too long; it is still in, as before, and has missed what was
	 * announced. */
	membership_end_feed(g, m);
	end_joining(g, m);
	m->was_live = false;
	m->is_live = true;
	m->is_list_stale = true;
	m->changes_seen = 0;
	TAILQ_INSERT_TAIL(&m->view->live, m, of_view);
	deliver_acks_passed(g, m);
	session_touch(g, m->session);
}

void join_tick(struct gateway *g)
{
	struct joining *j;
	while ((j = TAILQ_FIRST(&g->joining)) != NULL && j->deadline_ms <= g->now_ms) {
		if (!j->membership->session->is_blocked) {
			join_fail(g, j->membership, ERR_UNAVAILABLE);
			continue;
		}
		TAILQ_REMOVE(&g->joining, j, entry); /* it is the client that is slow */
		j->deadline_ms = g->now_ms + GIVE_UP_MS;
		TAILQ_INSERT_TAIL(&g->joining, j, entry);
	}
}

static void send_join_ack(struct gateway *g, struct membership *m)
{
	const struct join_params *params = &m->joining->params;
	if (!params->has_id)
		return;
	struct buf *b = frame_begin_ack(g, m->session, params->id);
	BUF_LIT(b, "{\"room\":");
	json_out_str(b, m->view->room);
	BUF_LIT(b, ",\"username\":");
	json_out_str(b, m->session->user->name);
	BUF_LIT(b, "}");
	frame_end_ack(g, m->session);
}

/* Everything is there. `page` holds the history when the log does not. */
static void greet(struct gateway *g, struct membership *m, const struct ev_page *page)
{
	struct view *v = m->view;
	struct session *s = m->session;
	const struct join_params *params = &m->joining->params;
	CHECK(!m->is_live && s->user->is_held && m->present->is_in);
	CHECK(v->is_open && v->is_presence_known);
	if (params->reply == REPLY_ACK)
		send_join_ack(g, m);
	announce_list(g, m);
	bool was_void = m->is_void;
	uint64_t last = page ? history_send_page(g, m, page) : history_send_log(g, m);

	/* A session that was here before keeps its cursor, so that it loses nothing by joining
	 * again without `since`; but what did not go into msgHistory follows it. */
	if (!m->was_live || params->has_since || was_void || last < m->cursor)
		m->cursor = last;
	deliver_acks_passed(g, m);
	if (params->then)
		params->then(g, m);
	end_joining(g, m);
	m->was_live = false;
	m->is_live = true;
	TAILQ_INSERT_TAIL(&v->live, m, of_view);
	g->stats.joins_total++;
	s->is_greeted = true;
	if (s->is_waiting_join) {
		s->is_waiting_join = false;
		TAILQ_REMOVE(&g->unjoined, s, waiting);
	}
	session_touch(g, s);
	user_show_invitations(g, s);
}

void join_advance(struct gateway *g, struct membership *m)
{
	struct view *v = m->view;
	struct present *p = m->present;
	if (m->is_live || !m->session->user->is_held)
		return;
	if (!p->is_in) {
		if (!p->join)
			p->join = request_start(g, &(struct request_params){
							   .kind = REQUEST_JOIN,
							   .shard = v->roomd,
							   .room = v->room,
							   .user = p->user,
						   });
		if (!v->is_presence_known) /* behind the join, so that the room is there */
			view_ask_presence(g, v);
		return;
	}
	if (!v->is_presence_known) {
		view_ask_presence(g, v);
		return;
	}
	if (!v->is_open || !session_takes(g, m->session))
		return;
	if (!history_is_in_log(m)) {
		const struct join_params *params = &m->joining->params;
		if (!m->feed)
			m->feed = request_start(g, &(struct request_params){
							   .kind = REQUEST_PAGE_READER,
							   .shard = v->historyd,
							   .session = m->session,
							   .room = v->room,
							   .after = params->since,
							   .epoch = params->epoch,
							   .may_reset = params->has_since,
							   .limit = params->has_since
									    ? SINCE_MESSAGES
									    : GREETING_MESSAGES,
							   .is_newest = true,
						   });
		return;
	}
	membership_end_feed(g, m);
	greet(g, m, NULL);
}

void join_page(struct gateway *g, struct membership *m, const struct ev_page *page)
{
	if (!m->present->is_in || !m->view->is_presence_known || !m->view->is_open ||
	    !session_takes(g, m->session))
		return; /* asked again when the rest is there */
	greet(g, m, page);
}

void join_advance_view(struct gateway *g, struct view *v)
{
	struct membership *m = TAILQ_FIRST(&v->joining);
	while (m) {
		struct membership *next = TAILQ_NEXT(m, of_view);
		join_advance(g, m);
		m = next;
	}
}

void join_unreadable(struct gateway *g, struct view *v)
{
	struct membership *m = v->is_open ? NULL : TAILQ_FIRST(&v->joining);
	while (m) {
		struct membership *next = TAILQ_NEXT(m, of_view);
		join_fail(g, m, ERR_UNAVAILABLE); /* the last one may take the view along */
		m = next;
	}
}
