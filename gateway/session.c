// SPDX-License-Identifier: MIT
/* session.c — one client connection: its life, its silence, its rate. Not here: what it asks for
 * (client.c). */
#include "gateway/announce.h"
#include "gateway/frame.h"
#include "gateway/state.h"

static void put_op(struct gateway *g, struct session *s, enum client_op_kind kind, uint16_t code)
{
	frame_send(g, s, (struct str){0});
	if (s->is_closing)
		return;
	struct client_op *op = &g->out->ops[g->out->op_count - 1];
	op->kind = kind;
	op->code = code;
}

struct session *session_find(struct gateway *g, uint64_t number)
{
	return table_find(&g->sessions, str_of((const char *)&number, sizeof number));
}

struct membership *session_membership(const struct session *s, struct str room)
{
	struct membership *m;
	TAILQ_FOREACH (m, &s->memberships, of_session)
		if (str_equal(m->view->room, room))
			return m;
	return NULL;
}

struct session *gateway_connect(struct gateway *g, uint64_t now_ms, void *conn, enum wire wire,
				bool is_batched)
{
	struct session *s = mem_alloc(sizeof *s);
	*s = (struct session){
		.number = ++g->last_session,
		.conn = conn,
		.tokens_milli = (uint32_t)g->options.burst * 1000,
		.tokens_ms = now_ms,
		.idle_ms = now_ms,
		.since_ms = now_ms,
		.wire = wire,
		.is_batched = is_batched,
		.is_waiting_join = true,
	};
	TAILQ_INIT(&s->memberships);
	table_add(&g->sessions, s);
	TAILQ_INSERT_TAIL(&g->idle, s, idle);
	TAILQ_INSERT_TAIL(&g->unjoined, s, waiting);
	g->stats.sessions++;
	return s;
}

void gateway_disconnect(struct gateway *g, uint64_t now_ms, struct session *s,
			struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	s->is_closing = true;
	while (!TAILQ_EMPTY(&s->memberships))
		membership_end(g, TAILQ_FIRST(&s->memberships));
	if (s->user)
		user_leave(g, s);
	TAILQ_REMOVE(s->is_pinged ? &g->pinged : &g->idle, s, idle);
	if (s->is_waiting_join)
		TAILQ_REMOVE(&g->unjoined, s, waiting);
	else if (s->is_blocked)
		TAILQ_REMOVE(&g->blocked, s, waiting);
	if (s->is_touched)
		TAILQ_REMOVE(&g->touched, s, touched);
	table_remove(&g->sessions, str_of((const char *)&s->number, sizeof s->number));
	mem_free(s);
	g->stats.sessions--;
}

void session_close(struct gateway *g, struct session *s, enum close_code code)
{
	put_op(g, s, CLIENT_CLOSE, (uint16_t)code);
	s->is_closing = true;
}

void gateway_heard(struct gateway *g, uint64_t now_ms, struct session *s)
{
	TAILQ_REMOVE(s->is_pinged ? &g->pinged : &g->idle, s, idle);
	s->is_pinged = false;
	s->idle_ms = now_ms;
	TAILQ_INSERT_TAIL(&g->idle, s, idle);
}

void session_touch(struct gateway *g, struct session *s)
{
	if (s->is_touched)
		return;
	s->is_touched = true;
	TAILQ_INSERT_TAIL(&g->touched, s, touched);
}

void gateway_blocked(struct gateway *g, uint64_t now_ms, struct session *s)
{
	if (s->is_blocked)
		return;
	s->is_blocked = true;
	g->stats.blocked_total++;
	if (s->is_waiting_join) { /* it has not even joined: the shorter of the two waits is over
				     first */
		TAILQ_REMOVE(&g->unjoined, s, waiting);
		s->is_waiting_join = false;
	}
	s->since_ms = now_ms;
	TAILQ_INSERT_TAIL(&g->blocked, s, waiting);
	session_touch(g, s);
}

void gateway_writable(struct gateway *g, uint64_t now_ms, struct session *s,
		      struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	if (!s->is_blocked)
		return;
	s->is_blocked = false;
	TAILQ_REMOVE(&g->blocked, s, waiting);
	session_touch(g, s);
}

void session_in_flight(struct gateway *g, struct session *s, int change)
{
	CHECK(change > 0 || s->in_flight > 0);
	s->in_flight += (uint32_t)change;
	if ((s->in_flight >= IN_FLIGHT_MAX) != s->is_paused)
		session_touch(g, s);
}

/* Reads no more from a client that does not read, or that has asked for much at once. */
static void update_pause(struct gateway *g, struct session *s)
{
	bool should_pause = s->is_blocked || s->in_flight >= IN_FLIGHT_MAX;
	if (should_pause == s->is_paused || s->is_closing)
		return;
	s->is_paused = should_pause;
	put_op(g, s, should_pause ? CLIENT_PAUSE : CLIENT_RESUME, 0);
}

static void update_touched(struct gateway *g)
{
	struct session *s;
	while ((s = TAILQ_FIRST(&g->touched)) != NULL) {
		TAILQ_REMOVE(&g->touched, s, touched);
		s->is_touched = false;
		update_pause(g, s);
		struct membership *m;
		TAILQ_FOREACH (m, &s->memberships, of_session)
			if (m->is_live)
				deliver_membership(g, m);
	}
}

bool gateway_flush(struct gateway *g, uint64_t now_ms, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	announce_flush(g);
	/* Only what is dirty now: a reader far behind makes its room dirty again, for the next
	 * turn. */
	struct view *last = TAILQ_LAST(&g->dirty, view_list);
	struct view *v;
	while (last && (v = TAILQ_FIRST(&g->dirty)) != NULL) {
		TAILQ_REMOVE(&g->dirty, v, dirty_entry);
		v->is_dirty = false;
		deliver_view(g, v);
		if (v == last)
			break;
	}
	update_touched(g);
	return !TAILQ_EMPTY(&g->dirty);
}

void session_tick(struct gateway *g)
{
	const struct gateway_options *o = &g->options;
	struct session *s;
	while ((s = TAILQ_FIRST(&g->pinged)) != NULL && s->idle_ms + o->pong_ms <= g->now_ms) {
		session_close(g, s, CLOSE_SILENT);
		gateway_heard(g, g->now_ms, s); /* the close is its last chance to say something */
	}
	while ((s = TAILQ_FIRST(&g->idle)) != NULL && s->idle_ms + o->ping_ms <= g->now_ms) {
		put_op(g, s, CLIENT_PING, 0);
		TAILQ_REMOVE(&g->idle, s, idle);
		s->is_pinged = true;
		s->idle_ms = g->now_ms;
		TAILQ_INSERT_TAIL(&g->pinged, s, idle);
	}
	while ((s = TAILQ_FIRST(&g->unjoined)) != NULL && s->since_ms + o->join_ms <= g->now_ms) {
		TAILQ_REMOVE(&g->unjoined, s, waiting);
		s->is_waiting_join = false;
		if (!s->is_greeted)
			session_close(g, s, CLOSE_NO_JOIN);
	}
	while ((s = TAILQ_FIRST(&g->blocked)) != NULL && s->since_ms + o->stall_ms <= g->now_ms) {
		TAILQ_REMOVE(&g->blocked, s, waiting);
		s->since_ms = g->now_ms;
		TAILQ_INSERT_TAIL(&g->blocked, s, waiting);
		g->stats.stalled_total++;
		session_close(g, s, CLOSE_STALLED);
	}
}
