// SPDX-License-Identifier: MIT
/* user.c — the users who have a connection here: claiming a name with roomd, one key after the
 * other, and invitations that wait for a greeting. Who else holds the name is roomd's to know. */
#include "gateway/core/handlers.h"
#include "gateway/core/user.h"
#include "gateway/core/frame.h"
#include "gateway/core/roster.h"
#include "gateway/core/request.h"
#include "proto/json_out.h"
#include "proto/shard.h"

#include <ctype.h>

struct user *user_find(const struct gateway *g, struct str name)
{
	return table_find(&g->users, name);
}

static uint32_t shard_of_user(const struct gateway *g, const struct user *u)
{
	return shard_of(u->name, g->options.roomd_shards);
}

/* ---- claiming a name ---- */

static void claim(struct gateway *g, struct user *u)
{
	CHECK(!u->claim && !u->is_held);
	table_add(&g->users, u);
	g->stats.users++;
	u->claim = request_start(g, &(struct request_params){
					    .kind = REQUEST_CLAIM,
					    .shard = shard_of_user(g, u),
					    .user = u->name,
					    .cid = u->key,
				    });
}

/* The last in line for the name, with this key. When too many wait already, returns the one who has
 * waited longest, who is to be refused: an owner who comes last is as likely as any other to be the
 * right one. */
static struct user *line_up(struct user *first, struct user *u)
{
	uint32_t waiting = 0;
	struct user *last = first;
	for (; last->next; last = last->next)
		waiting++;
	last->next = u;
	return waiting == NAME_LINE_MAX ? first->next : NULL;
}

static struct user *find_with_key(struct user *first, struct str key)
{
	struct user *u = first;
	while (u && !str_equal_secret(u->key, key))
		u = u->next;
	return u;
}

enum err user_enter(struct gateway *g, struct session *s, struct str name, struct str key,
		    struct user **refused)
{
	*refused = NULL;
	if (s->user)
		return str_equal(s->user->name, name) ? ERR_OK : ERR_USERNAME_MISMATCH;
	struct user *first = user_find(g, name);
	struct user *u = find_with_key(first, key);
	if (!u && first && first->is_held)
		return ERR_NAME_TAKEN;
	if (!u) {
		u = mem_alloc(offsetof(struct user, text) + name.len + key.len);
		u->name = str_put(u->text, name);
		u->key = str_put(u->text + name.len, key);
		TAILQ_INIT(&u->sessions);
		TAILQ_INIT(&u->invitations);
		if (first)
			*refused = line_up(first, u);
		else
			claim(g, u);
	}
	s->user = u;
	TAILQ_INSERT_TAIL(&u->sessions, s, of_user);
	return ERR_OK;
}

static void forget_invitation(struct user *u, struct invitation *i)
{
	TAILQ_REMOVE(&u->invitations, i, entry);
	str_free(&i->room);
	str_free(&i->from);
	mem_free(i);
}

/* The next in line is claimed. */
static void end_first(struct gateway *g, struct user *u)
{
	/* Also when the claim was not answered yet, or refused: one that was repeated may have been
	 * granted. */
	bus_put_release(&g->out->roomd[shard_of_user(g, u)], &(struct ev_release){.user = u->name});
	roster_remove(g, shard_of_user(g, u), REGISTERED_USER, &u->registration);
	if (u->claim)
		request_end(g, u->claim);
	while (!TAILQ_EMPTY(&u->invitations))
		forget_invitation(u, TAILQ_FIRST(&u->invitations));
	table_remove(&g->users, u->name);
	g->stats.users--;
	if (u->next)
		claim(g, u->next);
}

void user_leave(struct gateway *g, struct session *s)
{
	struct user *u = s->user;
	s->user = NULL;
	TAILQ_REMOVE(&u->sessions, s, of_user);
	if (!TAILQ_EMPTY(&u->sessions))
		return;
	struct user *before = user_find(g, u->name);
	if (before == u) {
		end_first(g, u);
	} else {
		while (before->next != u) {
			before = before->next;
			CHECK(before);
		}
		before->next = u->next;
	}
	mem_free(u);
}

/* ---- invitations ---- */

/* Percent-encodes what may not stand in a URL's query. */
static void put_url(struct buf *b, struct str room)
{
	BUF_LIT(b, "/?room=");
	for (size_t i = 0; i < room.len; i++) {
		unsigned char c = (unsigned char)room.ptr[i];
		if (isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~')
			buf_append(b, &room.ptr[i], 1);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static void send_invitation(struct gateway *g, struct session *s, const struct invitation *i)
{
	struct buf *b = frame_begin_event(g, s->wire, "newRoom", i->room);
	BUF_LIT(b, "{\"username\":");
	json_out_str(b, i->from);
	BUF_LIT(b, ",\"username2\":");
	json_out_str(b, s->user->name);
	BUF_LIT(b, ",\"room\":");
	json_out_str(b, i->room);
	BUF_LIT(b, ",\"url\":\"");
	put_url(b, i->room);
	BUF_LIT(b, "\"}");
	frame_end_event(g, s->wire);
	frame_send_json(g, s);
}

/* Shows what waits to the session, and tells roomd that it need not be kept any longer. */
void user_show_invitations(struct gateway *g, struct session *s)
{
	struct user *u = s->user;
	struct invitation *i;
	while ((i = TAILQ_FIRST(&u->invitations)) != NULL) {
		struct session *each;
		TAILQ_FOREACH (each, &u->sessions, of_user)
			if (each->is_greeted)
				send_invitation(g, each, i);
		bus_put_invite_seen(&g->out->roomd[shard_of_user(g, u)],
				    &(struct ev_invite_seen){.room = i->room, .user2 = u->name});
		forget_invitation(u, i);
	}
}

void on_invited(struct gateway *g, const struct ev_invited *ev)
{
	struct user *u = user_find(g, ev->user2);
	struct invitation *i;
	if (!u || !ev->room.len || !ev->user.len || str_equal(ev->user, ev->user2))
		return;
	TAILQ_FOREACH (i, &u->invitations, entry)
		if (str_equal(i->room, ev->room))
			return;
	i = mem_alloc(sizeof *i);
	i->room = str_copy(ev->room);
	i->from = str_copy(ev->user);
	TAILQ_INSERT_TAIL(&u->invitations, i, entry);
	struct session *s;
	TAILQ_FOREACH (s, &u->sessions, of_user) {
		if (s->is_greeted) {
			user_show_invitations(g, s);
			return;
		}
	}
}

/* ---- whose the name is ---- */

struct user *user_claim_answered(struct gateway *g, const struct ev_claim_answer *ev)
{
	struct user *u = user_find(g, ev->user);
	if (!u || u->is_held || !str_equal_secret(u->key, ev->key))
		return NULL;
	CHECK(u->claim);
	request_end(g, u->claim);
	u->claim = NULL;
	u->is_held = err_from_wire(ev->status) == ERR_OK;
	if (u->is_held)
		roster_add(g, shard_of_user(g, u), REGISTERED_USER, &u->registration);
	return u;
}
