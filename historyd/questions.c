// SPDX-License-Identifier: MIT
/* questions.c — what roomd asks: whose a room is, and invitations. Each question has one answer,
 * and in case the turn's commit fails another, which says so. Next: pages.c. */
#include "historyd/state.h"

static enum err find_inbox(struct mail *m, struct str user2, struct inbox **inbox)
{
	return mail_owns(m, user2) ? inboxes_find(&m->h->inboxes, user2, inbox) : ERR_UNAVAILABLE;
}

void on_room_ask(struct mail *m, const struct ev_room_ask *in)
{
	CHECK(m->answer);
	struct ev_room_facts ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_room_facts(&m->answer->unavailable, &ev);
	struct room_log *log;
	enum err status = mail_find_log(m, in->room, &log);
	ev.status = status;
	if (status == ERR_OK) {
		ev.owner = room_log_name(log, LOG_OWNER);
		ev.guest = room_log_name(log, LOG_GUEST);
	}
	bus_put_room_facts(&m->answer->answer.events, &ev);
}

static enum err make_private(struct mail *m, const struct ev_private_put *in)
{
	struct room_log *log;
	if (!m->h->is_writable)
		return ERR_UNAVAILABLE;
	if (in->user.len == 0 || in->user2.len == 0)
		return ERR_BAD_FIELD;
	enum err e = mail_find_log(m, in->room, &log);
	if (e != ERR_OK)
		return e;
	return room_log_make_private(&m->h->logs, log, in->user, in->user2);
}

void on_private_put(struct mail *m, const struct ev_private_put *in)
{
	CHECK(m->answer);
	struct ev_private_done ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_private_done(&m->answer->unavailable, &ev);
	ev.status = make_private(m, in);
	bus_put_private_done(&m->answer->answer.events, &ev);
}

void on_invites_ask(struct mail *m, const struct ev_invites_ask *in)
{
	CHECK(m->answer);
	struct ev_invites ev = {.req = in->req, .user2 = in->user2, .status = ERR_UNAVAILABLE};
	bus_put_invites(&m->answer->unavailable, &ev);
	struct inbox *inbox;
	enum err status = find_inbox(m, in->user2, &inbox);
	ev.status = status;
	buf_reset(&m->h->scratch);
	if (status == ERR_OK)
		ev.pending = inbox_list(inbox, &m->h->scratch);
	bus_put_invites(&m->answer->answer.events, &ev);
}

static enum err put_invite(struct mail *m, const struct ev_invite_put *in)
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

static void answer_invite(struct mail *m, struct ev_invite_done ev, enum err status)
{
	CHECK(m->answer);
	ev.status = ERR_UNAVAILABLE;
	bus_put_invite_done(&m->answer->unavailable, &ev);
	ev.status = status;
	bus_put_invite_done(&m->answer->answer.events, &ev);
}

void on_invite_put(struct mail *m, const struct ev_invite_put *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	answer_invite(m, ev, put_invite(m, in));
}

void on_invite_drop(struct mail *m, const struct ev_invite_drop *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	enum err status = ERR_UNAVAILABLE;
	struct inbox *inbox;
	if (m->h->is_writable)
		status = find_inbox(m, in->user2, &inbox);
	if (status == ERR_OK)
		inbox_drop(&m->h->inboxes, inbox, in->room);
	answer_invite(m, ev, status);
}
