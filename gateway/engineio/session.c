// SPDX-License-Identifier: MIT
/* session.c — the life of a session, its heartbeats and its packets. Not here: requests
 * (polling.c), sockets (transport.c), all sessions and their time (eio.c). */
#include "gateway/engineio/state.h"
#include "gateway/wire/ws_frame.h"

#include <stdio.h>

/* "<owner>-<128 random bits>", all of it fit for a URL. */
static void make_sid(const struct eio *e, char sid[EIO_SID_MAX])
{
	unsigned char secret[16];
	e->options.random(secret, sizeof secret);
	int at = snprintf(sid, EIO_SID_MAX, "%" PRIx64 "-", e->options.owner & UINT32_MAX);
	for (size_t i = 0; i < sizeof secret; i++)
		at += snprintf(sid + at, EIO_SID_MAX - (size_t)at, "%02x", secret[i]);
}

void session_wait(struct eio_session *s, struct eio_list *list, uint64_t now_ms)
{
	if (s->wait)
		TAILQ_REMOVE(s->wait, s, of_wait);
	s->wait = list;
	s->wait_ms = now_ms;
	if (list)
		TAILQ_INSERT_TAIL(list, s, of_wait);
}

void session_use(struct eio_session *s)
{
	if (!s->is_unused)
		return;
	s->is_unused = false;
	TAILQ_REMOVE(&s->eio->unused, s, of_upgrade);
}

struct eio_session *session_new(struct eio *e, uint64_t now_ms, const struct eio_query *q)
{
	if (e->sessions.count >= e->options.sessions_max && !TAILQ_EMPTY(&e->unused))
		session_drop(TAILQ_FIRST(&e->unused));
	struct eio_session *s = mem_alloc(sizeof *s);
	s->eio = e;
	s->revision = q->revision;
	s->binary = q->is_base64 ? EIO_BASE64 : EIO_OCTETS;
	make_sid(e, s->sid);
	table_add(&e->sessions, s);
	TAILQ_INSERT_TAIL(&e->all, s, of_all);
	session_wait(s, s->revision == 3 ? &e->listening : &e->idle, now_ms);
	if (q->transport == EIO_POLLING) {
		s->is_unused = true;
		s->probe_ms = now_ms;
		TAILQ_INSERT_TAIL(&e->unused, s, of_upgrade);
	}
	e->opened_total++;
	struct buf *b = &e->scratch;
	buf_reset(b);
	buf_printf(b,
		   "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%" PRIu64
		   ",\"pingTimeout\":%" PRIu64 ",\"maxPayload\":%" PRIu64 "}",
		   s->sid,
		   q->transport == EIO_POLLING && !e->has_no_upgrades ? "\"websocket\"" : "",
		   e->options.ping_interval_ms, e->options.ping_timeout_ms, e->options.payload_max);
	frame_put(&s->pending, FRAME_TEXT, buf_view(b));
	return s;
}

/* The application lets go; what is pending may still be fetched. */
static void leave(struct eio_session *s)
{
	void *client = s->client;
	s->client = NULL;
	if (client)
		s->eio->app.closed(s->eio->app_ctx, client);
}

void session_free(struct eio_session *s)
{
	struct eio *e = s->eio;
	if (s->is_freed)
		return;
	s->is_freed = s->is_ended = true;
	session_wait(s, NULL, 0);
	session_use(s);
	leave(s);
	output_release_all(s);
	table_remove(&e->sessions, str_from(s->sid));
	TAILQ_REMOVE(&e->all, s, of_all);
	TAILQ_INSERT_TAIL(&e->gone, s, of_all);
}

void session_drop(struct eio_session *s)
{
	struct eio *e = s->eio;
	struct eio_socket *ws = s->socket;
	s->is_ended = true;
	if (s->get)
		output_response(s, s->get, STR("1"));
	s->socket = NULL;
	if (ws) {
		ws->session = NULL;
		e->transport.close(e->transport_ctx, ws);
	}
	session_free(s);
}

void session_put(struct eio_session *s, struct str text)
{
	char bytes[FRAME_HEADER_MAX + 125];
	CHECK(text.len <= 125);
	size_t header = frame_header(bytes, FRAME_TEXT, text.len);
	memcpy(bytes + header, text.ptr, text.len);
	eio_send(s, str_of(bytes, header + text.len));
}

