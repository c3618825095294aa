// SPDX-License-Identifier: MIT
/* session.h — a client's connection: what it is owed, whether it takes more, its end. Not here:
 * what it asks (client.h). */
#ifndef PARLOR_GATEWAY_CORE_SESSION_H
#define PARLOR_GATEWAY_CORE_SESSION_H

#include "gateway/core/state.h"

/* Begins the session's turn: what it was given before is gone, unless the shell said otherwise. */
static inline void session_begin_turn(const struct gateway *g, struct session *s)
{
	if (s->turn == g->turn)
		return;
	s->turn = g->turn;
	s->worked = 0;
	if (!s->backlog || !s->backlog->input.len) /* what is left of a frame is one frame */
		s->unnamed = 0;
	if (!s->is_blocked)
		s->owed = 0;
}

/* Counts what the shell is given for it, or must be kept for it. */
static inline void session_owe(struct gateway *g, struct session *s, size_t bytes)
{
	session_begin_turn(g, s);
	s->owed += (uint32_t)bytes;
	if (s->is_blocked)
		g->stats.owed_bytes += bytes;
}

/* Has the shell do something with the connection. */
void session_op(struct gateway *g, struct session *s, enum client_op_kind kind, uint16_t code);
void session_leave_blocked(struct gateway *g, struct session *s);
struct session *session_find(struct gateway *g, uint64_t number);
void session_touch(struct gateway *g, struct session *s); /* look at it at the end of the turn */

/* Whether it takes what can be given later as well (messages, lists, pages, greetings). If not, it
 * is looked at again when it may. Asked for each message and reader. */
static inline bool session_takes(struct gateway *g, struct session *s)
{
	if (s->is_blocked || s->is_closing)
		return false;
	session_begin_turn(g, s);
	if (s->owed < g->options.session_bytes)
		return true;
	session_touch(g, s); /* perhaps the socket takes all of it */
	return false;
}

void session_close(struct gateway *g, struct session *s, enum close_code code);
void session_in_flight(struct gateway *g, struct session *s, int change);
struct membership *session_membership(const struct session *s, struct str room);
void session_tick(struct gateway *g);

#endif
