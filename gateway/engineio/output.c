// SPDX-License-Identifier: MIT
/* output.c — what goes out of a session: answers to its requests, and the end of its transports. It
 * lies below a session's life (session.c), so nothing here ends a session. */
#include "gateway/engineio/state.h"
#include "gateway/wire/ws_frame.h"

void output_respond(struct eio_session *s, struct eio_request *r,
		    const struct eio_response *response)
{
	struct eio *e = s->eio;
	if (s->get == r)
		s->get = NULL;
	if (s->post == r)
		s->post = NULL;
	r->session = NULL;
	e->transport.respond(e->transport_ctx, r, response);
}

static void respond_frames(struct eio_session *s, struct eio_request *r, struct str frames)
{
	struct buf body = {0};
	bool is_octets = eio_payload_write(&body, s->revision, s->binary, frames);
	output_respond(s, r,
		       &(struct eio_response){.status = 200,
					      .type = is_octets ? "application/octet-stream"
								: "text/plain; charset=UTF-8",
					      .body = buf_view(&body)});
	buf_free(&body);
}

void output_response(struct eio_session *s, struct eio_request *r, struct str text)
{
	struct buf frame = {0};
	frame_put(&frame, FRAME_TEXT, text);
	respond_frames(s, r, buf_view(&frame));
	buf_free(&frame);
}

/* Our own answers count too: to pings, and to what is no business of the application. */
bool output_must_hold(const struct eio_session *s)
{
	return s->is_paused || s->pending.len >= HOLD_BYTES;
}

/* Not from within the application. */
void output_let_go(struct eio_session *s)
{
	struct eio_held *h = s->held;
	if (!h || h->is_resumed || output_must_hold(s))
		return;
	h->is_resumed = true;
	TAILQ_INSERT_TAIL(&s->eio->resumed, h, entry);
}

void output_flush(struct eio_session *s)
{
	struct eio *e = s->eio;
	struct eio_request *r = s->get;
	if (!r || s->is_held || s->unconfirmed || s->pending.len == 0)
		return;
	struct buf pending = s->pending;
	const bool is_relayed =
		r->is_relayed; /* others may end within, when their client is gone */
	s->pending = (struct buf){0};
	respond_frames(s, r, buf_view(&pending));
	buf_free(&pending);
	if (is_relayed) {
		s->unconfirmed = r;
		r->session = s;
	}
	if (s->is_blocked && s->client) {
		s->is_blocked = false;
		e->app.writable(e->app_ctx, s->client);
	}
	output_let_go(s);
}

void output_forget_unconfirmed(struct eio_session *s)
{
	if (s->unconfirmed)
		s->unconfirmed->session = NULL;
	s->unconfirmed = NULL;
}

static void drop_held(struct eio_session *s)
{
	struct eio_held *h = s->held;
	if (h && h->is_resumed)
		TAILQ_REMOVE(&s->eio->resumed, h, entry);
	s->held = NULL;
	mem_free(h);
}

void output_release(struct eio_session *s)
{
	if (s->get)
		output_respond(s, s->get, admission_refusal(1));
	if (s->post)
		output_respond(s, s->post, admission_refusal(1));
	output_forget_unconfirmed(s);
	drop_held(s);
}

void output_close_socket(struct eio *e, struct eio_socket *ws)
{
	ws->session = NULL;
	e->transport.close(e->transport_ctx, ws);
}

void output_drop_probe(struct eio_session *s)
{
	struct eio_socket *ws = s->probe;
	if (!ws)
		return;
	s->probe = NULL;
	s->is_probed = false;
	TAILQ_REMOVE(&s->eio->upgrading, s, of_upgrade);
	output_close_socket(s->eio, ws);
}

void output_release_all(struct eio_session *s)
{
	output_drop_probe(s);
	output_release(s);
	if (s->socket)
		s->socket->session = NULL;
	s->socket = NULL;
}
