// SPDX-License-Identifier: MIT
/* on_chat.c — updateChat and history: messages on their way to historyd and pages on their way
 * back. Delivery to readers is in deliver.c. */
#include "gateway/core/session.h"
#include "gateway/core/join.h"
#include "gateway/core/handlers.h"
#include "gateway/core/deliver.h"
#include "gateway/core/backlog.h"
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"
#include "proto/json_out.h"

#include <stdio.h>

enum {
	TYPING_LASTS_MS = 6000,
	JSON_GROWTH_MAX = 8, /* a record as JSON, to be on the safe side */
};

struct span {
	uint32_t from, to;
};

/* roomd ends the author's typing, if there is any to end; an author who was not typing costs it
 * nothing. */
static void end_typing(struct gateway *g, struct membership *m)
{
	bool typed_here = m->typed_ms && g->now_ms < m->typed_ms + TYPING_LASTS_MS;
	if (!typed_here && !m->present->is_typing)
		return;
	m->typed_ms = 0;
	bus_put_wrote(&g->out->roomd[m->view->roomd],
		      &(struct ev_wrote){.room = m->view->room, .user = m->present->user});
}

void on_updateChat(struct gateway *g, struct session *s, const struct in_updateChat *in)
{
	char made[CID_MAX];
	struct str cid = in->cid;
	if (backlog_was_given_up(s, in->room)) {
		/* One that was sent before it was given up while it waited here, or waited here
		 * too and is told so only now. */
		client_event_fail(in->event, ERR_UNAVAILABLE, "%s", err_text(ERR_UNAVAILABLE));
		g->stats.posts_unavailable_total++;
		return;
	}
	if (!cid.len) {
		int len =
			snprintf(made, sizeof made, "%c%" PRIx64 ".%" PRIx64 ".%" PRIx64,
				 INTERNAL_CID_MARK, g->options.id, g->options.epoch, ++g->last_cid);
		cid = str_of(made, (size_t)len);
	}
	request_start(g, &(struct request_params){
				 .kind = REQUEST_POST,
				 .shard = in->member->view->historyd,
				 .session = s,
				 .has_id = in->event->has_id,
				 .id = in->event->id,
				 .room = in->room,
				 .user = s->user->name,
				 .cid = cid,
				 .body = in->body,
			 });
	g->stats.posts_total++;
	end_typing(g, in->member);
}

void on_history(struct gateway *g, struct session *s, const struct in_history *in)
{
	backlog_ask(g, s,
		    &(struct request_params){
			    .kind = REQUEST_PAGE_CLIENT,
			    .shard = in->member->view->historyd,
			    .session = s,
			    .has_id = in->event->has_id,
			    .id = in->event->id,
			    .room = in->room,
			    .after = in->after,
			    .before = in->before,
			    .limit = in->limit,
			    .is_newest = !in->has_after,
		    });
}

/* Which of the page's messages go into one piece: those next to where the client asked from. */
static struct span fit_page(struct gateway *g, const struct request *r, const struct ev_page *page)
{
	struct span span = {.from = 0, .to = page->messages.count};
	if (page->messages.packed.len <= PIECE_BYTES_MAX / JSON_GROWTH_MAX)
		return span;
	size_t bytes = 0;
	for (uint32_t n = 0; n < page->messages.count; n++) {
		uint32_t i = r->is_newest ? page->messages.count - 1 - n : n;
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		buf_reset(&g->json);
		frame_put_message(&g->json, r->room, &chat, 0);
		bytes += g->json.len + 1;
		if (n && bytes > PIECE_BYTES_MAX)
			return r->is_newest ? (struct span){i + 1, span.to} : (struct span){0, i};
	}
	return span;
}

static void send_page(struct gateway *g, struct session *s, const struct request *r,
		      const struct ev_page *page)
{
	if (!r->has_id)
		return;
	struct span span = fit_page(g, r, page);
	bool has_more = page->more || span.to - span.from < page->messages.count;
	struct epochs epochs = {0};
	epochs_set(&epochs, &page->epochs);
	struct buf *b = frame_begin_ack(g, s, r->id);
	BUF_LIT(b, "{\"messages\":[");
	for (uint32_t i = span.from; i < span.to; i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		buf_append(b, ",", i > span.from ? 1 : 0);
		frame_put_message(b, r->room, &chat, epochs_begin(&epochs, chat.seq));
	}
	epochs_free(&epochs);
	buf_printf(b, "],\"more\":%s}", has_more ? "true" : "false");
	frame_end_ack(g, s);
}

