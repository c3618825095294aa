// SPDX-License-Identifier: MIT
/* on_room.c — userJoin, userLeave, userTyping: what a client does in rooms, messages aside. */
#include "gateway/core/session.h"
#include "gateway/core/user.h"
#include "gateway/core/join.h"
#include "gateway/core/client.h"
#include "gateway/core/view.h"

#include <nettle/sha2.h>

enum { KEY_BYTES_MIN = 16, KEY_BYTES_MAX = 64, DIGEST_BYTES = 20 };

/* The guest key leaves the gateway only as a digest, in hexadecimal. */
static struct str key_digest(struct client_event *e, struct str key)
{
	static const char hex[] = "0123456789abcdef";
	struct sha256_ctx ctx;
	uint8_t digest[SHA256_DIGEST_SIZE];
	if (key.len == 0)
		return key;
	sha256_init(&ctx);
	sha256_update(&ctx, key.len, (const uint8_t *)key.ptr);
	sha256_digest(&ctx, sizeof digest, digest);
	char *text = arena_alloc(e->arena, (size_t)2 * DIGEST_BYTES);
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		text[2 * i] = hex[digest[i] >> 4];
		text[2 * i + 1] = hex[digest[i] & 15];
	}
	return str_of(text, (size_t)2 * DIGEST_BYTES);
}

void on_userJoin(struct gateway *g, struct session *s, struct client_event *e)
{
	struct str user = field_user(e, "username");
	struct str room = field_room(e, "room");
	struct str key = field_text(e, "key", KEY_BYTES_MAX, true);
	struct join_wish wish = {.reply = REPLY_ACK, .has_id = e->has_id, .id = e->id};
	wish.has_since = field_number(e, "since", &wish.since);
	field_number(e, "epoch", &wish.epoch);
	if (key.len && key.len < KEY_BYTES_MIN)
		client_event_fail(e, ERR_BAD_FIELD, "key: must have %d to %d bytes", KEY_BYTES_MIN,
				  KEY_BYTES_MAX);
	if (g->options.guest_keys_required && !key.len && !s->user)
		client_event_fail(e, ERR_BAD_FIELD, "key: is required here");
	if (e->error != ERR_OK)
		return;
	struct membership *m = session_membership(s, room);
	if (!m && s->membership_count >= g->options.rooms_max) {
		client_event_fail(e, ERR_BAD_FIELD,
				  "room: a connection may be in %" PRIu64 " rooms",
				  g->options.rooms_max);
		return;
	}
	struct user *refused;
	enum err entered = user_enter(g, s, user, key_digest(e, key), &refused);
	if (refused)
		join_user_refused(g, refused, ERR_UNAVAILABLE);
	if (entered != ERR_OK) {
		client_event_fail(e, entered, "%s", err_text(entered));
		return;
	}
	join_start(g, s, room, &wish);
}

void on_userLeave(struct gateway *g, struct session *s, struct client_event *e)
{
	struct str room = field_room(e, "room");
	struct membership *m = client_membership(s, e, room);
	if (!m)
		return;
	/* Acks of own messages that others stand before follow it: they say that the message is
	 * stored, and no longer that what stands before it has come. */
	client_ack_room(g, s, e, room);
	membership_end(g, m);
}

void on_userTyping(struct gateway *g, struct session *s, struct client_event *e)
{
	struct str room = field_room(e, "room");
	struct membership *m = client_membership(s, e, room);
	if (!m)
		return;
	if (m->typed_ms == 0 || g->now_ms >= m->typed_ms + TYPING_INTERVAL_MS) {
		m->typed_ms = g->now_ms;
		bus_put_typing(&g->out->roomd[m->view->roomd],
			       &(struct ev_typing){.room = room, .user = s->user->name});
	}
	client_ack_room(g, s, e, room);
}
