// SPDX-License-Identifier: MIT
/* private.c — newRoom: first roomd makes the room private (historyd has stored that when it
 * answers), then the inviter joins it, then the invitation is kept and delivered, then the client
 * gets its ack. Each step can be repeated. */
#include "gateway/client.h"
#include "gateway/frame.h"
#include "gateway/request.h"
#include "proto/shard.h"

void on_newRoom(struct gateway *g, struct session *s, struct client_event *e)
{
	struct str user2 = field_user(e, "username2");
	struct str room = field_room(e, "room");
	if (e->error == ERR_OK && (!s->user || !s->user->is_held))
		client_event_fail(e, ERR_NOT_JOINED, "join a room before you invite to another");
	if (e->error == ERR_OK && str_equal(user2, s->user->name))
		client_event_fail(e, ERR_BAD_FIELD, "username2: must be somebody else");
	struct membership *m = e->error == ERR_OK ? session_membership(s, room) : NULL;
	if (!m && e->error == ERR_OK && s->membership_count >= g->options.rooms_max)
		client_event_fail(e, ERR_BAD_FIELD,
				  "room: a connection may be in %" PRIu64 " rooms",
				  g->options.rooms_max);
	if (e->error != ERR_OK)
		return;
	request_start(g, &(struct request_wish){
				 .kind = REQUEST_PRIVATE,
				 .shard = shard_of(room, g->options.roomd_shards),
				 .session = s,
				 .has_id = e->has_id,
				 .id = e->id,
				 .room = room,
				 .user = s->user->name,
				 .user2 = user2,
			 });
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
	request_start(g, &(struct request_wish){
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

/* The inviter is in the room now. */
void private_joined(struct gateway *g, struct membership *m)
{
	const struct join_wish *wish = &m->joining->wish;
	if (wish->is_already_in)
		send_status(g, m->session, wish->has_id, wish->id, "alreadyIn");
	else
		invite(g, m->session, m->view->room, wish->has_id, wish->id, wish->invited);
}

void private_answered(struct gateway *g, const struct ev_private_answer *ev)
{
	struct request *r = request_find(g, ev->req);
	if (ev->gateway != g->options.id || !r || r->kind != REQUEST_PRIVATE)
		return;
	struct session *s = session_find(g, r->session);
	enum err status = err_from_wire(ev->status);
	bool is_already_in = status == ERR_ALREADY_IN;
	struct membership *m = s ? session_membership(s, r->room) : NULL;
	if (s && status != ERR_OK && !is_already_in) {
		frame_send_error(g, s, r->has_id, r->id, status, NULL);
	} else if (s && m && (m->is_live || m->was_live)) {
		if (is_already_in)
			send_status(g, s, r->has_id, r->id, "alreadyIn");
		else
			invite(g, s, r->room, r->has_id, r->id, r->user2);
	} else if (s && m) {
		frame_send_error(g, s, r->has_id, r->id, ERR_UNAVAILABLE,
				 "a join of this room is under way");
	} else if (s) {
		join_start(g, s, r->room,
			   &(struct join_wish){.reply = REPLY_INVITE,
					       .has_id = r->has_id,
					       .id = r->id,
					       .is_already_in = is_already_in,
					       .invited = r->user2});
	}
	request_end(g, r);
}

void private_invite_answered(struct gateway *g, const struct ev_invite_answer *ev)
{
	struct request *r = request_find(g, ev->req);
	if (ev->gateway != g->options.id || !r || r->kind != REQUEST_INVITE)
		return;
	struct session *s = session_find(g, r->session);
	enum err status = err_from_wire(ev->status);
	if (s && status == ERR_OK)
		send_status(g, s, r->has_id, r->id, "invited");
	else if (s)
		frame_send_error(g, s, r->has_id, r->id, status, NULL);
	request_end(g, r);
}
