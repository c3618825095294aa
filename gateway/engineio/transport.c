// SPDX-License-Identifier: MIT
/* transport.c — what arrives by the sockets of Engine.IO sessions, and how a session moves from
 * polling to a WebSocket without losing a packet. Not here: which sockets are let in (admission.c),
 * requests (polling.c). */
#include "gateway/engineio/state.h"

/* ---- sockets ---- */

bool eio_socket_allowed(const struct eio *e, const struct eio_query *q,
			struct eio_response *response)
{
	int code = admission_check(e, q, EIO_WEBSOCKET);
	if (code < 0 && q->has_sid && q->transport != EIO_WEBSOCKET)
		code = 3;
	if (code >= 0)
		*response = *admission_refusal((unsigned)code);
	return code < 0;
}

void eio_socket_open(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		     struct eio_socket *ws)
{
	struct eio_session *s = admission_session(e, q);
	ws->session = NULL;
	if (q->has_sid && (!s || s->socket || s->probe || s->is_ended)) {
		output_close_socket(e, ws);
		return;
	}
	if (s) { /* nothing changes before it has proved itself */
		session_use(s);
		s->probe = ws;
		s->probe_ms = now_ms;
		ws->session = s;
		TAILQ_INSERT_TAIL(&e->upgrading, s, of_upgrade);
		return;
	}
	s = session_new(e, now_ms, q);
	s->socket = ws;
	ws->session = s;
	e->transport.send(e->transport_ctx, ws, buf_view(&s->pending));
	buf_free(&s->pending);
	s->client = e->app.opened(e->app_ctx, s, q->token);
}

/* The WebSocket takes over, with whatever no poll has fetched. */
static void upgrade(struct eio_session *s)
{
	struct eio *e = s->eio;
	s->socket = s->probe;
	s->probe = NULL;
	s->is_probed = false;
	TAILQ_REMOVE(&e->upgrading, s, of_upgrade);
	e->upgraded_total++;
	if (s->get)
		output_response(s, s->get, STR("6"));
	if (s->is_blocked && s->client) { /* before the socket has its say */
		s->is_blocked = false;
		e->app.writable(e->app_ctx, s->client);
	}
	if (s->is_paused)
		e->transport.pause(e->transport_ctx, s->socket, true);
	if (s->pending.len)
		e->transport.send(e->transport_ctx, s->socket, buf_view(&s->pending));
	buf_free(&s->pending);
	output_let_go(s);
}

static void handle_probe(struct eio_session *s, struct str data, bool is_binary)
{
	struct eio *e = s->eio;
	if (!is_binary && str_equal(data, STR("2probe"))) {
		static const char response[] = {(char)0x81, 6, '3', 'p', 'r', 'o', 'b', 'e'};
		s->is_probed = true;
		e->transport.send(e->transport_ctx, s->probe, str_of(response, sizeof response));
		if (s->get && s->pending.len == 0)
			output_response(s, s->get, STR("6"));
	} else if (!is_binary && s->is_probed && !s->unconfirmed && str_equal(data, STR("5"))) {
		upgrade(s);
	} else {
		output_drop_probe(s);
	}
}

void eio_socket_receive(struct eio *e, uint64_t now_ms, struct eio_socket *ws, struct str data,
			bool is_binary)
{
	struct eio_session *s = ws->session;
	(void)e;
	if (!s)
		return;
	if (ws == s->probe) {
		handle_probe(s, data, is_binary);
		return;
	}
	if (is_binary && s->revision == 3) { /* begins with its type, which must be a message */
		if (data.len == 0 || data.ptr[0] != 4) {
			session_drop(s);
			return;
		}
		data = str_of(data.ptr + 1, data.len - 1);
	}
	session_packet(s, now_ms, data, is_binary);
}

void eio_socket_blocked(struct eio *e, struct eio_socket *ws)
{
	struct eio_session *s = ws->session;
	if (s && s->socket == ws && s->client)
		e->app.blocked(e->app_ctx, s->client);
}

void eio_socket_writable(struct eio *e, struct eio_socket *ws)
{
	struct eio_session *s = ws->session;
	if (s && s->socket == ws && s->client)
		e->app.writable(e->app_ctx, s->client);
}

void eio_socket_closed(struct eio *e, uint64_t now_ms, struct eio_socket *ws)
{
	struct eio_session *s = ws->session;
	(void)e, (void)now_ms;
	if (!s)
		return;
	ws->session = NULL;
	if (s->probe == ws) {
		s->probe = NULL;
		s->is_probed = false;
		TAILQ_REMOVE(&s->eio->upgrading, s, of_upgrade);
		return;
	}
	s->socket = NULL;
	session_free(s);
}