/* Acks in the room's order: when the writer's cursor passes the message, or now if it is not in the
 * room any more. */
static void acknowledge(struct gateway *g, struct request *r, uint64_t seq, uint64_t time_ms)
{
	struct session *s = session_find(g, r->session);
	struct membership *m = s ? session_membership(s, r->room) : NULL;
	if (m) {
		deliver_own_ack(g, m, seq, time_ms, r);
		session_touch(g, s);
	} else if (s && r->has_id) {
		struct buf *b = frame_begin_ack(g, s, r->id);
		BUF_LIT(b, "{\"room\":");
		json_out_str(b, r->room);
		buf_printf(b, ",\"seq\":%" PRIu64 ",\"time\":%" PRIu64 "}", seq, time_ms);
		frame_end_ack(g, s);
	}
	request_end(g, r);
}

/* A message whose chat_stored was lost, found in a page: acked here, its author is not shown it as
 * news and acked afterwards, when historyd answers the repeated post. */
static void acknowledge_paged(struct gateway *g, struct str room, const struct ev_page *page)
{
	struct request *r;
	for (uint32_t i = 0; i < page->messages.count && request_first_post(g, room); i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		for (r = request_first_post(g, room); r; r = request_next_post(g, r)) {
			if (!str_equal(r->cid, chat.cid) || !str_equal(r->user, chat.user))
				continue;
			acknowledge(g, r, chat.seq, chat.time);
			break;
		}
	}
}

/* A page for one reader: history for its greeting, or what the log has dropped. */
static void give_reader(struct gateway *g, struct request *r, const struct ev_page *page)
{
	struct session *s = session_find(g, r->session);
	struct membership *m = s ? session_membership(s, r->room) : NULL;
	if (!m || m->feed != r) {
		request_end(g, r);
		return;
	}
	m->feed = NULL;
	request_end(g, r);
	if (!view_goes_with(g, m->view, page, true)) {
		session_touch(g, s); /* asks again, behind what the view is told */
		return;
	}
	view_note_head(g, m->view, page->head); /* it may be ahead of the log */
	if (m->is_live) {
		acknowledge_paged(g, m->view->room, page);
		deliver_page(g, m, page);
	} else {
		join_page(g, m, page);
	}
}

/* What is in the page is its two users' when the room is private: whoever else is still in the room
 * here was put out while this gateway was cut off. That may end what the page was for. */
static struct request *guard_page(struct gateway *g, const struct ev_page *page)
{
	struct view *v = view_find(g, page->room);
	if (v && page->owner.len)
		join_keep_private(g, v, page->owner, page->guest);
	return request_find(g, page->req);
}

/* Who asked for it left the room meanwhile, or was put out. */
static bool is_allowed(const struct session *s, const struct ev_page *page)
{
	return !page->owner.len || str_equal(s->user->name, page->owner) ||
	       str_equal(s->user->name, page->guest);
}

/* Whether the client takes it, and what it is told live may follow it. */
static bool can_give(struct gateway *g, struct session *s, const struct request *r,
		     const struct ev_page *page)
{
	const struct membership *m = session_membership(s, r->room);
	return session_takes(g, s) &&
	       (!m || !m->is_live || view_goes_with(g, m->view, page, r->before == 0));
}

/* A page that the client asked for. One that cannot be given now is read again when it can. */
static void give_client(struct gateway *g, struct request *r, const struct ev_page *page)
{
	struct session *s = session_find(g, r->session);
	enum err status = err_from_wire(page->status);
	if (r->is_parked)
		return;
	if (s && status == ERR_OK && !is_allowed(s, page))
		status = ERR_FORBIDDEN;
	if (s && status == ERR_OK && r->has_id && !can_give(g, s, r, page)) {
		backlog_park(g, s, r);
		session_touch(g, s);
		return;
	}
	if (s && status == ERR_OK)
		send_page(g, s, r, page);
	else
		join_reject(g, r, status);
	request_end(g, r);
	if (s && s->backlog)
		session_touch(g, s);
}

/* historyd cannot read it, and says so at once: nobody waits for that any longer. Who is live
 * stays, and for those it is asked again. */
static void give_up_page(struct gateway *g, const struct request *r)
{
	const struct session *s = session_find(g, r->session);
	struct membership *m = s ? session_membership(s, r->room) : NULL;
	if (r->kind == REQUEST_PAGE_VIEW)
		join_unreadable(g, view_find(g, r->room));
	else if (m && m->feed == r)
		join_fail(g, m, ERR_UNAVAILABLE);
}

