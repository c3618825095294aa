// SPDX-License-Identifier: MIT
/* announce.c — see announce.h. The first change in a room that was quiet is told at once. What
 * changes in the next ANNOUNCE_MS is told together, behind each other in one piece, or goes along
 * with the next message: a thousand who come within a second cost each member a few sends, not a
 * thousand. When very many rooms change at once, as when all come back after a restart, that takes
 * longer. The list follows the changes, the more seldom the longer it is. */
#include "gateway/announce.h"
#include "gateway/frame.h"
#include "proto/json_out.h"

/* The changes as finished frames behind each other; the n-th begins at at[n]. */
struct news_frames {
	const char *bytes;
	size_t *at;
};

static void put_user_event(struct gateway *g, struct view *v, enum wire wire, const char *event,
			   struct str user)
{
	frame_put_user(frame_begin_event(g, wire, event, v->room), v->room, user);
	frame_end_event(g, wire);
}

static struct news_frames write_news(struct gateway *g, struct view *v, enum wire wire)
{
	struct arena *arena = &g->out->arena;
	struct news_frames f = {.at = arena_alloc(arena, (v->news_count + 1) * sizeof *f.at)};
	const struct present *p;
	struct buf all = {0};
	size_t n = 0;
	STAILQ_FOREACH(p, &v->news, news)
	{
		f.at[n++] = all.len;
		put_user_event(g, v, wire, p->is_arrival ? "userJoin" : "userLeave", p->user);
		frame_put(&all, FRAME_TEXT, buf_view(&g->json));
	}
	f.at[n] = all.len;
	f.bytes = arena_copy(arena, buf_view(&all)).ptr;
	buf_free(&all);
	return f;
}

static void send_run(struct gateway *g, const struct membership *m, const struct news_frames *f,
		     uint32_t from, uint32_t to)
{
	if (from < to)
		frame_send(g, m->session, str_of(f->bytes + f->at[from], f->at[to] - f->at[from]));
}

/* A member who was greeted meanwhile knows the changes before that; nobody is told of oneself. A
 * reader that is behind misses all and gets the list when it has caught up. */
static void send_news(struct gateway *g, struct view *v)
{
	struct news_frames frames[WIRES] = {0};
	struct membership *m;
	TAILQ_FOREACH (m, &v->live, of_view) {
		enum wire wire = m->session->wire;
		uint32_t from = m->news_seen;
		m->news_seen = 0;
		if (m->session->is_blocked) {
			m->is_list_stale = true;
			continue;
		}
		if (from == v->news_count)
			continue;
		m->is_list_right = false;
		if (!frames[wire].at)
			frames[wire] = write_news(g, v, wire);
		if (m->present->is_news && m->present->news_index >= from) {
			send_run(g, m, &frames[wire], from, m->present->news_index);
			from = m->present->news_index + 1;
		}
		send_run(g, m, &frames[wire], from, v->news_count);
	}
}

/* Tells the changes; `kept` is not dropped, though nobody may need it any more. */
static void tell(struct gateway *g, struct view *v, const struct present *kept)
{
	struct present *p;
	if (v->news_count == 0)
		return;
	send_news(g, v);
	while ((p = STAILQ_FIRST(&v->news)) != NULL) {
		STAILQ_REMOVE_HEAD(&v->news, news);
		p->is_news = false;
		if (p != kept)
			view_drop_present(g, v, p);
	}
	v->news_count = 0;
}

void announce_news(struct gateway *g, struct view *v)
{
	tell(g, v, NULL);
}

void announce_change(struct gateway *g, struct view *v, struct present *p)
{
	if (p->is_news) /* come and gone: both are told, in their order */
		tell(g, v, p);
	p->is_news = true;
	p->is_arrival = p->is_listed;
	p->news_index = v->news_count++;
	STAILQ_INSERT_TAIL(&v->news, p, news);
	v->is_list_old = true;
	if (v->is_announcing)
		return;
	v->is_announcing = true;
	g->announcing_count++;
	v->announce_ms = g->now_ms;
	TAILQ_INSERT_HEAD(&g->announcing, v, announcing);
}

void announce_typing(struct gateway *g, struct view *v, const struct present *p)
{
	struct membership *m;
	struct str frame[WIRES] = {0};
	announce_news(g, v);
	TAILQ_FOREACH (m, &v->live, of_view) {
		enum wire wire = m->session->wire;
		if (m->present == p || m->session->is_blocked)
			continue;
		if (!frame[wire].len) {
			put_user_event(g, v, wire,
				       p->is_typing ? "userTyping" : "userStoppedTyping", p->user);
			frame[wire] = frame_finish(&g->out->arena, buf_view(&g->json));
		}
		frame_send(g, m->session, frame[wire]);
	}
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
	m->news_seen = m->view->news_count;
	frame_send(g, m->session, list_frame(g, m->view, m->session->wire));
}

static void send_list(struct gateway *g, struct view *v)
{
	struct membership *m;
	struct str frame[WIRES] = {0};
	TAILQ_FOREACH (m, &v->live, of_view) {
		enum wire wire = m->session->wire;
		m->is_list_stale |= m->session->is_blocked;
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

static void leave_queue(struct gateway *g, struct view *v)
{
	v->is_announcing = false;
	g->announcing_count--;
	TAILQ_REMOVE(&g->announcing, v, announcing);
}

void announce_flush(struct gateway *g)
{
	struct view *v;
	while ((v = TAILQ_FIRST(&g->announcing)) != NULL && v->announce_ms <= g->now_ms) {
		leave_queue(g, v);
		if (v->news_count == 0 && !v->is_list_old)
			continue;
		announce_news(g, v);
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

void announce_forget(struct gateway *g, struct view *v)
{
	struct present *p;
	STAILQ_FOREACH(p, &v->news, news)
	p->is_news = false;
	if (v->is_announcing)
		leave_queue(g, v);
}
