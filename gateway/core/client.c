// SPDX-License-Identifier: MIT
/* client.c — a client's frame on its way in: held to the client's rate, read, given to its handler,
 * and answered if it is wrong. A turn works on one client for a bounded time; what remains waits in
 * the backlog, as does what names a room while a join of it is under way. Not here: the handlers
 * (on_room.c, on_chat.c, private.c). */
#include "gateway/core/session.h"
#include "gateway/core/backlog.h"
#include "gateway/core/bearer.h"
#include "gateway/core/client.h"
#include "gateway/core/frame.h"
#include "gateway/core/json_text.h"
#include "gateway/core/rate.h"

/* The session's membership of the event's room once it is in it, or NULL with ERR_NOT_JOINED. */
static struct membership *find_member(struct session *s, struct client_event *e)
{
	struct membership *m = session_membership(s, e->room);
	if (m && (m->is_live || m->was_live))
		return m;
	client_event_fail(e, ERR_NOT_JOINED, "join \"" STR_FMT "\" first", STR_ARG(e->room));
	return NULL;
}

static void dispatch(struct gateway *g, struct session *s, struct client_event *e)
{
	union client_in in = {0};
	if (!client_fields_read(e, &in))
		return;
	in.to.event = e;
	if (client_event_row(e->type)->flags & EVENT_MEMBER) {
		in.to.member = find_member(s, e);
		if (!in.to.member)
			return;
	}
	if ((client_event_row(e->type)->flags & EVENT_WRITES) && !bearer_may_write(s, e))
		return;
	switch (e->type) {
#define C(name, flags, ack, meaning)       \
	case CLIENT_##name:                \
		on_##name(g, s, &in.name); \
		return;
		CLIENT_EVENTS(C)
#undef C
	}
}

/* An error without an id is of use to a person who tries things out: the first few are. */
static bool is_worth_saying(struct session *s, const struct client_event *e)
{
	if (e->has_id)
		return true;
	if (s->unnamed == UNNAMED_ERRORS_MAX)
		return false;
	s->unnamed++;
	return true;
}

static void read_event(struct gateway *g, const struct input *in, struct client_event *e)
{
	struct arena *arena = &g->out->arena;
	if (!in->is_packet) {
		client_event_read(e, in->text, &g->options, arena);
		return;
	}
	client_event_read_array(e, in->text, &g->options, arena);
	e->has_id = in->has_id;
	e->id = in->id;
}

static bool is_made_private(const struct session *s, struct str room)
{
	const struct request *r;
	if (s->backlog)
		TAILQ_FOREACH (r, &s->backlog->privates, of_session)
			if (str_equal(r->room, room))
				return true;
	return false;
}

/* Whether it is about a room that the client is on its way into. */
static bool waits_for_join(const struct session *s, const struct client_event *e)
{
	if (e->error != ERR_OK || (!s->joins && !s->backlog))
		return false;
	if ((client_event_row(e->type)->flags & EVENT_NAMED) && s->joins)
		return true;
	struct str room = client_fields_room(e); /* what is wrong otherwise is said after that */
	if (!room.len)
		return false;
	const struct membership *m = session_membership(s, room);
	return (m && !m->is_live) || is_made_private(s, room);
}

/* Over the rate: only its id is looked for. */
static void reject(struct gateway *g, struct session *s, const struct input *in, uint64_t wait_ms)
{
	struct client_event e = {.has_id = in->has_id, .id = in->id};
	if (!in->is_packet)
		e.has_id = json_text_find_id(in->text, &e.id);
	if (is_worth_saying(s, &e))
		frame_send_rate_limited(g, s, e.has_id, e.id, wait_ms);
}

/* False when it has to wait for a join, and has been charged for. */
static bool work_on(struct gateway *g, struct session *s, const struct input *in, bool is_charged)
{
	struct client_event e;
	size_t worked = s->worked + in->text.len + EVENT_COST;
	s->worked = (uint16_t)(worked < UINT16_MAX ? worked : UINT16_MAX);
	uint64_t wait_ms = is_charged ? 0 : rate_take(g, s, in->text.len);
	if (wait_ms) {
		reject(g, s, in, wait_ms);
		return true;
	}
	read_event(g, in, &e);
	bool waits = waits_for_join(s, &e);
	if (!waits && e.error == ERR_OK)
		dispatch(g, s, &e);
	if (e.error != ERR_OK && is_worth_saying(s, &e))
		frame_send_error(g, s, e.has_id, e.id, e.error, *e.why ? e.why : NULL);
	client_event_free(&e);
	return !waits;
}

/* Answers are always given; it is the requests that end. */
static bool may_work(const struct gateway *g, struct session *s)
{
	session_begin_turn(g, s);
	return !s->is_closing && s->worked < WORK_A_TURN && s->owed < g->options.session_bytes &&
	       s->in_flight < g->options.in_flight_max;
}

void client_go_on(struct gateway *g, struct session *s)
{
	struct input in;
	while (backlog_has_input(s) && !s->backlog->is_waiting && may_work(g, s)) {
		backlog_first(s, &in);
		g->late_ms = s->backlog->late_ms;
		if (work_on(g, s, &in, s->backlog->is_charged))
			backlog_pop(g, s);
		else
			backlog_wait(g, s);
		g->late_ms = 0;
	}
}

bool client_may_go_on(const struct gateway *g, const struct session *s)
{
	bool is_clear = !s->is_blocked || s->owed < g->options.session_bytes;
	return backlog_has_input(s) && !s->backlog->is_waiting && is_clear && !s->is_closing &&
	       s->in_flight < g->options.in_flight_max;
}

static void take(struct gateway *g, struct session *s, const struct input *in)
{
	bool waits = false;
	if (s->is_closing)
		return;
	if (!backlog_has_input(s) && may_work(g, s)) {
		if (work_on(g, s, in, false))
			return;
		waits = true;
	}
	if (!backlog_put(g, s, in)) {
		session_close(g, s, CLOSE_POLICY);
		return;
	}
	if (waits)
		backlog_wait(g, s);
	session_touch(g, s);
}

void gateway_packet(struct gateway *g, uint64_t now_ms, struct session *s, bool has_id, uint64_t id,
		    struct str array, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	if (s->is_closing)
		return;
	g->stats.frames_in_total++;
	gateway_on_activity(g, now_ms, s);
	take(g, s, &(struct input){.is_packet = true, .has_id = has_id, .id = id, .text = array});
}

void gateway_frame(struct gateway *g, uint64_t now_ms, struct session *s, struct str text,
		   struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	if (s->is_closing)
		return;
	g->stats.frames_in_total++;
	gateway_on_activity(g, now_ms, s);
	if (!s->is_batched) {
		take(g, s, &(struct input){.text = text});
		return;
	}
	size_t at = 0;
	bool is_empty = true;
	while (at < text.len) {
		const char *newline = memchr(text.ptr + at, '\n', text.len - at);
		size_t len = newline ? (size_t)(newline - text.ptr) - at : text.len - at;
		if (len) {
			take(g, s, &(struct input){.text = str_of(text.ptr + at, len)});
			is_empty = false;
		}
		at += len + 1;
	}
	if (is_empty)
		take(g, s, &(struct input){0});
}
