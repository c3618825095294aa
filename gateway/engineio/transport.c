// SPDX-License-Identifier: MIT
/* transport.c — which requests and sockets of Engine.IO sessions are let in, what the sockets
 * say, and how a session moves from polling to a WebSocket without losing its place. Not here: what
 * becomes of a request that was let in (engineio/polling.c). */
#include "gateway/engineio/state.h"

/* ---- refusing ---- */

const struct eio_answer *transport_refusal(unsigned code)
{
#define REFUSAL(number, says)                                                   \
	[number] = {                                                            \
		number == 4   ? 403                                             \
		: number == 6 ? 503                                             \
			      : 400,                                            \
		"application/json",                                             \
		{"{\"code\":" #number ",\"message\":\"" says "\"}",             \
		 sizeof("{\"code\":" #number ",\"message\":\"" says "\"}") - 1} \
	}
	static const struct eio_answer refusals[] = {
		REFUSAL(0, "Transport unknown"),
		REFUSAL(1, "Session ID unknown"),
		REFUSAL(2, "Bad handshake method"),
		REFUSAL(3, "Bad request"),
		REFUSAL(4, "Forbidden"),
		REFUSAL(5, "Unsupported protocol version"),
		REFUSAL(6, "Too much to do"),
	};
#undef REFUSAL
	return &refusals[code < ARRAY_LEN(refusals) ? code : 3];
}

void eio_refuse(struct eio *e, struct eio_request *r, unsigned code)
{
	e->transport.respond(e->transport_ctx, r, transport_refusal(code));
}

struct eio_session *transport_session(const struct eio *e, const struct eio_query *q)
{
	return q->has_sid ? table_find(&e->sessions, str_from(q->sid)) : NULL;
}

/* In the order in which the reference looks. */
int transport_judge(const struct eio *e, const struct eio_query *q,
		    enum eio_transport_name transport)
{
	if (q->transport == EIO_NO_TRANSPORT)
		return 0;
	if (q->has_sid) {
		const struct eio_session *s = transport_session(e, q);
		if (!s)
			return 1;
		/* A poll on a session that has its WebSocket; any other pair is the one or an
		 * upgrade. */
		return transport == EIO_POLLING && (s->socket || q->transport != transport) ? 3
											    : -1;
	}
	if (q->transport != transport)
		return 3;
	if (!q->revision || (!q->has_revision && e->options.needs_revision))
		return 5;
	if (e->app.is_full && e->app.is_full(e->app_ctx))
		return 6;
	bool has_room = e->sessions.count < e->options.sessions_max || !TAILQ_EMPTY(&e->unused);
	return has_room ? -1 : 3;
}

/* ---- sockets ---- */

bool eio_socket_allowed(const struct eio *e, const struct eio_query *q, struct eio_answer *answer)
{
	int code = transport_judge(e, q, EIO_WEBSOCKET);
	if (code < 0 && q->has_sid && q->transport != EIO_WEBSOCKET)
		code = 3;
	if (code >= 0)
		*answer = *transport_refusal((unsigned)code);
	return code < 0;
}

static void close_socket(struct eio *e, struct eio_socket *ws)
{
	ws->session = NULL;
	e->transport.close(e->transport_ctx, ws);
}

void transport_drop_probe(struct eio_session *s)
{
	struct eio_socket *ws = s->probe;
	if (!ws)
		return;
	s->probe = NULL;
	s->is_probed = false;
	TAILQ_REMOVE(&s->eio->upgrading, s, of_upgrade);
	close_socket(s->eio, ws);
}

void transport_release(struct eio_session *s)
{
	transport_drop_probe(s);
	polling_release(s);
	if (s->socket)
		s->socket->session = NULL;
	s->socket = NULL;
}

void eio_socket_open(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		     struct eio_socket *ws)
{
	struct eio_session *s = transport_session(e, q);
	ws->session = NULL;
	if (q->has_sid && (!s || s->socket || s->probe || s->is_ended)) {
		close_socket(e, ws);
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
	s->client = e->app.opened(e->app_ctx, s);
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
		polling_answer(s, s->get, STR("6"));
	if (s->is_blocked && s->client) { /* before the socket has its say */
		s->is_blocked = false;
		e->app.writable(e->app_ctx, s->client);
	}
	if (s->is_paused)
		e->transport.pause(e->transport_ctx, s->socket, true);
	if (s->pending.len)
		e->transport.send(e->transport_ctx, s->socket, buf_view(&s->pending));
	buf_free(&s->pending);
	polling_let_go(s);
}

static void hear_probe(struct eio_session *s, struct str data, bool is_binary)
{
	struct eio *e = s->eio;
	if (!is_binary && str_equal(data, STR("2probe"))) {
		static const char answer[] = {(char)0x81, 6, '3', 'p', 'r', 'o', 'b', 'e'};
		s->is_probed = true;
		e->transport.send(e->transport_ctx, s->probe, str_of(answer, sizeof answer));
		if (s->get && s->pending.len == 0)
			polling_answer(s, s->get, STR("6"));
	} else if (!is_binary && s->is_probed && !s->unconfirmed && str_equal(data, STR("5"))) {
		upgrade(s);
	} else {
		transport_drop_probe(s);
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
		hear_probe(s, data, is_binary);
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
