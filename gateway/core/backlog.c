// SPDX-License-Identifier: MIT
/* backlog.c — see backlog.h. Each input is a number that holds its length and kind, its id if it
 * came beside it, and its text. Numbers take seven bits a byte, so thousands of tiny events take no
 * more memory than they did in their frame. */
#include "gateway/core/session.h"
#include "gateway/core/backlog.h"
#include "gateway/core/frame.h"

enum { NUMBER_MAX = 10, HAS_ID = 1, IS_PACKET = 2, FLAG_BITS = 2, FRAMES_MAX = 2 };

static void put_number(struct buf *b, uint64_t n)
{
	char bytes[NUMBER_MAX];
	size_t len = 0;
	for (; n >= 128; n >>= 7)
		bytes[len++] = (char)(n | 128);
	bytes[len++] = (char)n;
	buf_append(b, bytes, len);
}

static uint64_t take_number(const struct buf *b, size_t *at)
{
	uint64_t n = 0;
	unsigned char byte = 128;
	for (unsigned shift = 0; byte & 128; shift += 7) {
		CHECK(*at < b->len && shift < 64);
		byte = (unsigned char)b->ptr[(*at)++];
		n |= (uint64_t)(byte & 127) << shift;
	}
	return n;
}

static struct backlog *backlog_of(struct session *s)
{
	if (!s->backlog) {
		s->backlog = mem_alloc(sizeof *s->backlog);
		TAILQ_INIT(&s->backlog->parked);
		TAILQ_INIT(&s->backlog->privates);
		STAILQ_INIT(&s->backlog->given_up);
	}
	return s->backlog;
}

static void free_if_empty(struct session *s)
{
	struct backlog *b = s->backlog;
	if (b->input.len || !TAILQ_EMPTY(&b->parked) || b->asked || !TAILQ_EMPTY(&b->privates))
		return;
	mem_free(b);
	s->backlog = NULL;
}

static struct given_up *find_given_up(const struct backlog *b, struct str room)
{
	struct given_up *u;
	STAILQ_FOREACH(u, &b->given_up, entry)
	if (str_equal(u->room, room))
		return u;
	return NULL;
}

void backlog_note_given_up(struct gateway *g, struct session *s, struct str room)
{
	if (!backlog_has_input(s))
		return;
	struct given_up *u = find_given_up(s->backlog, room);
	if (!u) {
		u = mem_alloc(offsetof(struct given_up, text) + room.len);
		u->room = str_put(u->text, room);
		STAILQ_INSERT_TAIL(&s->backlog->given_up, u, entry);
	}
	u->ms = g->now_ms;
}

bool backlog_was_given_up(const struct session *s, struct str room)
{
	const struct given_up *u = backlog_has_input(s) ? find_given_up(s->backlog, room) : NULL;
	return u && s->backlog->begun_ms <= u->ms;
}

static void forget_given_up(struct backlog *b)
{
	struct given_up *u;
	while ((u = STAILQ_FIRST(&b->given_up)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->given_up, entry);
		mem_free(u);
	}
}

bool backlog_put(struct gateway *g, struct session *s, const struct input *in)
{
	struct backlog *b = backlog_of(s);
	size_t held = b->input.len - b->at;
	if (held > FRAMES_MAX * g->options.frame_bytes_max)
		return false;
	if (!b->input.len)
		b->begun_ms = g->now_ms;
	if (b->at) {
		memmove(b->input.ptr, b->input.ptr + b->at, held);
		b->input.len = held;
		b->at = 0;
	}
	put_number(&b->input, (uint64_t)in->text.len << FLAG_BITS | (in->has_id ? HAS_ID : 0) |
				      (in->is_packet ? IS_PACKET : 0));
	if (in->has_id)
		put_number(&b->input, in->id);
	buf_str(&b->input, in->text);
	g->stats.owed_bytes += b->input.len - held;
	return true;
}

/* Reads the first event; returns where the next one begins. */
static size_t read_first(const struct backlog *b, struct input *in)
{
	size_t at = b->at;
	uint64_t head = take_number(&b->input, &at);
	*in = (struct input){.has_id = head & HAS_ID, .is_packet = head & IS_PACKET};
	if (in->has_id)
		in->id = take_number(&b->input, &at);
	in->text = str_of(b->input.ptr + at, (size_t)(head >> FLAG_BITS));
	CHECK(in->text.len <= b->input.len - at);
	return at + in->text.len;
}

void backlog_first(const struct session *s, struct input *in)
{
	(void)read_first(s->backlog, in);
}

void backlog_pop(struct gateway *g, struct session *s)
{
	struct backlog *b = s->backlog;
	struct input in;
	size_t next = read_first(b, &in);
	CHECK(g->stats.owed_bytes >= next - b->at);
	g->stats.owed_bytes -= next - b->at;
	b->at = next;
	b->is_charged = b->is_waiting = false;
	if (b->at < b->input.len)
		return;
	buf_free(&b->input);
	forget_given_up(b);
	b->at = 0;
	b->late_ms = 0;
	free_if_empty(s);
}

void backlog_wait(struct gateway *g, struct session *s)
{
	struct backlog *b = s->backlog;
	b->is_charged = b->is_waiting = true;
	b->waiting_ms = g->now_ms;
}

