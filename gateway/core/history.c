// SPDX-License-Identifier: MIT
/* history.c — see history.h. */
#include "gateway/core/history.h"
#include "gateway/core/frame.h"

bool history_is_in_log(const struct membership *m)
{
	CHECK(m->joining);
	const struct view *v = m->view;
	const struct join_params *params = &m->joining->params;
	if (!params->has_since)
		return v->log.count >= GREETING_MESSAGES || !v->has_older;
	/* A `since` ahead of the log: either this gateway is late, or there is no such message.
	 * historyd knows; and whether one of another epoch still stands. */
	if (params->since > v->log.head ||
	    (params->epoch && epochs_at(&v->epochs, params->since) != params->epoch))
		return false;
	if (params->since + 1 >= v->log.first_seq)
		return true;
	/* Before the log, but in an epoch that it begins in, it stands; others may have ended
	 * before it. */
	return v->log.count >= SINCE_MESSAGES &&
	       (!params->epoch || epochs_at(&v->epochs, v->log.first_seq) == params->epoch);
}

static void begin_history(struct gateway *g, const struct membership *m)
{
	frame_begin_event(g, m->session->wire, "msgHistory", m->view->room);
	BUF_LIT(&g->json, "[");
}

/* `epochs` know in which one `last` stands, behind which the client goes on. */
static void end_history(struct gateway *g, struct membership *m, struct history_end end,
			const struct epochs *epochs, uint64_t last)
{
	end.is_reset |= m->is_void;
	end.epoch = epochs_at(epochs, last);
	m->is_void = false;
	BUF_LIT(&g->json, "]");
	frame_end_history(g, m->session->wire, m->view->room, end);
	frame_send_json(g, m->session);
}

/* The log's messages behind `after`, at most `limit` of them. */
static uint64_t send_log(struct gateway *g, struct membership *m, bool has_after, uint64_t after,
			 uint64_t limit)
{
	const struct roomlog *log = &m->view->log;
	uint64_t from = log->first_seq;
	if (log->head - from + 1 > limit)
		from = log->head - limit + 1;
	if (has_after && after + 1 > from)
		from = after + 1;
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
	bool has_more = has_after ? from > after + 1 : has_older;
	const struct history_end end = {.has_more = has_more && from <= log->head};
	end_history(g, m, end, &m->view->epochs, seq - 1);
	return seq - 1;
}

uint64_t history_send_log(struct gateway *g, struct membership *m)
{
	const struct join_params *params = &m->joining->params;
	return send_log(g, m, params->has_since, params->since,
			params->has_since ? SINCE_MESSAGES : GREETING_MESSAGES);
}

void history_send_anew(struct gateway *g, struct membership *m)
{
	m->cursor = send_log(g, m, false, 0, GREETING_MESSAGES);
}

uint64_t history_send_page(struct gateway *g, struct membership *m, const struct ev_page *page)
{
	const struct join_params *params = &m->joining->params;
	bool has_since = params->has_since && !page->reset;
	uint64_t last = has_since && params->since < page->head ? params->since : page->head;
	struct epochs epochs = {0};
	epochs_set(&epochs, &page->epochs);
	begin_history(g, m);
	for (uint32_t i = 0; i < page->messages.count; i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		size_t len = g->json.len;
		buf_append(&g->json, ",", i ? 1 : 0);
		frame_put_message(&g->json, m->view->room, &chat, epochs_begin(&epochs, chat.seq));
		if (i && g->json.len > PIECE_BYTES_MAX) {
			g->json.len = len;
			break;
		}
		last = chat.seq;
	}
	const struct history_end end = {.has_more = page->more, .is_reset = page->reset};
	end_history(g, m, end, &epochs, last);
	epochs_free(&epochs);
	return last;
}