/* Whether it does not contradict itself: one that does is as good as lost. What stands between the
 * first message and the last is looked at where it is put (view.c). */
static bool is_sound(const struct ev_page *page)
{
	uint32_t count = page->messages.count;
	if (count && (bus_chat_at(&page->messages, 0).seq == 0 ||
		      bus_chat_at(&page->messages, count - 1).seq > WHOLE_MAX))
		return false;
	return page->head <= WHOLE_MAX && epochs_are_ordered(&page->epochs);
}

void on_page(struct gateway *g, const struct ev_page *page)
{
	if (!view_is_historyds(g, page->room))
		return;
	struct request *r = request_find(g, page->req);
	if (!r || !str_equal(r->room, page->room) || !is_sound(page))
		return;
	enum err status = err_from_wire(page->status);
	r = guard_page(g, page);
	if (!r)
		return;
	if (status != ERR_OK && r->kind != REQUEST_PAGE_CLIENT) {
		give_up_page(g, r);
	} else if (r->kind == REQUEST_PAGE_VIEW) {
		struct view *v = view_find(g, r->room);
		CHECK(v && v->page_request == r);
		uint64_t asked_after = r->after;
		v->page_request = NULL;
		request_end(g, r);
		if (!view_agrees_with(v, page, asked_after)) {
			view_ask_page(g, v);
			return;
		}
		if (page->reset) {
			view_begin_anew(g, v, page);
			join_void(g, v);
		} else if (!view_knows_epoch(v, view_newest_epoch(page))) {
			join_void_behind(g, v, page);
		}
		if (v->is_open)
			acknowledge_paged(g, v->room, page);
		if (view_page(g, v, page))
			join_advance_view(g, v);
	} else if (r->kind == REQUEST_PAGE_READER) {
		give_reader(g, r, page);
	} else if (r->kind == REQUEST_PAGE_CLIENT) {
		give_client(g, r, page);
	}
}

/* The post that this result is for, if it is one of ours and still waited for. */
static struct request *own_post(struct gateway *g, uint64_t gateway, uint64_t number,
				struct str room)
{
	struct request *r = gateway == g->options.id ? request_find(g, number) : NULL;
	return r && r->kind == REQUEST_POST && str_equal(r->room, room) ? r : NULL;
}

void on_chat_stored(struct gateway *g, const struct ev_chat_stored *ev)
{
	if (!view_is_historyds(g, ev->room))
		return;
	struct view *v = view_find(g, ev->room);
	if (v && !view_knows_epoch(v, ev->epoch)) { /* a page acks it, in its place */
		view_note_epoch(g, v, ev->seq, ev->epoch);
		return;
	}
	struct request *r = own_post(g, ev->gateway, ev->req, ev->room);
	/* The same cid could have been stored for a post before this gateway's restart. */
	if (r && str_equal(r->cid, ev->cid) && str_equal(r->user, ev->user))
		acknowledge(g, r, ev->seq, ev->time);
	if (v && ev->owner.len) {
		join_keep_private(g, v, ev->owner, ev->guest);
		v = view_find(g, ev->room);
	}
	struct rec_chat chat = {.seq = ev->seq,
				.time = ev->time,
				.user = ev->user,
				.cid = ev->cid,
				.body = ev->body};
	if (v)
		view_chat(g, v, &chat);
}

void on_chat_repeat(struct gateway *g, const struct ev_chat_repeat *ev)
{
	if (!view_is_historyds(g, ev->room))
		return;
	struct view *v = view_find(g, ev->room);
	if (v && !view_knows_epoch(v, ev->epoch)) { /* it may stand where clients saw another */
		view_note_epoch(g, v, ev->seq, ev->epoch);
		return;
	}
	struct request *r = own_post(g, ev->gateway, ev->req, ev->room);
	if (r)
		acknowledge(g, r, ev->seq, ev->time);
	/* Whoever wrote it: it may be that nobody has told this gateway of the message yet. */
	if (v)
		view_note_head(g, v, ev->seq);
}

void on_chat_refused(struct gateway *g, const struct ev_chat_refused *ev)
{
	if (!view_is_historyds(g, ev->room))
		return;
	struct request *r = own_post(g, ev->gateway, ev->req, ev->room);
	if (!r)
		return;
	join_reject(g, r, err_from_wire(ev->status));
	request_end(g, r);
}
