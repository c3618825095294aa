// SPDX-License-Identifier: MIT
/* lws.c — see shell/lws.h. */
#include "gateway/shell/lws.h"
#include "proto/shell/clock.h"
#include "proto/shell/log.h"

#include <string.h>

enum {
	/* Held for each connection all its life, and read at once: a usual chat message. Longer
	 * ones are put together from pieces; one of 2,500 bytes costs a tenth more CPU than with
	 * 1,024 here, one of 600 no more. */
	RX_BYTES = 256,
	/* Above all that is written at once: what passes it would be cut into pieces and copied. */
	TX_BYTES = 8 * 1024 * 1024,
};

/* What libwebsockets keeps for us with each connection. */
struct slot {
	struct conn *conn; /* once it is established */
};
_Static_assert(sizeof(struct slot) <= 8, "grown: see tests/bench/README.md");

/* ---- callbacks ---- */

/* The answer to the upgrade names this gateway, and the subprotocol: libwebsockets would have to
 * know each of them. */
static int add_headers(const struct lws_shell *s, struct lws_process_html_args *args)
{
	const struct lws_upgrade *u = s->upgrade;
	struct buf fields = {.max = (size_t)args->max_len};
	http_put_self(&fields, &s->self);
	if (u && u->subprotocol.len)
		buf_printf(&fields, "Sec-WebSocket-Protocol: " STR_FMT "\r\n",
			   STR_ARG(u->subprotocol));
	CHECK(!fields.overflow); /* it has room for 4 KiB */
	memcpy(args->p, fields.ptr, fields.len);
	args->p += fields.len;
	args->max_len -= (int)fields.len;
	buf_free(&fields);
	return 0;
}

/* libwebsockets bounds no message, and says how much of a frame is still to come: one that is too
 * long is refused before it has come. */
static int receive(struct lws *wsi, struct conn *c, struct str piece)
{
	bool is_long = lws_remaining_packet_payload(wsi) > c->all->message_max;
	if (!is_long &&
	    conn_receive(c, piece, lws_is_final_fragment(wsi), !lws_frame_is_binary(wsi)))
		return 0;
	conn_count_close(c, CLOSE_TOO_LARGE);
	lws_close_reason(wsi, (enum lws_close_status)CLOSE_TOO_LARGE, NULL, 0);
	return -1;
}

/* Answered by libwebsockets, unless it is the answer to ours. */
static int on_close_frame(struct conn *c)
{
	bool is_response = c->close_code && c->is_detached;
	conn_detached(c);
	return is_response ? -1 : 0;
}

/* libwebsockets hides whether a frame was masked, so only the first one can be looked at, if it
 * came with the request. */
static bool is_unmasked(struct str frame)
{
	return frame.len >= 2 && !(frame.ptr[1] & 0x80);
}

static struct conn *open_socket(struct lws_shell *s, struct lws *wsi)
{
	struct lws_upgrade *u = s->upgrade;
	if (!u)
		return NULL;
	u->is_taken = true;
	struct conn *c = u->is_eio ? eio_shell_socket(s->eio, wsi, u->query, u->token)
				   : native_open(s->conns, wsi, u->subprotocol.len > 0, u->token);
	c->peer = u->peer;
	if (is_unmasked(u->behind)) {
		conn_close(c, CLOSE_PROTOCOL, clock_steady_ms());
		conn_count_close(c, CLOSE_PROTOCOL);
	}
	return c;
}

static int on_socket(struct lws_shell *s, struct lws *wsi, enum lws_callback_reasons reason,
		     struct slot *slot, struct str in)
{
	struct conn *c = slot->conn;
	if (reason == LWS_CALLBACK_ESTABLISHED) {
		slot->conn = open_socket(s, wsi);
		return slot->conn ? 0 : -1;
	}
	if (!c)
		return 0;
	if (reason == LWS_CALLBACK_RECEIVE)
		return receive(wsi, c, in);
	if (reason == LWS_CALLBACK_SERVER_WRITEABLE)
		conn_writable(c);
	else if (reason == LWS_CALLBACK_RECEIVE_PONG && !c->is_detached)
		c->handler->on_activity(c);
	else if (reason == LWS_CALLBACK_WS_PEER_INITIATED_CLOSE)
		return on_close_frame(c);
	else if (reason == LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL)
		conn_detached(c); /* a close frame is next, and nothing may follow it */
	else if (reason == LWS_CALLBACK_CLOSED) {
		slot->conn = NULL;
		conn_closed(c);
	}
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct lws_shell *s = lws_context_user(lws_get_context(wsi));
	/* Only some of its many reasons matter here. */
	switch ((int)reason) {
	case LWS_CALLBACK_WSI_CREATE:
		++*s->sockets;
		return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		--*s->sockets;
		return 0;
	case LWS_CALLBACK_ADD_HEADERS:
		return add_headers(s, in);
	case LWS_CALLBACK_HTTP: /* never asked */
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_RAW_ADOPT:
	case LWS_CALLBACK_RAW_RX:
		return -1;
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_RECEIVE_PONG:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
	case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
	case LWS_CALLBACK_CLOSED:
		return user ? on_socket(s, wsi, reason, user, str_of(in, len)) : 0;
	default:
		return 0;
	}
}

/* ---- the context ---- */

static const struct lws_protocols protocols[] = {
	{"parlor", on_event, sizeof(struct slot), RX_BYTES, 0, NULL, TX_BYTES},
	{NULL, NULL, 0, 0, 0, NULL, 0},
};

/* libwebsockets complains about each socket that it is given with a request; nobody else need know.
 */
static void on_log(int level, const char *line)
{
	size_t len = strcspn(line, "\n");
	(void)level;
	log_debug("libwebsockets", "says=\"%s\"", log_sentence(str_of(line, len)).text);
}

bool lws_shell_open(struct lws_shell *s, uv_loop_t *loop)
{
	/* Zeroed: its own pings are off. They would cost a scan of all connections on each upgrade
	 * and pong. */
	static const lws_retry_bo_t no_pings = {0};
	void *loops[] = {loop};
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_VALIDATE_UTF8 |
			   LWS_SERVER_OPTION_UV_NO_SIGSEGV_SIGFPE_SPIN |
			   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME,
		.foreign_loops = loops,
		.retry_and_idle_policy = &no_pings,
		.user = s,
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
	s->context = lws_create_context(&info);
	return s->context != NULL;
}

/* It reads the head at once, and calls back before it returns. */
void lws_shell_adopt(struct lws_shell *s, int fd, struct lws_upgrade *u)
{
	struct buf head = {0};
	buf_printf(&head,
		   "GET / HTTP/1.1\r\nHost: parlor\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " STR_FMT "\r\n\r\n",
		   STR_ARG(u->key));
	buf_str(&head, u->behind);
	s->upgrade = u;
	/* It closes the socket itself when it cannot take it. */
	struct lws *wsi = lws_adopt_socket_vhost_readbuf(
		lws_get_vhost_by_name(s->context, "default"), fd, head.ptr, head.len);
	s->upgrade = NULL;
	buf_free(&head);
	if (!u->is_taken)
		peer_drop(u->peer);
	if (wsi && !u->is_taken) /* it would wait, and we would not know what for */
		lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void lws_shell_close(struct lws_shell *s)
{
	lws_context_destroy(s->context);
}
