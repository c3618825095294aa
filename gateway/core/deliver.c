// SPDX-License-Identifier: MIT
/* deliver.c — moving cursors. A session is delivered to by sending it the frames between its cursor
 * and the head of the room's log, all in one piece; sessions with the same cursor get the same
 * bytes. Where the session's own message stands, its ack is sent instead. A reader whom the log has
 * left behind gets pages from historyd. */
#include "gateway/core/session.h"
#include "gateway/core/deliver.h"
#include "gateway/core/announce.h"
#include "gateway/core/frame.h"
#include "gateway/core/history.h"
#include "gateway/core/request.h"
#include "gateway/core/view.h"
#include "proto/json_out.h"

static void send_own_ack(struct gateway *g, struct session *s, const struct view *v,
			 const struct own_ack *ack)
{
	g->stats.acks_total++;
	if (!ack->has_id)
		return;
	struct buf *b = frame_begin_ack(g, s, ack->id);
	BUF_LIT(b, "{\"room\":");
	json_out_str(b, v->room);
	BUF_LIT(b, ",\"seq\":");
	buf_u64(b, ack->seq);
	BUF_LIT(b, ",\"time\":");
	buf_u64(b, ack->time_ms);
	uint64_t epoch = epochs_begin(&v->epochs, ack->seq);
	if (epoch) {
		BUF_LIT(b, ",\"epoch\":");
		buf_u64(b, epoch);
	}
	BUF_LIT(b, "}");
	frame_end_ack(g, s);
}

static void end_own_ack(struct gateway *g, struct own_ack *ack)
{
	if (ack->has_id)
		TAILQ_REMOVE(&g->late_acks, ack, by_age);
	TAILQ_REMOVE(&ack->membership->own_acks, ack, entry);
	mem_free(ack);
}

/* Takes the ack that stands at this seq out of the list, sends it, and says whether there was one.
 */
static bool take_own_ack(struct gateway *g, struct membership *m, uint64_t seq)
{
	struct own_ack *ack = TAILQ_FIRST(&m->own_acks);
	bool is_own = false;
	while (ack && ack->seq <= seq) {
		is_own |= ack->seq == seq;
		send_own_ack(g, m->session, m->view, ack);
		end_own_ack(g, ack);
		ack = TAILQ_FIRST(&m->own_acks);
	}
	return is_own;
}

/* Messages are stored nearly in the order in which they came, so the place is near the end. */
static void insert_by_age(struct gateway *g, struct own_ack *ack)
{
	struct own_ack *before = TAILQ_LAST(&g->late_acks, own_ack_list);
	while (before && before->asked_ms > ack->asked_ms)
		before = TAILQ_PREV(before, own_ack_list, by_age);
	if (before)
		TAILQ_INSERT_AFTER(&g->late_acks, before, ack, by_age);
	else
		TAILQ_INSERT_HEAD(&g->late_acks, ack, by_age);
}

void deliver_own_ack(struct gateway *g, struct membership *m, uint64_t seq, uint64_t time_ms,
		     const struct request *post)
{
	CHECK(post->kind == REQUEST_POST);
	struct own_ack *ack = mem_alloc(sizeof *ack);
	session_owe(g, m->session, OWN_ACK_BYTES);
	*ack = (struct own_ack){.membership = m,
				.seq = seq,
				.time_ms = time_ms,
				.id = post->id,
				.asked_ms = post->asked_ms,
				.has_id = post->has_id};
	struct own_ack *before = TAILQ_LAST(&m->own_acks, own_ack_list);
	while (before && before->seq > seq)
		before = TAILQ_PREV(before, own_ack_list, entry);
	if (before)
		TAILQ_INSERT_AFTER(&m->own_acks, before, ack, entry);
	else
		TAILQ_INSERT_HEAD(&m->own_acks, ack, entry);
	if (ack->has_id)
		insert_by_age(g, ack);
	if (m->is_live && seq <= m->cursor)
		take_own_ack(g, m, m->cursor);
}

static void send_frames(struct gateway *g, struct membership *m, uint64_t from, uint64_t to)
{
	if (from > to)
		return;
	frame_send(g, m->session, roomlog_frames(&m->view->log, m->session->wire, from, to));
	g->stats.deliveries_total += to - from + 1;
}

/* The run from … to with the acks of own messages in their places. */
static void send_with_acks(struct gateway *g, struct membership *m, uint64_t from, uint64_t to)
{
	uint64_t start = from;
	for (uint64_t seq = from; seq <= to; seq++) {
		struct own_ack *ack = TAILQ_FIRST(&m->own_acks);
		if (!ack)
			break;
		if (ack->seq > seq)
			continue;
		uint64_t own_from = seq;
		send_frames(g, m, start, own_from - 1);
		start = take_own_ack(g, m, seq) ? seq + 1 : seq;
	}
	send_frames(g, m, start, to);
}

/* About as many as can be given in a turn, to judge by those that the log has. */
static uint64_t feed_limit(const struct gateway *g, const struct roomlog *log)
{
	const struct roomlog_stream *native = &log->stream[WIRE_NATIVE];
	uint64_t bytes = native->end - native->begin;
	uint64_t limit = bytes ? 1 + g->options.session_bytes * log->count / bytes : FEED_MESSAGES;
	return limit < FEED_MESSAGES ? limit : FEED_MESSAGES;
}

