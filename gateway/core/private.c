// SPDX-License-Identifier: MIT
/* private.c — newRoom: roomd makes the room private (historyd has stored that when it answers), the
 * inviter joins it, the invitation is kept and delivered, and the client gets its ack. Each step
 * can be repeated; the client's time limit covers all of them. */
#include "gateway/core/bearer.h"
#include "gateway/core/session.h"
#include "gateway/core/join.h"
#include "gateway/core/handlers.h"
#include "gateway/core/backlog.h"
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "gateway/core/request.h"
#include "proto/shard.h"

static bool has_capacity_left(const struct gateway *g, const struct session *s)
{
	return s->membership_count < g->options.rooms_max;
}

void on_newRoom(struct gateway *g, struct session *s, const struct in_newRoom *in)
{
	struct client_event *e = in->event;
	if (!s->user || !s->user->is_held)
		client_event_fail(e, ERR_NOT_JOINED, "join a room before you invite to another");
	else if (str_equal(in->username2, s->user->name))
		client_event_fail(e, ERR_BAD_FIELD, "username2: must be somebody else");
	else if (!session_membership(s, in->room) && !has_capacity_left(g, s))
		client_event_fail(e, ERR_BAD_FIELD,
				  "room: a connection may be in %" PRIu64 " rooms",
				  g->options.rooms_max);
	if (e->error != ERR_OK)
		return;
	CHECK(s->user);
	if (!bearer_may_join(g, s, e, s->user->name, in->room))
		return;
	struct request *r =
		request_start(g, &(struct request_params){
					 .kind = REQUEST_PRIVATE,
					 .shard = shard_of(in->room, g->options.roomd_shards),
					 .session = s,
					 .has_id = e->has_id,
					 .id = e->id,
					 .room = in->room,
					 .user = s->user->name,
					 .user2 = in->username2,
				 });
	backlog_private(g, s, r);
}

static void send_status(struct gateway *g, struct session *s, bool has_id, uint64_t id,
			const char *status)
{
	if (!has_id)
		return;
	buf_printf(frame_begin_ack(g, s, id), "{\"status\":\"%s\"}", status);
	frame_end_ack(g, s);
}

static void invite(struct gateway *g, struct session *s, struct str room, bool has_id, uint64_t id,
		   struct str user2)
{
	request_start(g, &(struct request_params){
				 .kind = REQUEST_INVITE,
				 .shard = shard_of(user2, g->options.roomd_shards),
				 .session = s,
				 .has_id = has_id,
				 .id = id,
				 .room = room,
				 .user = s->user->name,
				 .user2 = user2,
			 });
}

static void be_late(struct gateway *g, uint64_t give_up_ms)
{
	uint64_t remaining_ms = give_up_ms > g->now_ms ? give_up_ms - g->now_ms : 0;
	g->late_ms = remaining_ms < GIVE_UP_MS ? GIVE_UP_MS - remaining_ms : 0;
}

/* The inviter is in the room now. */
static void on_joined(struct gateway *g, struct membership *m)
{
	const struct join_params *params = &m->joining->params;
	uint64_t late_ms = g->late_ms;
	CHECK(params->reply == REPLY_INVITE && m->session->user->is_held);
	be_late(g, m->joining->deadline_ms);
	if (params->is_already_in)
		send_status(g, m->session, params->has_id, params->id, "alreadyIn");
	else
		invite(g, m->session, m->view->room, params->has_id, params->id, params->invited);
	g->late_ms = late_ms;
}

/* The room is made; the client joins it, or is in it. */
static void go_on(struct gateway *g, struct session *s, const struct request *r, bool is_already_in)
{
	const struct membership *m = session_membership(s, r->room);
	if (m && !m->is_live && !m->was_live)
		frame_send_error(g, s, r->has_id, r->id, ERR_UNAVAILABLE,
				 "a join of this room is under way");
	else if (m && is_already_in)
		send_status(g, s, r->has_id, r->id, "alreadyIn");
	else if (m)
		invite(g, s, r->room, r->has_id, r->id, r->user2);
	else if (!has_capacity_left(g, s)) /* it has joined others meanwhile */
		frame_send_error(g, s, r->has_id, r->id, ERR_BAD_FIELD,
				 "room: the connection is in too many rooms");
	else if (s->bearer && !room_patterns_allow(&s->bearer->claims.join, r->room))
		frame_send_error(g, s, r->has_id, r->id, ERR_FORBIDDEN,
				 "the token is for other rooms");
	else
		join_start(g, s, r->room,
			   &(struct join_params){.reply = REPLY_INVITE,
						 .then = on_joined,
						 .has_id = r->has_id,
						 .id = r->id,
						 .is_already_in = is_already_in,
						 .invited = r->user2});
}

void on_private_answer(struct gateway *g, const struct ev_private_answer *ev)
{
	struct request *r = request_find(g, ev->req);
	if (ev->gateway != g->options.id || !r || r->kind != REQUEST_PRIVATE)
		return;
	struct session *s = session_find(g, r->session);
	enum err status = err_from_wire(ev->status);
	be_late(g, r->asked_ms + GIVE_UP_MS);
	if (status != ERR_OK && status != ERR_ALREADY_IN)
		join_reject(g, r, status);
	else if (s)
		go_on(g, s, r, status == ERR_ALREADY_IN);
	g->late_ms = 0;
	if (s)
		backlog_private_over(g, s, r);
	request_end(g, r);
}

void on_invite_answer(struct gateway *g, const struct ev_invite_answer *ev)
{
	struct request *r = request_find(g, ev->req);
	if (ev->gateway != g->options.id || !r || r->kind != REQUEST_INVITE)
		return;
	struct session *s = session_find(g, r->session);
	enum err status = err_from_wire(ev->status);
	if (s && status == ERR_OK)
		send_status(g, s, r->has_id, r->id, "invited");
	else
		join_reject(g, r, status);
	request_end(g, r);
}
