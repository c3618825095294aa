// SPDX-License-Identifier: MIT
/* sio.c — see shell/sio.h. */
#include "gateway/shell/sio.h"

#include <jansson.h>
#include <stdlib.h>

enum { CONNECT_MS = 45000 };

struct sio_end {
	struct client_end end; /* what the core knows as `conn` */
	TAILQ_ENTRY(sio_end) entry;
	struct sio_chat *chat;
	/* Not the sio_client between the two: each delivery would have to touch it. */
	struct eio_session *transport; /* NULL: left */
	struct session *session;
};

static bool is_open(struct client_end *end)
{
	return CONTAINER_OF(end, struct sio_end, end)->transport != NULL;
}

static void send_frames(struct client_end *end, struct str frames, uint64_t now_ms)
{
	const struct sio_end *e = CONTAINER_OF(end, struct sio_end, end);
	sio_now(&e->chat->sio, now_ms);
	eio_send(e->transport, frames);
}

static void set_pause(struct client_end *end, bool is_paused)
{
	eio_pause(CONTAINER_OF(end, struct sio_end, end)->transport, is_paused);
}

static void close_end(struct client_end *end, uint16_t code, uint64_t now_ms)
{
	const struct sio_end *e = CONTAINER_OF(end, struct sio_end, end);
	(void)code; /* Engine.IO has none; the client sees "transport close" and comes back */
	sio_now(&e->chat->sio, now_ms);
	eio_end(e->transport, now_ms);
}

static void look(struct client_end *end, uint64_t now_ms)
{
	const struct sio_end *e = CONTAINER_OF(end, struct sio_end, end);
	if (eio_has_taken(e->transport, now_ms))
		gateway_progress(e->chat->core, now_ms, e->session);
}

static const struct client_class class = {
	.is_open = is_open,
	.look = look,
	.send = send_frames,
	.pause = set_pause,
	.close = close_end,
};

/* `{"token":…}`; what else stands in it is for others. The text is in the arena. */
static struct str token_of(struct str auth, struct arena *arena)
{
	json_t *root = json_loadb(auth.ptr, auth.len, 0, NULL);
	const json_t *token = json_object_get(root, "token");
	struct str text = {0};
	if (json_is_string(token))
		text = arena_copy(arena,
				  str_of(json_string_value(token), json_string_length(token)));
	json_decref(root);
	return text;
}

static const char *admit(void *ctx, struct sio_client *c, size_t namespace, struct str auth,
			 struct str token)
{
	struct sio_chat *chat = ctx;
	(void)c, (void)namespace;
	chat->has_claims = false;
	if (!gateway_takes_tokens(chat->core))
		return NULL;
	arena_reset(&chat->arena);
	struct str in_auth = token_of(auth, &chat->arena);
	struct str shown = in_auth.len ? in_auth : token;
	chat->has_claims = shown.len > 0;
	return shown.len ? gateway_token_read(chat->core, shown, &chat->arena, &chat->claims)
			 : NULL;
}

static void on_connected(void *ctx, struct sio_client *c, size_t namespace, struct str auth)
{
	struct sio_chat *chat = ctx;
	struct sio_end *e = mem_alloc(sizeof *e);
	(void)namespace, (void)auth;
	e->end.class = &class;
	e->chat = chat;
	e->transport = c->session;
	c->user = e;
	e->session = gateway_connect(chat->core, chat->sio.now_ms, &e->end, WIRE_SOCKETIO, false);
	if (c->connected_count > 1)
		gateway_spend(chat->core, e->session);
	if (chat->has_claims)
		gateway_bear(chat->core, chat->sio.now_ms, e->session, &chat->claims);
}

static bool on_event(void *ctx, struct sio_client *c, const struct sio_event *ev)
{
	struct sio_chat *chat = ctx;
	const struct sio_end *e = c->user;
	char digits[32] = "";
	memcpy(digits, ev->id.ptr, ev->id.len < sizeof digits ? ev->id.len : 0);
	gateway_packet(chat->core, chat->sio.now_ms, e->session, ev->id.len > 0,
		       strtoull(digits, NULL, 10), ev->array, chat->out);
	return true; /* what is wrong with it is said, and it may go on */
}

static void on_activity(void *ctx, struct sio_client *c)
{
	struct sio_chat *chat = ctx;
	const struct sio_end *e = c->user;
	if (e)
		gateway_on_activity(chat->core, chat->sio.now_ms, e->session);
}

static void on_blocked(void *ctx, struct sio_client *c)
{
	struct sio_chat *chat = ctx;
	const struct sio_end *e = c->user;
	if (e)
		gateway_blocked(chat->core, chat->sio.now_ms, e->session);
}

static void on_writable(void *ctx, struct sio_client *c)
{
	struct sio_chat *chat = ctx;
	const struct sio_end *e = c->user;
	if (e)
		gateway_writable(chat->core, chat->sio.now_ms, e->session, chat->out);
}

static void on_detached(void *ctx, struct sio_client *c, size_t namespace)
{
	struct sio_chat *chat = ctx;
	struct sio_end *e = c->user;
	(void)namespace;
	c->user = NULL;
	e->transport = NULL;
	gateway_disconnect(chat->core, chat->sio.now_ms, e->session, chat->out);
	TAILQ_INSERT_TAIL(&chat->gone, e, entry);
}

static void on_closed(void *ctx, struct sio_client *c)
{
	(void)ctx, (void)c; /* it has left its namespace before */
}

static bool on_is_full(void *ctx)
{
	const struct sio_chat *chat = ctx;
	return gateway_is_full(chat->core);
}

void sio_chat_open(struct sio_chat *chat, struct eio *eio, uint64_t packet_max)
{
	TAILQ_INIT(&chat->gone);
	chat->sio.app = (struct sio_app){.admit = admit,
					 .connected = on_connected,
					 .event = on_event,
					 .on_activity = on_activity,
					 .blocked = on_blocked,
					 .writable = on_writable,
					 .on_detached = on_detached,
					 .closed = on_closed,
					 .is_full = on_is_full};
	chat->sio.app_ctx = chat;
	sio_open(&chat->sio, eio,
		 &(struct sio_options){.namespaces = {"/"},
				       .namespace_count = 1,
				       .connect_ms = CONNECT_MS,
				       .packet_max = packet_max});
}

void sio_chat_tidy(struct sio_chat *chat)
{
	struct sio_end *e;
	while ((e = TAILQ_FIRST(&chat->gone)) != NULL) {
		TAILQ_REMOVE(&chat->gone, e, entry);
		mem_free(e);
	}
}

void sio_chat_close(struct sio_chat *chat)
{
	sio_chat_tidy(chat);
	arena_free(&chat->arena);
}