static void feed(struct gateway *g, struct membership *m)
{
	if (m->feed)
		return;
	m->feed = request_start(g, &(struct request_params){
					   .kind = REQUEST_PAGE_READER,
					   .shard = m->view->historyd,
					   .session = m->session,
					   .room = m->view->room,
					   .after = m->cursor,
					   .epoch = epochs_at(&m->view->epochs, m->cursor),
					   .limit = feed_limit(g, &m->view->log),
				   });
}

/* A run of messages as one piece of frames; nearly all readers of a room want the same. */
struct run {
	uint64_t from, to;
	struct str frames;
};

static const struct run *find_run(const struct roomlog *log, enum wire wire, uint64_t from,
				  size_t max_bytes, struct run runs[WIRES])
{
	struct run *run = &runs[wire];
	if (run->from == from)
		return run;
	run->from = from;
	run->to = roomlog_fit(log, wire, from, log->head, max_bytes);
	run->frames = roomlog_frames(log, wire, from, run->to);
	return run;
}

/* When the run of those before does not fit: another cursor, a list to be sent first, a log that
 * has gone on too far, acks of own messages, what the session was given in this turn already. */
static void deliver_some(struct gateway *g, struct membership *m, struct run runs[WIRES])
{
	const struct roomlog *log = &m->view->log;
	struct session *s = m->session;
	if (m->is_list_stale)
		announce_list(g, m);
	if (m->is_void) {
		history_send_anew(g, m);
		deliver_acks_passed(g, m);
	}
	if (m->cursor >= log->head || !session_takes(g, s))
		return;
	if (m->cursor + 1 < log->first_seq) {
		feed(g, m);
		return;
	}
	size_t max_bytes = g->options.session_bytes;
	const struct run *run = find_run(log, s->wire, m->cursor + 1, max_bytes, runs);
	uint64_t to = run->to;
	if (run->frames.len > max_bytes - s->owed && s->owed)
		to = roomlog_fit(log, s->wire, run->from, to, max_bytes - s->owed);
	CHECK(to > m->cursor && to <= log->head);
	send_with_acks(g, m, run->from, to);
	m->cursor = to;
	if (to < log->head)
		session_touch(g, s);
}

/* `runs` is zeroed at first. */
static inline void deliver(struct gateway *g, struct membership *m, struct run runs[WIRES])
{
	struct session *s = m->session;
	const struct run *run = &runs[s->wire];
	if (!session_takes(g, s))
		return;
	if (run->from != m->cursor + 1 || m->is_list_stale || m->is_void || s->owed ||
	    !TAILQ_EMPTY(&m->own_acks)) {
		deliver_some(g, m, runs);
		return;
	}
	frame_send(g, s, run->frames);
	g->stats.deliveries_total += run->to - m->cursor;
	m->cursor = run->to;
	if (run->to < m->view->log.head)
		session_touch(g, s);
}

void deliver_membership(struct gateway *g, struct membership *m)
{
	struct run runs[WIRES] = {0};
	deliver(g, m, runs);
}

void deliver_view(struct gateway *g, struct view *v)
{
	struct membership *m;
	struct run runs[WIRES] = {0};
	announce_changes(g, v);
	TAILQ_FOREACH (m, &v->live, of_view)
		deliver(g, m, runs);
}

void deliver_page(struct gateway *g, struct membership *m, const struct ev_page *page)
{
	struct arena *arena = &g->out->arena;
	struct epochs epochs = {0};
	epochs_set(&epochs, &page->epochs);
	epochs.was_other = m->view->epochs.was_other;
	uint32_t i = 0;
	for (; i < page->messages.count && session_takes(g, m->session); i++) {
		struct rec_chat chat = bus_chat_at(&page->messages, i);
		if (chat.seq <= m->cursor)
			continue;
		m->cursor = chat.seq;
		if (take_own_ack(g, m, chat.seq))
			continue;
		buf_reset(&g->json);
		frame_put_chat(&g->json, m->session->wire, m->view->room, &chat,
			       epochs_begin(&epochs, chat.seq));
		frame_send(g, m->session, frame_finish(arena, buf_view(&g->json)));
		g->stats.deliveries_total++;
	}
	epochs_free(&epochs);
	/* What is not in the store any more cannot be delivered. */
	if (i == page->messages.count && !page->more && m->cursor + 1 < m->view->log.first_seq &&
	    page->head >= m->view->log.first_seq - 1)
		m->cursor = m->view->log.first_seq - 1;
	session_touch(g, m->session);
}

void deliver_acks_passed(struct gateway *g, struct membership *m)
{
	(void)take_own_ack(g, m, m->cursor);
}

void deliver_all_acks(struct gateway *g, struct membership *m)
{
	(void)take_own_ack(g, m, UINT64_MAX);
}

void deliver_tick(struct gateway *g)
{
	struct own_ack *ack;
	while ((ack = TAILQ_FIRST(&g->late_acks)) != NULL &&
	       ack->asked_ms + GIVE_UP_MS <= g->now_ms) {
		if (ack->membership->session->is_blocked) { /* it is the client that is slow */
			TAILQ_REMOVE(&g->late_acks, ack, by_age);
			ack->asked_ms = g->now_ms;
			insert_by_age(g, ack);
			continue;
		}
		frame_send_error(g, ack->membership->session, true, ack->id, ERR_UNAVAILABLE, NULL);
		g->stats.posts_unavailable_total++;
		end_own_ack(g, ack);
	}
}

uint64_t deliver_next_due(const struct gateway *g)
{
	const struct own_ack *oldest = TAILQ_FIRST(&g->late_acks);
	return oldest ? oldest->asked_ms + GIVE_UP_MS : UINT64_MAX;
}
