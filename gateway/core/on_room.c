// SPDX-License-Identifier: MIT
/* on_room.c — userJoin, userLeave, userTyping: what a client does in rooms, messages aside. */
#include "gateway/core/bearer.h"
#include "gateway/core/name.h"
#include "gateway/core/session.h"
#include "gateway/core/user.h"
#include "gateway/core/join.h"
#include "gateway/core/client.h"
#include "gateway/core/view.h"

#include <nettle/sha2.h>

enum { DIGEST_BYTES = 20 };

/* The guest key leaves the gateway only as a digest, in hexadecimal. */
static struct str key_digest(struct arena *arena, struct str key)
{
	static const char hex[] = "0123456789abcdef";
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	if (key.len == 0)
		return key;
	sha256_init(&ctx);
	sha256_update(&ctx, key.len, (const uint8_t *)key.ptr);
	sha256_digest(&ctx, sizeof digest, digest);
	char *text = arena_alloc(arena, (size_t)2 * DIGEST_BYTES);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	return str_of(text, (size_t)2 * DIGEST_BYTES);
}

/* A token that gives a name may give any. */
static bool is_reserved(const struct gateway *g, const struct session *s,
			const struct in_userJoin *in)
{
	bool is_given = s->bearer && s->bearer->claims.name.len;
	for (size_t i = 0; !is_given && i < g->options.reserved_count; i++)
		if (name_looks_like(in->event->arena, g->options.reserved[i], in->username))
			return true;
	return false;
}

void on_userJoin(struct gateway *g, struct session *s, const struct in_userJoin *in)
{
	struct client_event *e = in->event;
	if (!bearer_may_join(g, s, e, in->username, in->room))
		return;
	if (g->options.guest_keys_required && !in->key.len && !s->user && !s->bearer) {
		client_event_fail(e, ERR_BAD_FIELD, "key: is required here");
		return;
	}
	if (!s->user && is_reserved(g, s, in)) {
		client_event_fail(e, ERR_NAME_TAKEN, "the name is reserved");
		return;
	}
	struct membership *m = session_membership(s, in->room);
	if (!m && s->membership_count >= g->options.rooms_max) {
		client_event_fail(e, ERR_BAD_FIELD,
				  "room: a connection may be in %" PRIu64 " rooms",
				  g->options.rooms_max);
		return;
	}
	struct str identity =
		s->bearer ? s->bearer->claims.identity : key_digest(e->arena, in->key);
	struct user *refused;
	enum err entered = user_enter(g, s, in->username, identity, &refused);
	if (refused)
		join_user_rejected(g, refused, ERR_UNAVAILABLE);
	if (entered != ERR_OK) {
		client_event_fail(e, entered, "%s", err_text(entered));
		return;
	}
	join_start(g, s, in->room,
		   &(struct join_params){.reply = REPLY_ACK,
					 .has_id = e->has_id,
					 .id = e->id,
					 .has_since = in->has_since,
					 .since = in->since,
					 .epoch = in->epoch});
}

void on_userLeave(struct gateway *g, struct session *s, const struct in_userLeave *in)
{
	/* Acks of own messages that others stand before follow it: they say that the message is
	 * stored, and no longer that what stands before it has come. */
	client_ack_room(g, s, in->event, in->room);
	membership_end(g, in->member);
}

void on_userTyping(struct gateway *g, struct session *s, const struct in_userTyping *in)
{
	struct membership *m = in->member;
	if (m->typed_ms == 0 || g->now_ms >= m->typed_ms + TYPING_INTERVAL_MS) {
		m->typed_ms = g->now_ms;
		bus_put_typing(&g->out->roomd[m->view->roomd],
			       &(struct ev_typing){.room = in->room, .user = s->user->name});
	}
	client_ack_room(g, s, in->event, in->room);
}
