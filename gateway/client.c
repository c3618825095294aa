// SPDX-License-Identifier: MIT
/* client.c — a frame of a client on its way in: read, held to its rate, given to its handler,
 * answered if it was wrong. */
#include "gateway/client.h"
#include "gateway/frame.h"
#include "proto/json_out.h"

struct membership *client_membership(struct session *s, struct client_event *e, struct str room)
{
	struct membership *m = e->error == ERR_OK ? session_membership(s, room) : NULL;
	if (m && (m->is_live || m->was_live))
		return m;
	client_event_fail(e, ERR_NOT_JOINED, "join \"" STR_FMT "\" first", STR_ARG(room));
	return NULL;
}

void client_ack_room(struct gateway *g, struct session *s, const struct client_event *e,
		     struct str room)
{
	if (!e->has_id)
		return;
	struct buf *b = frame_begin_ack(g, s, e->id);
	BUF_LIT(b, "{\"room\":");
	json_out_str(b, room);
	BUF_LIT(b, "}");
	frame_end_ack(g, s);
}

/* Takes one event out of the session's bucket; returns 0, or the milliseconds until there is one
 * again. */
static uint64_t take_token(struct gateway *g, struct session *s)
{
	const struct gateway_options *o = &g->options;
	if (o->rate == 0)
		return 0;
	uint64_t elapsed_ms = g->now_ms > s->tokens_ms ? g->now_ms - s->tokens_ms : 0;
	uint64_t full = o->burst * 1000;
	uint64_t tokens = full;
	if (elapsed_ms <= full / o->rate)
		tokens = s->tokens_milli + elapsed_ms * o->rate;
	s->tokens_milli = (uint32_t)(tokens < full ? tokens : full);
	s->tokens_ms = g->now_ms;
	if (s->tokens_milli < 1000)
		return (1000 - s->tokens_milli + o->rate - 1) / o->rate;
	s->tokens_milli -= 1000;
	return 0;
}

static void dispatch(struct gateway *g, struct session *s, struct client_event *e)
{
	switch (e->type) {
#define C(name)                     \
	case CLIENT_##name:         \
		on_##name(g, s, e); \
		return;
		CLIENT_EVENTS(C)
#undef C
	}
}

static void handle(struct gateway *g, struct session *s, struct client_event *e)
{
	uint64_t wait_ms = take_token(g, s);
	if (wait_ms) {
		frame_send_rate_limited(g, s, e->has_id, e->id, wait_ms);
	} else {
		if (e->error == ERR_OK)
			dispatch(g, s, e);
		if (e->error != ERR_OK)
			frame_send_error(g, s, e->has_id, e->id, e->error, *e->why ? e->why : NULL);
	}
	client_event_free(e);
}

static void handle_text(struct gateway *g, struct session *s, struct str text)
{
	struct client_event e;
	client_event_read(&e, text, &g->options, &g->out->arena);
	handle(g, s, &e);
}

bool gateway_packet(struct gateway *g, uint64_t now_ms, struct session *s, bool has_id, uint64_t id,
		    struct str array, struct gateway_out *out)
{
	struct client_event e;
	g->now_ms = now_ms;
	g->out = out;
	if (s->is_closing)
		return true;
	g->stats.frames_in_total++;
	gateway_heard(g, now_ms, s);
	client_event_read_array(&e, array, &g->options, &out->arena);
	e.has_id = has_id;
	e.id = id;
	if (!e.root) {
		client_event_free(&e);
		return false;
	}
	handle(g, s, &e);
	return true;
}

void gateway_frame(struct gateway *g, uint64_t now_ms, struct session *s, struct str text,
		   struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	if (s->is_closing)
		return;
	g->stats.frames_in_total++;
	gateway_heard(g, now_ms, s);
	if (!s->is_batched) {
		handle_text(g, s, text);
		return;
	}
	size_t at = 0;
	bool is_empty = true;
	while (at < text.len) {
		const char *newline = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = newline ? (size_t)(newline - text.ptr) - at : text.len - at;
		if (len) {
			handle_text(g, s, str_of(text.ptr + at, len));
			is_empty = false;
		}
		at += len + 1;
	}
	if (is_empty)
		handle_text(g, s, (struct str){0});
}
