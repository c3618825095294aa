// SPDX-License-Identifier: MIT
/* eio_transport.c — the requests and sockets of Engine.IO sessions: which is let in, which is
 * answered when, and how a session moves from polling to a WebSocket without losing its place. */
#include "gateway/eio_state.h"
#include "gateway/frame_bytes.h"

/* ---- refusing ---- */

static const struct eio_answer *refusal(unsigned code)
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
	e->transport.respond(e->transport_ctx, r, refusal(code));
}

static struct eio_session *find(const struct eio *e, const struct eio_query *q)
{
	return q->has_sid ? table_find(&e->sessions, str_from(q->sid)) : NULL;
}

/* In the order in which the reference looks. Negative: nothing is wrong. */
static int judge(const struct eio *e, const struct eio_query *q, enum eio_transport_name transport)
{
	if (q->transport == EIO_NO_TRANSPORT)
		return 0;
	if (q->has_sid) {
		const struct eio_session *s = find(e, q);
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

/* ---- polling ---- */

static void respond(struct eio_session *s, struct eio_request *r, const struct eio_answer *answer)
{
	struct eio *e = s->eio;
	if (s->get == r)
		s->get = NULL;
	if (s->post == r)
		s->post = NULL;
	r->session = NULL;
	e->transport.respond(e->transport_ctx, r, answer);
}

static void respond_frames(struct eio_session *s, struct eio_request *r, struct str frames)
{
	struct buf body = {0};
	bool is_octets = eio_payload_write(&body, s->revision, s->binary, frames);
	respond(s, r,
		&(struct eio_answer){.status = 200,
				     .type = is_octets ? "application/octet-stream"
						       : "text/plain; charset=UTF-8",
				     .body = buf_view(&body)});
	buf_free(&body);
}

void transport_answer(struct eio_session *s, struct eio_request *r, struct str text)
{
	struct buf frame = {0};
	frame_put(&frame, FRAME_TEXT, text);
	respond_frames(s, r, buf_view(&frame));
	buf_free(&frame);
}

/* Our own answers count too: to pings, and to what is no business of the application. */
static bool must_hold(const struct eio_session *s)
{
	return s->is_paused || s->pending.len >= HOLD_BYTES;
}

/* Not from within the application. */
void transport_let_go(struct eio_session *s)
{
	struct eio_held *h = s->held;
	if (!h || h->is_resumed || must_hold(s))
		return;
	h->is_resumed = true;
	TAILQ_INSERT_TAIL(&s->eio->resumed, h, entry);
}

void transport_flush(struct eio_session *s)
{
	struct eio *e = s->eio;
	if (!s->get || s->is_held || s->pending.len == 0)
		return;
	struct buf pending = s->pending;
	s->pending = (struct buf){0};
	respond_frames(s, s->get, buf_view(&pending));
	buf_free(&pending);
	if (s->is_blocked && s->client) {
		s->is_blocked = false;
		e->app.writable(e->app_ctx, s->client);
	}
	transport_let_go(s);
}

void transport_release(struct eio_session *s)
{
	transport_drop_probe(s);
	if (s->get)
		respond(s, s->get, refusal(1));
	if (s->post)
		respond(s, s->post, refusal(1));
	transport_drop_held(s);
	if (s->socket)
		s->socket->session = NULL;
	s->socket = NULL;
}

void transport_drop_held(struct eio_session *s)
{
	struct eio_held *h = s->held;
	if (h && h->is_resumed)
		TAILQ_REMOVE(&s->eio->resumed, h, entry);
	s->held = NULL;
	mem_free(h);
}

static void open_polling(struct eio *e, uint64_t now_ms, const struct eio_query *q,
			 struct eio_request *r)
{
	struct eio_session *s = session_new(e, now_ms, q);
	s->is_held = true;
	s->get = r;
	r->session = s;
	s->client = e->app.opened(e->app_ctx, s);
	s->is_held = false;
	transport_flush(s);
}

void eio_get(struct eio *e, uint64_t now_ms, const struct eio_query *q, struct eio_request *r)
{
	int code = judge(e, q, EIO_POLLING);
	if (code >= 0) {
		eio_refuse(e, r, (unsigned)code);
		return;
	}
	struct eio_session *s = find(e, q);
	e->polls_total++;
	if (!s) {
		open_polling(e, now_ms, q, r);
		return;
	}
	session_use(s);
	if (s->get) { /* two at once: it is confused, and both end */
		eio_refuse(e, r, 3);
		session_drop(s);
		return;
	}
	s->get = r;
	r->session = s;
	r->is_post = false;
	transport_flush(s);
	if (s->is_ended)
		session_free(s);
	else if (s->get && s->is_probed) /* so that it can stop polling */
		transport_answer(s, s->get, STR("6"));
}

bool eio_post_begin(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		    struct eio_request *r)
{
	(void)now_ms;
	int code = q->has_sid || q->transport == EIO_NO_TRANSPORT ? judge(e, q, EIO_POLLING) : 2;
	if (code >= 0) {
		eio_refuse(e, r, (unsigned)code);
		return false;
	}
	struct eio_session *s = find(e, q);
	if (!s || s->is_ended) {
		eio_refuse(e, r, 1);
		return false;
	}
	session_use(s);
	if (s->post) {
		eio_refuse(e, r, 3);
		session_drop(s);
		return false;
	}
	s->post = r;
	r->session = s;
	r->is_post = true;
	return true;
}

static void hear_payload(struct eio_session *s, uint64_t now_ms, bool is_octets, struct str body)
{
	struct eio_payload p;
	struct eio_packet packet;
	eio_payload_read(&p, s->revision, is_octets, body);
	while (!s->is_ended && eio_payload_next(&p, &packet)) {
		if (!packet.is_binary && packet.data.ptr[0] == '1' && s->get)
			transport_answer(s, s->get, STR("6"));
		session_packet(s, now_ms, packet.data, packet.is_binary);
	}
	if (p.bad)
		session_drop(s);
	eio_payload_free(&p);
}

/* The body is taken; what it brings about comes by the next poll. */
static void take_post(struct eio_session *s, uint64_t now_ms, bool is_octets, struct str body)
{
	respond(s, s->post,
		&(struct eio_answer){.status = 200, .type = "text/html", .body = STR("ok")});
	s->is_held = true;
	hear_payload(s, now_ms, is_octets, body);
	s->is_held = false;
	if (!s->is_freed)
		transport_flush(s);
}

static void hold_post(struct eio_session *s, bool is_octets, struct str body)
{
	struct eio_held *h = mem_alloc(sizeof *h + body.len);
	h->session = s;
	h->is_octets = is_octets;
	h->len = body.len;
	(void)str_put(h->body, body);
	s->held = h;
}

void eio_post(struct eio *e, uint64_t now_ms, struct eio_request *r, bool is_octets,
	      struct str body)
{
	struct eio_session *s = r->session;
	(void)e;
	if (!s)
		return;
	if (is_octets && s->revision == 4) {
		respond(s, r, refusal(3));
		session_drop(s);
	} else if (must_hold(s)) {
		hold_post(s, is_octets, body);
	} else {
		take_post(s, now_ms, is_octets, body);
	}
}

void transport_resume(struct eio *e, uint64_t now_ms)
{
	struct eio_held *h;
	while ((h = TAILQ_FIRST(&e->resumed)) != NULL) {
		struct eio_session *s = h->session;
		TAILQ_REMOVE(&e->resumed, h, entry);
		h->is_resumed = false;
		if (must_hold(s)) /* again */
			continue;
		s->held = NULL;
		take_post(s, now_ms, h->is_octets, str_of(h->body, h->len));
		mem_free(h);
	}
}

void eio_post_too_large(struct eio *e, uint64_t now_ms, struct eio_request *r)
{
	(void)e, (void)now_ms;
	struct eio_session *s = r->session;
	if (!s)
		return;
	respond(s, r,
		&(struct eio_answer){
			.status = 413, .type = "text/plain", .body = STR("too large")});
	session_drop(s);
}

void eio_request_gone(struct eio *e, uint64_t now_ms, struct eio_request *r)
{
	struct eio_session *s = r->session;
	(void)e, (void)now_ms;
	if (!s)
		return;
	if (s->get == r)
		s->get = NULL;
	if (s->post == r)
		s->post = NULL;
	r->session = NULL;
	session_drop(s);
}

void eio_answer_lost(struct eio *e, uint64_t now_ms, const struct eio_query *q)
{
	struct eio_session *s = find(e, q);
	(void)now_ms;
	if (s)
		session_drop(s);
}

/* ---- sockets ---- */

bool eio_socket_allowed(const struct eio *e, const struct eio_query *q, struct eio_answer *answer)
{
	int code = judge(e, q, EIO_WEBSOCKET);
	if (code < 0 && q->has_sid && q->transport != EIO_WEBSOCKET)
		code = 3;
	if (code >= 0)
		*answer = *refusal((unsigned)code);
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

void eio_socket_open(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		     struct eio_socket *ws)
{
	struct eio_session *s = find(e, q);
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
		transport_answer(s, s->get, STR("6"));
	if (s->is_blocked && s->client) { /* before the socket has its say */
		s->is_blocked = false;
		e->app.writable(e->app_ctx, s->client);
	}
	if (s->is_paused)
		e->transport.pause(e->transport_ctx, s->socket, true);
	if (s->pending.len)
		e->transport.send(e->transport_ctx, s->socket, buf_view(&s->pending));
	buf_free(&s->pending);
	transport_let_go(s);
}

static void hear_probe(struct eio_session *s, struct str data, bool is_binary)
{
	struct eio *e = s->eio;
	if (!is_binary && str_equal(data, STR("2probe"))) {
		static const char answer[] = {(char)0x81, 6, '3', 'p', 'r', 'o', 'b', 'e'};
		s->is_probed = true;
		e->transport.send(e->transport_ctx, s->probe, str_of(answer, sizeof answer));
		if (s->get && s->pending.len == 0)
			transport_answer(s, s->get, STR("6"));
	} else if (!is_binary && s->is_probed && str_equal(data, STR("5"))) {
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
