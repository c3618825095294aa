// SPDX-License-Identifier: MIT
/* requests.c — what roomd asks: whose a room is, and invitations. Each request has one answer,
 * and in case the turn's commit fails another, which says so. Next: pages.c. */
#include "historyd/state.h"

static enum err find_inbox(struct message *m, struct str user2, struct inbox **inbox)
{
	return message_owns(m, user2) ? inboxes_find(&m->h->inboxes, user2, inbox)
				      : ERR_UNAVAILABLE;
}

void on_room_ask(struct message *m, const struct ev_room_ask *in)
{
	CHECK(m->response);
	struct ev_room_facts ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_room_facts(&m->response->unavailable, &ev);
	struct room_log *log;
	enum err status = message_find_log(m, in->room, &log);
	ev.status = status;
	if (status == ERR_OK) {
		ev.owner = room_log_name(log, LOG_OWNER);
		ev.guest = room_log_name(log, LOG_GUEST);
	}
	bus_put_room_facts(&m->response->response.events, &ev);
}

static enum err make_private(struct message *m, const struct ev_private_put *in)
{
	struct room_log *log;
	if (!m->h->is_writable)
		return ERR_UNAVAILABLE;
	if (in->user.len == 0 || in->user2.len == 0)
		return ERR_BAD_FIELD;
	enum err e = message_find_log(m, in->room, &log);
	if (e != ERR_OK)
		return e;
	return room_log_make_private(&m->h->logs, log, in->user, in->user2);
}

void on_private_put(struct message *m, const struct ev_private_put *in)
{
	CHECK(m->response);
	struct ev_private_done ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_private_done(&m->response->unavailable, &ev);
	ev.status = make_private(m, in);
	bus_put_private_done(&m->response->response.events, &ev);
}

void on_invites_ask(struct message *m, const struct ev_invites_ask *in)
{
	CHECK(m->response);
	struct ev_invites ev = {.req = in->req, .user2 = in->user2, .status = ERR_UNAVAILABLE};
	bus_put_invites(&m->response->unavailable, &ev);
	struct inbox *inbox;
	enum err status = find_inbox(m, in->user2, &inbox);
	ev.status = status;
	buf_reset(&m->h->scratch);
	if (status == ERR_OK)
		ev.pending = inbox_list(inbox, &m->h->scratch);
	bus_put_invites(&m->response->response.events, &ev);
}

static enum err put_invite(struct message *m, const struct ev_invite_put *in)
{
	struct inbox *inbox;
	if (!m->h->is_writable)
		return ERR_UNAVAILABLE;
	if (in->room.len == 0 || in->user.len == 0 || in->user2.len == 0)
		return ERR_BAD_FIELD;
	enum err e = find_inbox(m, in->user2, &inbox);
	if (e != ERR_OK)
		return e;
	const struct rec_invitation invitation = {.room = in->room, .user = in->user};
	return inbox_put(&m->h->inboxes, inbox, &invitation);
}

static void respond_invite(struct message *m, struct ev_invite_done ev, enum err status)
{
	CHECK(m->response);
	ev.status = ERR_UNAVAILABLE;
	bus_put_invite_done(&m->response->unavailable, &ev);
	ev.status = status;
	bus_put_invite_done(&m->response->response.events, &ev);
}

void on_invite_put(struct message *m, const struct ev_invite_put *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	respond_invite(m, ev, put_invite(m, in));
}

void on_invite_drop(struct message *m, const struct ev_invite_drop *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	enum err status = ERR_UNAVAILABLE;
	struct inbox *inbox;
	if (m->h->is_writable)
		status = find_inbox(m, in->user2, &inbox);
	if (status == ERR_OK)
		inbox_drop(&m->h->inboxes, inbox, in->room);
	respond_invite(m, ev, status);
}