/* ---- what the application wants ---- */

void eio_send(struct eio_session *s, struct str frames)
{
	struct eio *e = s->eio;
	if (s->is_ended)
		return;
	if (s->socket) {
		e->transport.send(e->transport_ctx, s->socket, frames);
		return;
	}
	if (s->pending.len + frames.len > PENDING_MAX) {
		session_drop(s); /* it asks and asks, and never fetches the answers */
		return;
	}
	buf_str(&s->pending, frames);
	output_flush(s);
	if (s->pending.len && !s->is_blocked && s->client) {
		s->is_blocked = true;
		e->app.blocked(e->app_ctx, s->client);
	}
}

void eio_send_message(struct eio_session *s, struct str data, bool is_binary)
{
	struct buf packet = {0};
	struct buf frame = {0};
	/* Bytes are a message by being bytes, but revision 3 says so all the same. */
	if (!is_binary)
		BUF_LIT(&packet, "4");
	else if (s->revision == 3)
		BUF_LIT(&packet, "\4");
	buf_str(&packet, data);
	frame_put(&frame, is_binary ? FRAME_BINARY : FRAME_TEXT, buf_view(&packet));
	eio_send(s, buf_view(&frame));
	buf_free(&packet);
	buf_free(&frame);
}

void eio_end(struct eio_session *s, uint64_t now_ms)
{
	if (s->is_ended)
		return;
	if (s->socket) {
		session_drop(s);
		return;
	}
	/* Its next poll is told: until then it is kept. */
	session_put(s, STR("1"));
	s->is_ended = true;
	leave(s);
	output_drop_probe(s);
	if (s->pending.len)
		session_wait(s, &s->eio->closing, now_ms);
	else
		session_free(s);
}

void eio_pause(struct eio_session *s, bool is_paused)
{
	struct eio *e = s->eio;
	if (s->is_ended)
		return;
	s->is_paused = is_paused;
	if (s->socket)
		e->transport.pause(e->transport_ctx, s->socket, is_paused);
	output_let_go(s);
}

bool eio_is_blocked(const struct eio_session *s)
{
	return s->is_blocked;
}

bool eio_has_taken(struct eio_session *s, uint64_t now_ms)
{
	struct eio *e = s->eio;
	if (s->is_ended || !s->socket || !e->transport.has_taken ||
	    !e->transport.has_taken(e->transport_ctx, s->socket))
		return false;
	if (s->wait) /* its pong is behind what it has not read */
		session_wait(s, s->wait, now_ms);
	return true;
}

unsigned eio_revision(const struct eio_session *s)
{
	return s->revision;
}

const char *eio_sid(const struct eio_session *s)
{
	return s->sid;
}

/* ---- what clients say ---- */

static void handle_text(struct eio_session *s, uint64_t now_ms, struct str data)
{
	struct eio *e = s->eio;
	struct str rest = str_of(data.ptr + 1, data.len - 1);
	switch (data.ptr[0]) {
	case '1':
		session_drop(s);
		return;
	case '2':
		if (s->revision != 3)
			break;
		session_wait(s, &e->listening, now_ms);
		if (rest.len > 100)
			break;
		char pong[128] = "3";
		memcpy(pong + 1, rest.ptr, rest.len);
		session_put(s, str_of(pong, 1 + rest.len));
		if (s->client)
			e->app.on_activity(e->app_ctx, s->client);
		return;
	case '3':
		if (s->revision != 4)
			break;
		session_wait(s, &e->idle, now_ms);
		if (s->client)
			e->app.on_activity(e->app_ctx, s->client);
		return;
	case '4':
		if (s->client)
			e->app.message(e->app_ctx, s->client, rest, false);
		return;
	default:
		break;
	}
	session_drop(s);
}

void session_packet(struct eio_session *s, uint64_t now_ms, struct str data, bool is_binary)
{
	struct eio *e = s->eio;
	if (s->is_ended)
		return;
	if (!is_binary && data.len)
		handle_text(s, now_ms, data);
	else if (!is_binary)
		session_drop(s);
	else if (s->client)
		e->app.message(e->app_ctx, s->client, data, true);
}
