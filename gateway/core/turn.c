// SPDX-License-Identifier: MIT
/* turn.c — a client's connecting and disconnecting, and the end of a turn: everything that clients
 * should see now is sent. Not here: what clients ask (client.c), what is due by time (gateway.c).
 */
#include "gateway/core/announce.h"
#include "gateway/core/bearer.h"
#include "gateway/core/backlog.h"
#include "gateway/core/client.h"
#include "gateway/core/deliver.h"
#include "gateway/core/join.h"
#include "gateway/core/rate.h"
#include "gateway/core/session.h"
#include "gateway/core/user.h"

struct session *gateway_connect(struct gateway *g, uint64_t now_ms, void *conn, enum wire wire,
				bool is_batched)
{
	struct session *s = mem_alloc(sizeof *s);
	*s = (struct session){
		.number = ++g->last_session,
		.conn = conn,
		.turn = g->turn,
		.tokens_ms = (uint32_t)now_ms,
		.tokens_milli = (uint32_t)g->options.burst * 1000,
		.token_bytes = rate_burst_bytes(&g->options),
		.idle_ms = now_ms,
		.since_ms = now_ms,
		.wire = (uint8_t)wire,
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
	bearer_drop(g, s);
	backlog_free(g, s);
	TAILQ_REMOVE(s->is_pinged ? &g->pinged : &g->idle, s, idle);
	if (s->is_waiting_join)
		TAILQ_REMOVE(&g->unjoined, s, waiting);
	else if (s->is_blocked)
		session_leave_blocked(g, s);
	if (s->is_touched)
		TAILQ_REMOVE(&g->touched, s, touched);
	table_remove(&g->sessions, str_of((const char *)&s->number, sizeof s->number));
	mem_free(s);
	g->stats.sessions--;
}

/* ---- the end of a turn ---- */

/* Reads no more from a client whose answers pile up, or that has asked for much at once. */
static void update_pause(struct gateway *g, struct session *s)
{
	bool should_pause = backlog_is_long(s) || s->in_flight >= g->options.in_flight_max ||
			    (s->is_blocked && s->owed >= g->options.session_bytes);
	if (should_pause == s->is_paused || s->is_closing)
		return;
	s->is_paused = should_pause;
	session_op(g, s, should_pause ? CLIENT_PAUSE : CLIENT_RESUME, 0);
}

/* What could not be given before, the rooms by turns. */
static void give(struct gateway *g, struct session *s)
{
	for (uint32_t n = s->membership_count; n > 0 && session_takes(g, s); n--) {
		struct membership *m = TAILQ_FIRST(&s->memberships);
		TAILQ_REMOVE(&s->memberships, m, of_session);
		TAILQ_INSERT_TAIL(&s->memberships, m, of_session);
		if (m->is_live)
			deliver_membership(g, m);
		else
			join_advance(g, m);
	}
}

static void update_touched(struct gateway *g)
{
	/* Who is touched meanwhile has its next turn. */
	struct session_list now = TAILQ_HEAD_INITIALIZER(now);
	struct session *s;
	TAILQ_CONCAT(&now, &g->touched, touched);
	while ((s = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, s, touched);
		s->is_touched = false;
		give(g, s);
		if (s->backlog)
			backlog_ask_parked(g, s);
		if (client_may_go_on(g, s))
			session_touch(g, s);
		update_pause(g, s);
	}
}

/* Who knows another topology is told nothing: it might act on it. */
static void withhold_from_misfits(struct gateway *g)
{
	for (uint32_t i = 0; i < g->options.roomd_shards; i++)
		if (g->roomd[i].fault != TOPOLOGY_FITS)
			batch_reset(&g->out->roomd[i]);
	for (uint32_t i = 0; i < g->options.historyd_shards; i++) {
		if (g->historyd[i].fault == TOPOLOGY_FITS)
			continue;
		batch_reset(&g->out->historyd[i]);
		batch_reset(&g->out->read[i]);
	}
}

bool gateway_flush(struct gateway *g, uint64_t now_ms, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	/* First, because it may move what is delivered. */
	struct session *s;
	TAILQ_FOREACH (s, &g->touched, touched)
		if (backlog_has_input(s))
			client_go_on(g, s);
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
	withhold_from_misfits(g);
	g->turn++;
	return !TAILQ_EMPTY(&g->dirty) || !TAILQ_EMPTY(&g->touched);
}
