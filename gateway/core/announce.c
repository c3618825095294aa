// SPDX-License-Identifier: MIT
/* announce.c — see announce.h. The first change in a quiet room is sent at once. Changes of the
 * next ANNOUNCE_MS are sent together, or go along with the next message: a thousand arrivals within
 * a second cost each member a few sends, not a thousand. When very many rooms change at once, as
 * after a restart, the wait is longer. The whole list follows the changes; the longer it is, the
 * more seldom. */
#include "gateway/core/session.h"
#include "gateway/core/announce.h"
#include "gateway/core/changes.h"
#include "gateway/core/frame.h"
#include "proto/json_out.h"

/* The changes as finished frames behind each other; the n-th begins at at[n]. */
struct change_frames {
	const char *bytes;
	size_t *at;
};

static const char *const event_names[] = {
	[CHANGE_ARRIVED] = "userJoin",
	[CHANGE_LEFT] = "userLeave",
	[CHANGE_TYPES] = "userTyping",
	[CHANGE_STOPPED] = "userStoppedTyping",
};

static struct change_frames write_changes(struct gateway *g, struct view *v, enum wire wire)
{
	struct arena *arena = &g->out->arena;
	struct change_frames f = {.at = arena_alloc(arena, (v->change_count + 1) * sizeof *f.at)};
	const struct change *c;
	struct buf all = {0};
	size_t n = 0;
	STAILQ_FOREACH(c, &v->changes, entry)
	{
		f.at[n++] = all.len;
		frame_put_user(frame_begin_event(g, wire, event_names[c->kind], v->room), v->room,
			       c->who->user);
		frame_end_event(g, wire);
		frame_put(&all, FRAME_TEXT, buf_view(&g->json));
	}
	f.at[n] = all.len;
	f.bytes = arena_copy(arena, buf_view(&all)).ptr;
	buf_free(&all);
	return f;
}

static void send_run(struct gateway *g, const struct membership *m, const struct change_frames *f,
		     uint32_t from, uint32_t to)
{
	if (from < to)
		frame_send(g, m->session, str_of(f->bytes + f->at[from], f->at[to] - f->at[from]));
}

/* From this one on; nobody is told of oneself. */
static void send_from(struct gateway *g, const struct membership *m, const struct change_frames *f,
		      uint32_t from)
{
	const struct view *v = m->view;
	const struct change *c;
	uint32_t n = 0;
	if (m->present->changes)
		STAILQ_FOREACH(c, &v->changes, entry)
		{
			if (c->who == m->present && n >= from) {
				send_run(g, m, f, from, n);
				from = n + 1;
			}
			n++;
		}
	send_run(g, m, f, from, v->change_count);
}

/* How many of the changes there are up to the last one that alters the list. */
static uint32_t list_changes(const struct view *v)
{
	const struct change *c;
	uint32_t n = 0;
	uint32_t last = 0;
	STAILQ_FOREACH(c, &v->changes, entry)
	{
		n++;
		if (change_is_of_list(c))
			last = n;
	}
	return last;
}

/* A member who was greeted meanwhile knows the changes before that. A reader that is behind misses
 * all and gets the list when it has caught up. */
static void send_changes(struct gateway *g, struct view *v)
{
	struct change_frames frames[WIRES] = {0};
	struct membership *m;
	uint32_t of_list = list_changes(v);
	TAILQ_FOREACH (m, &v->live, of_view) {
		enum wire wire = m->session->wire;
		uint32_t from = m->changes_seen;
		CHECK(from <= v->change_count);
		m->changes_seen = 0;
		if (!session_takes(g, m->session)) {
			m->is_list_stale |= of_list > 0;
			continue;
		}
		if (from == v->change_count)
			continue;
		if (from < of_list)
			m->is_list_right = false;
		if (!frames[wire].at)
			frames[wire] = write_changes(g, v, wire);
		send_from(g, m, &frames[wire], from);
	}
}

void announce_changes(struct gateway *g, struct view *v)
{
	struct present *who;
	if (v->change_count == 0)
		return;
	send_changes(g, v);
	while ((who = change_take(v)) != NULL)
		view_drop_present(g, v, who);
}

/* ---- the list ---- */

static struct str list_frame(struct gateway *g, const struct view *v, enum wire wire)
{
	struct buf *b = frame_begin_event(g, wire, "activeUsers", v->room);
	const struct present *p;
	uint32_t named = 0;
	BUF_LIT(b, "[");
	TAILQ_FOREACH (p, &v->present, entry) {
		if (!p->is_listed)
			continue;
		if (named == NAMES_LIST_MAX)
			break;
		buf_append(b, ",", named ? 1 : 0);
		json_out_str(b, p->user);
		named++;
	}
	BUF_LIT(b, "]");
	frame_end_users(g, wire, v->room, v->listed > named ? v->listed : 0);
	return frame_finish(&g->out->arena, buf_view(b));
}

void announce_list(struct gateway *g, struct membership *m)
{
	m->is_list_stale = false;
	m->is_list_right = true;
	m->changes_seen = m->view->change_count;
	frame_send(g, m->session, list_frame(g, m->view, m->session->wire));
}

static void send_list(struct gateway *g, struct view *v)
{
	struct membership *m;
	struct str frame[WIRES] = {0};
	TAILQ_FOREACH (m, &v->live, of_view) {
		enum wire wire = m->session->wire;
		m->is_list_stale |= !session_takes(g, m->session);
		if (m->is_list_stale || m->is_list_right)
			continue;
		m->is_list_right = true;
		if (!frame[wire].len)
			frame[wire] = list_frame(g, v, wire);
		frame_send(g, m->session, frame[wire]);
	}
	v->is_list_old = false;
	v->list_ms = g->now_ms + (v->listed > ANNOUNCE_MS ? v->listed : ANNOUNCE_MS);
}

/* ---- what is due ---- */

/* The queue is in order of what is due. */
static void wait_for_more(struct gateway *g, struct view *v)
{
	const struct view *last = TAILQ_LAST(&g->announcing, view_list);
	uint64_t wait_ms = ANNOUNCE_MS + ANNOUNCE_MS * g->announcing_count / ANNOUNCE_ROOMS;
	v->announce_ms = g->now_ms + (wait_ms < ANNOUNCE_MS_MAX ? wait_ms : ANNOUNCE_MS_MAX);
	if (last && last->announce_ms > v->announce_ms)
		v->announce_ms = last->announce_ms;
	v->is_announcing = true;
	g->announcing_count++;
	TAILQ_INSERT_TAIL(&g->announcing, v, announcing);
}

void announce_flush(struct gateway *g)
{
	struct view *v;
	while ((v = TAILQ_FIRST(&g->announcing)) != NULL && v->announce_ms <= g->now_ms) {
		change_leave_queue(g, v);
		bool is_of_list = list_changes(v) > 0;
		announce_changes(g, v);
		if (!is_of_list && !v->is_list_old)
			continue;
		if (v->is_list_old && v->list_ms <= g->now_ms)
			send_list(g, v);
		wait_for_more(g, v);
	}
}

uint64_t announce_next_due(const struct gateway *g)
{
	const struct view *v = TAILQ_FIRST(&g->announcing);
	return v ? v->announce_ms : UINT64_MAX;
}
