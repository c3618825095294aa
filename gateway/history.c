// SPDX-License-Identifier: MIT
/* history.c — see history.h. */
#include "gateway/history.h"
#include "gateway/frame.h"

bool history_is_in_log(const struct membership *m)
{
	const struct view *v = m->view;
	const struct join_wish *wish = &m->joining->wish;
	if (!wish->has_since)
		return v->log.count >= GREETING_MESSAGES || !v->has_older;
	/* A `since` ahead of the log: either this gateway is late, or there is no such message.
	 * historyd knows. */
	if (wish->since > v->log.head)
		return false;
	return wish->since + 1 >= v->log.first_seq || v->log.count >= SINCE_MESSAGES;
}

static void begin_history(struct gateway *g, const struct membership *m)
{
	frame_begin_event(g, m->session->wire, "msgHistory", m->view->room);
	BUF_LIT(&g->json, "[");
}

static void end_history(struct gateway *g, const struct membership *m, bool has_more)
{
	BUF_LIT(&g->json, "]");
	frame_end_history(g, m->session->wire, m->view->room, has_more);
	frame_send_json(g, m->session);
}

uint64_t history_send_log(struct gateway *g, struct membership *m)
{
	const struct roomlog *log = &m->view->log;
	const struct join_wish *wish = &m->joining->wish;
	uint64_t limit = wish->has_since ? SINCE_MESSAGES : GREETING_MESSAGES;
	uint64_t from = log->first_seq;
	if (log->head - from + 1 > limit)
		from = log->head - limit + 1;
	if (wish->has_since && wish->since + 1 > from)
		from = wish->since + 1;
	uint64_t seq = from;
	begin_history(g, m);
	for (; seq <= log->head; seq++) {
		struct str object = roomlog_object(log, seq);
		if (seq > from && g->json.len + object.len > PIECE_BYTES_MAX)
			break;
		buf_append(&g->json, ",", seq > from ? 1 : 0);
		buf_str(&g->json, object);
	}
	bool has_older = from > log->first_seq || m->view->has_older;
	bool has_more = wish->has_since ? from > wish->since + 1 : has_older;
	end_history(g, m, has_more && from <= log->head);
	return seq - 1;
}

uint64_t history_send_page(struct gateway *g, struct membership *m, const struct ev_page *page)
{
	const struct join_wish *wish = &m->joining->wish;
	uint64_t last = wish->has_since && wish->since < page->head ? wish->since : page->head;
	begin_history(g, m);
	for (uint32_t i = 0; i < page->messages.count; i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		size_t len = g->json.len;
		buf_append(&g->json, ",", i ? 1 : 0);
		frame_put_message(&g->json, m->view->room, &chat);
		if (i && g->json.len > PIECE_BYTES_MAX) {
			g->json.len = len;
			break;
		}
		last = chat.seq;
	}
	end_history(g, m, page->more);
	return last;
}