void backlog_settled(struct gateway *g, struct session *s)
{
	struct backlog *b = s->backlog;
	if (!b || !b->is_waiting)
		return;
	b->is_waiting = false;
	b->late_ms += g->now_ms - b->waiting_ms;
	session_touch(g, s);
}

void backlog_joins(struct gateway *g, struct session *s, int change)
{
	CHECK(change > 0 || s->joins > 0);
	s->joins = (uint16_t)(s->joins + change);
	if (change < 0)
		backlog_settled(g, s);
}

bool backlog_is_long(const struct session *s)
{
	const struct backlog *b = s->backlog;
	return b && b->input.len && (!b->is_waiting || b->input.len - b->at > WORK_A_TURN);
}

void backlog_private(struct gateway *g, struct session *s, struct request *r)
{
	(void)g;
	TAILQ_INSERT_TAIL(&backlog_of(s)->privates, r, of_session);
}

void backlog_private_over(struct gateway *g, struct session *s, struct request *r)
{
	TAILQ_REMOVE(&s->backlog->privates, r, of_session);
	backlog_settled(g, s);
	free_if_empty(s);
}

static bool is_asking(struct gateway *g, struct backlog *b)
{
	if (b->asked && !request_find(g, b->asked))
		b->asked = 0;
	return b->asked || !TAILQ_EMPTY(&b->parked);
}

void backlog_ask(struct gateway *g, struct session *s, const struct request_params *params)
{
	struct backlog *b = backlog_of(s);
	struct request_params page = *params;
	page.is_parked = is_asking(g, b);
	struct request *r = request_start(g, &page);
	if (page.is_parked)
		TAILQ_INSERT_TAIL(&b->parked, r, entry);
	else
		b->asked = r->number;
}

void backlog_park(struct gateway *g, struct session *s, struct request *r)
{
	struct backlog *b = s->backlog;
	CHECK(b->asked == r->number);
	request_park(g, r);
	TAILQ_INSERT_HEAD(&b->parked, r, entry);
	b->asked = 0;
	g->stats.parked_total++;
}

void backlog_ask_parked(struct gateway *g, struct session *s)
{
	struct backlog *b = s->backlog;
	if (is_asking(g, b) && !b->asked && session_takes(g, s)) {
		struct request *r = TAILQ_FIRST(&b->parked);
		TAILQ_REMOVE(&b->parked, r, entry);
		b->asked = r->number;
		request_unpark(g, r, b->taken_ms);
	}
	free_if_empty(s);
}

void backlog_give_up(struct gateway *g, struct session *s)
{
	struct request *r;
	while (s && s->backlog && (r = TAILQ_FIRST(&s->backlog->parked)) != NULL) {
		TAILQ_REMOVE(&s->backlog->parked, r, entry);
		frame_send_error(g, s, r->has_id, r->id, ERR_UNAVAILABLE, NULL);
		request_end(g, r);
	}
	if (s)
		session_touch(g, s);
}

void backlog_free(struct gateway *g, struct session *s)
{
	struct backlog *b = s->backlog;
	if (!b)
		return;
	struct request *r;
	while ((r = TAILQ_FIRST(&b->parked)) != NULL) {
		TAILQ_REMOVE(&b->parked, r, entry);
		request_end(g, r);
	}
	while ((r = TAILQ_FIRST(&b->privates)) != NULL) /* they go on without it */
		TAILQ_REMOVE(&b->privates, r, of_session);
	g->stats.owed_bytes -= b->input.len - b->at;
	buf_free(&b->input);
	forget_given_up(b);
	mem_free(b);
	s->backlog = NULL;
}

/* ---- invariants ---- */

/* What waits reads as whole events, and nothing is left over. */
static void check_input(const struct backlog *b)
{
	struct backlog rest = *b;
	struct input in;
	CHECK(b->at <= b->input.len);
	while (rest.at < rest.input.len)
		rest.at = read_first(&rest, &in);
	CHECK(rest.at == b->input.len);
	CHECK(b->input.len || (!b->is_charged && !b->late_ms && STAILQ_EMPTY(&b->given_up)));
	CHECK(!b->is_waiting || b->is_charged);
}

uint64_t backlog_check(struct gateway *g, const struct session *s)
{
	const struct backlog *b = s->backlog;
	const struct request *r;
	const struct given_up *u;
	uint64_t parked = 0;
	if (!b)
		return 0;
	check_input(b);
	CHECK(!b->is_waiting || s->joins || !TAILQ_EMPTY(&b->privates)); /* who waits is let go */
	TAILQ_FOREACH (r, &b->parked, entry) {
		CHECK(r->is_parked && r->session == s->number && request_find(g, r->number) == r);
		CHECK(r->kind == REQUEST_PAGE_CLIENT);
		parked++;
	}
	TAILQ_FOREACH (r, &b->privates, of_session)
		CHECK(r->kind == REQUEST_PRIVATE && r->session == s->number);
	STAILQ_FOREACH(u, &b->given_up, entry)
	CHECK(find_given_up(b, u->room) == u && u->ms <= g->now_ms);
	r = b->asked ? request_find(g, b->asked) : NULL;
	CHECK(!r || (r->kind == REQUEST_PAGE_CLIENT && r->session == s->number && !r->is_parked));
	return parked;
}
