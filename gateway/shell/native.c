// SPDX-License-Identifier: MIT
/* native.c — see shell/native.h. */
#include "gateway/shell/native.h"
#include "proto/shell/clock.h"

/* Not empty: libwebsockets says nothing of the pong to an empty ping. */
static const char ping_frame[] = {(char)0x89, 0x01, '.'};

struct native_conn {
	struct conn conn; /* first: it is the core's `conn` too */
	struct session *session;
};
_Static_assert(sizeof(struct native_conn) <= 120, "grown: see tests/bench/README.md");

static struct native_conn *of(struct conn *c)
{
	return CONTAINER_OF(c, struct native_conn, conn);
}

static void on_message(struct conn *c, struct str message, bool is_text)
{
	struct native_conn *n = of(c);
	/* A binary message is none of ours; the empty text is refused like any other that is not
	 * JSON. */
	gateway_frame(c->all->native->core, clock_steady_ms(), n->session,
		      is_text ? message : STR(""), c->all->native->out);
}

static void on_activity(struct conn *c)
{
	gateway_on_activity(c->all->native->core, clock_steady_ms(), of(c)->session);
}

static void on_blocked(struct conn *c)
{
	gateway_blocked(c->all->native->core, clock_steady_ms(), of(c)->session);
}

static void on_writable(struct conn *c)
{
	gateway_writable(c->all->native->core, clock_steady_ms(), of(c)->session,
			 c->all->native->out);
}

static void on_detached(struct conn *c)
{
	gateway_disconnect(c->all->native->core, clock_steady_ms(), of(c)->session,
			   c->all->native->out);
}

static const struct conn_handler user = {
	.size = sizeof(struct native_conn),
	.message = on_message,
	.on_activity = on_activity,
	.blocked = on_blocked,
	.writable = on_writable,
	.on_detached = on_detached,
};

static bool is_open(struct client_end *end)
{
	return conn_is_open(CONTAINER_OF(end, struct conn, end));
}

static void send_frames(struct client_end *end, struct str frames, uint64_t now_ms)
{
	(void)now_ms;
	conn_post(CONTAINER_OF(end, struct conn, end), frames);
}

static void set_pause(struct client_end *end, bool is_paused)
{
	conn_pause(CONTAINER_OF(end, struct conn, end), is_paused);
}

static void close_end(struct client_end *end, uint16_t code, uint64_t now_ms)
{
	conn_close(CONTAINER_OF(end, struct conn, end), code, now_ms);
}

static void look(struct client_end *end, uint64_t now_ms)
{
	struct conn *c = CONTAINER_OF(end, struct conn, end);
	if (conn_has_taken(c))
		gateway_progress(c->all->native->core, now_ms, of(c)->session);
}

static const struct client_class class = {
	.is_open = is_open,
	.look = look,
	.send = send_frames,
	.pause = set_pause,
	.close = close_end,
	.ping = {ping_frame, sizeof ping_frame},
};

/* Said in the chat's own way, and not by a status of HTTP, which browsers hide from the page. */
static void show(struct native_conn *n, struct str token)
{
	const struct native *native = n->conn.all->native;
	struct arena arena = {0};
	struct claims claims;
	const char *why = gateway_token_read(native->core, token, &arena, &claims);
	if (why)
		gateway_reject(native->core, clock_steady_ms(), n->session, why, native->out);
	else
		gateway_bear(native->core, clock_steady_ms(), n->session, &claims);
	arena_free(&arena);
}

struct conn *native_open(struct conns *all, struct lws *wsi, bool is_batched, struct str token)
{
	struct conn *c = conn_open(all, wsi, &user);
	struct native_conn *n = of(c);
	c->end.class = &class;
	n->session = gateway_connect(all->native->core, clock_steady_ms(), &c->end, WIRE_NATIVE,
				     is_batched);
	if (token.len && gateway_takes_tokens(all->native->core))
		show(n, token);
	return c;
}
