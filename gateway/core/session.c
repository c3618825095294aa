// SPDX-License-Identifier: MIT
/* session.c — one client connection: its life, its silence, what it is owed. Not here: what it asks
 * for (client.c). */
#include "gateway/core/session.h"
#include "gateway/core/backlog.h"
#include "gateway/core/frame.h"

enum { LOOKS_A_STALL = 8 };

void session_op(struct gateway *g, struct session *s, enum client_op_kind kind, uint16_t code)
{
	frame_send(g, s, (struct str){0});
	if (s->is_closing)
		return;
	struct client_op *op = &g->out->ops[g->out->op_count - 1];
	op->kind = kind;
	op->code = code;
}

void session_leave_blocked(struct gateway *g, struct session *s)
{
	CHECK(s->is_blocked && g->stats.owed_bytes >= s->owed);
	s->is_blocked = false;
	g->stats.owed_bytes -= s->owed;
	TAILQ_REMOVE(&g->blocked, s, waiting);
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

static const enum close_code close_codes[CLOSE_KINDS] = {
	CLOSE_GOING_AWAY, CLOSE_PROTOCOL, CLOSE_POLICY, CLOSE_TOO_LARGE,
	CLOSE_NO_JOIN,    CLOSE_SILENT,   CLOSE_TOKEN,  CLOSE_STALLED,
};

const char *gateway_close_name(size_t kind)
{
	static const char *const names[CLOSE_KINDS] = {"1001", "1002", "1008", "1009",
						       "4001", "4002", "4003", "4008"};
	return names[kind];
}

void gateway_count_close(struct gateway *g, enum close_code code)
{
	for (size_t i = 0; i < CLOSE_KINDS; i++)
		g->stats.closed_by_code[i] += close_codes[i] == code;
}

void session_close(struct gateway *g, struct session *s, enum close_code code)
{
	gateway_count_close(g, code);
	session_op(g, s, CLIENT_CLOSE, (uint16_t)code);
	s->is_closing = true;
}

void gateway_on_activity(struct gateway *g, uint64_t now_ms, struct session *s)
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
	/* What it was given in the turn that has just ended is what the socket did not take. */
	uint32_t owed = g->turn - s->turn <= 1 ? s->owed : 0;
	session_begin_turn(g, s);
	s->owed = owed;
	s->is_blocked = true;
	g->stats.owed_bytes += owed;
	g->stats.blocked_total++;
	if (s->is_waiting_join) { /* until it takes something again, it is this that counts */
		TAILQ_REMOVE(&g->unjoined, s, waiting);
		s->is_waiting_join = false;
		s->connected_ms = (uint32_t)s->since_ms;
	}
	if (TAILQ_EMPTY(&g->blocked))
		g->look_ms = now_ms + g->options.stall_ms / LOOKS_A_STALL;
	s->since_ms = now_ms;
	TAILQ_INSERT_TAIL(&g->blocked, s, waiting);
	session_touch(g, s);
}

/* Back to those that have not joined; there are few that have waited for longer. */
static void wait_for_join(struct gateway *g, struct session *s)
{
	CHECK(!s->is_blocked && !s->is_waiting_join); /* it stands in one list at a time */
	s->since_ms = g->now_ms - (uint32_t)((uint32_t)g->now_ms - s->connected_ms);
	s->is_waiting_join = true;
	struct session *later = TAILQ_FIRST(&g->unjoined);
	while (later && later->since_ms <= s->since_ms)
		later = TAILQ_NEXT(later, waiting);
	if (later)
		TAILQ_INSERT_BEFORE(later, s, waiting);
	else
		TAILQ_INSERT_TAIL(&g->unjoined, s, waiting);
}

void gateway_writable(struct gateway *g, uint64_t now_ms, struct session *s,
		      struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	if (!s->is_blocked)
		return;
	session_leave_blocked(g, s);
	s->owed = 0;
	if (s->backlog)
		s->backlog->taken_ms = now_ms;
	if (!s->is_greeted && !s->is_closing)
		wait_for_join(g, s);
	session_touch(g, s);
}

void gateway_progress(struct gateway *g, uint64_t now_ms, struct session *s)
{
	gateway_on_activity(g, now_ms, s);
	if (!s->is_blocked)
		return;
	s->since_ms = now_ms;
	TAILQ_REMOVE(&g->blocked, s, waiting);
	TAILQ_INSERT_TAIL(&g->blocked, s, waiting);
}

bool gateway_is_full(struct gateway *g)
{
	if (g->stats.owed_bytes < g->options.sessions_bytes && !gateway_has_twin(g))
		return false;
	g->stats.newcomers_refused_total++;
	return true;
}

void session_in_flight(struct gateway *g, struct session *s, int change)
{
	CHECK(change > 0 || s->in_flight > 0);
	s->in_flight = (uint16_t)(s->in_flight + change);
	if (backlog_has_input(s) || (s->in_flight >= g->options.in_flight_max) != s->is_paused)
		session_touch(g, s);
}

/* Asks whether the blocked have taken anything. */
static void look_at_blocked(struct gateway *g)
{
	struct session *s;
	if (g->look_ms > g->now_ms)
		return;
	g->look_ms = g->now_ms + g->options.stall_ms / LOOKS_A_STALL;
	TAILQ_FOREACH (s, &g->blocked, waiting)
		session_op(g, s, CLIENT_LOOK, 0);
}

void session_tick(struct gateway *g)
{
	const struct gateway_options *o = &g->options;
	struct session *s;
	while ((s = TAILQ_FIRST(&g->pinged)) != NULL && s->idle_ms + o->pong_ms <= g->now_ms) {
		session_close(g, s, CLOSE_SILENT);
		gateway_on_activity(g, g->now_ms,
				    s); /* the close is its last chance to say something */
	}
	while ((s = TAILQ_FIRST(&g->idle)) != NULL && s->idle_ms + o->ping_ms <= g->now_ms) {
		session_op(g, s, CLIENT_PING, 0);
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
	look_at_blocked(g);
	while ((s = TAILQ_FIRST(&g->blocked)) != NULL && s->since_ms + o->stall_ms <= g->now_ms) {
		TAILQ_REMOVE(&g->blocked, s, waiting);
		s->since_ms = g->now_ms;
		TAILQ_INSERT_TAIL(&g->blocked, s, waiting);
		g->stats.stalled_total++;
		session_close(g, s, CLOSE_STALLED);
	}
}
