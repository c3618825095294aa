// SPDX-License-Identifier: MIT
/* polling.c — the requests of Engine.IO sessions that poll: which one is held, and what it brings.
 * Not here: which are let in (admission.c), how they are answered (output.c), sockets
 * (transport.c). */
#include "gateway/engineio/state.h"
#include "gateway/wire/ws_frame.h"

static void open_polling(struct eio *e, uint64_t now_ms, const struct eio_query *q,
			 struct eio_request *r)
{
	struct eio_session *s = session_new(e, now_ms, q);
	s->is_held = true;
	s->get = r;
	r->session = s;
	s->client = e->app.opened(e->app_ctx, s, q->token);
	s->is_held = false;
	output_flush(s);
}

/* What is ended has been fetched then, or is still to be. */
static void flush_to_the_end(struct eio_session *s)
{
	output_flush(s);
	if (s->is_ended && s->pending.len == 0)
		session_free(s);
}

void eio_get(struct eio *e, uint64_t now_ms, const struct eio_query *q, struct eio_request *r)
{
	/* Only a request of a session is relayed: should its answer be lost, the sid says whose. */
	int code = r->is_relayed && !q->has_sid ? 1 : admission_check(e, q, EIO_POLLING);
	if (code >= 0) {
		eio_reject(e, r, (unsigned)code);
		return;
	}
	struct eio_session *s = admission_session(e, q);
	e->polls_total++;
	if (!s) {
		open_polling(e, now_ms, q, r);
		return;
	}
	session_use(s);
	if (s->get) { /* two at once: it is confused, and both end */
		eio_reject(e, r, 3);
		session_drop(s);
		return;
	}
	s->get = r;
	r->session = s;
	r->is_post = false;
	flush_to_the_end(s);
	if (s->get && s->is_probed) /* so that it can stop polling */
		output_response(s, s->get, STR("6"));
}

bool eio_post_begin(struct eio *e, uint64_t now_ms, const struct eio_query *q,
		    struct eio_request *r)
{
	(void)now_ms;
	int code = q->has_sid || q->transport == EIO_NO_TRANSPORT
			   ? admission_check(e, q, EIO_POLLING)
			   : 2;
	if (code >= 0) {
		eio_reject(e, r, (unsigned)code);
		return false;
	}
	struct eio_session *s = admission_session(e, q);
	if (!s || s->is_ended) {
		eio_reject(e, r, 1);
		return false;
	}
	session_use(s);
	if (s->post) {
		eio_reject(e, r, 3);
		session_drop(s);
		return false;
	}
	s->post = r;
	r->session = s;
	r->is_post = true;
	return true;
}

static void handle_payload(struct eio_session *s, uint64_t now_ms, bool is_octets, struct str body)
{
	struct eio_payload p;
	struct eio_packet packet;
	eio_payload_read(&p, s->revision, is_octets, body);
	while (!s->is_ended && eio_payload_next(&p, &packet)) {
		if (!packet.is_binary && packet.data.ptr[0] == '1' && s->get)
			output_response(s, s->get, STR("6"));
		session_packet(s, now_ms, packet.data, packet.is_binary);
	}
	if (p.bad)
		session_drop(s);
	eio_payload_free(&p);
}

/* The body is taken; what it brings about comes by the next poll. */
static void take_post(struct eio_session *s, uint64_t now_ms, bool is_octets, struct str body)
{
	output_respond(
		s, s->post,
		&(struct eio_response){.status = 200, .type = "text/html", .body = STR("ok")});
	s->is_held = true;
	handle_payload(s, now_ms, is_octets, body);
	s->is_held = false;
	if (!s->is_freed)
		output_flush(s);
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
		output_respond(s, r, admission_refusal(3));
		session_drop(s);
	} else if (output_must_hold(s)) {
		hold_post(s, is_octets, body);
	} else {
		take_post(s, now_ms, is_octets, body);
	}
}

void polling_resume(struct eio *e, uint64_t now_ms)
{
	struct eio_held *h;
	while ((h = TAILQ_FIRST(&e->resumed)) != NULL) {
		struct eio_session *s = h->session;
		TAILQ_REMOVE(&e->resumed, h, entry);
		h->is_resumed = false;
		if (output_must_hold(s)) /* again */
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
	output_respond(s, r,
		       &(struct eio_response){
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

void eio_response_arrived(struct eio *e, uint64_t now_ms, struct eio_request *r)
{
	struct eio_session *s = r->session;
	(void)e, (void)now_ms;
	if (!s || s->unconfirmed != r)
		return;
	output_forget_unconfirmed(s);
	flush_to_the_end(s);
}

void eio_response_lost(struct eio *e, uint64_t now_ms, const struct eio_query *q)
{
	struct eio_session *s = admission_session(e, q);
	(void)now_ms;
	if (s)
		session_drop(s);
}
