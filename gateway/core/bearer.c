// SPDX-License-Identifier: MIT
/* bearer.c — see bearer.h. Ends are kept by the second in a ring of slots, so that a second costs
 * its share of them, whatever their order. */
#include "gateway/core/bearer.h"
#include "gateway/core/frame.h"
#include "gateway/core/session.h"

enum { SECOND_MS = 1000 };

static struct bearer_list *slot_of(struct gateway *g, uint64_t second)
{
	return &g->bearers[second % BEARER_SLOTS];
}

/* The first second of the clock at which it is due. */
static uint64_t second_of(const struct bearer *b)
{
	return (b->due_ms + SECOND_MS - 1) / SECOND_MS;
}

static void wait_until(struct gateway *g, struct bearer *b, uint64_t due_ms)
{
	b->due_ms = due_ms;
	TAILQ_INSERT_TAIL(slot_of(g, second_of(b)), b, entry);
}

static struct room_patterns copy_patterns(struct room_patterns p, struct str **lists, char **text)
{
	struct room_patterns copy = {.is_any = p.is_any, .list = *lists, .count = p.count};
	for (size_t i = 0; i < p.count; i++) {
		*(*lists)++ = str_put(*text, p.list[i]);
		*text += p.list[i].len;
	}
	return copy;
}

static size_t text_bytes(const struct claims *c)
{
	size_t bytes = c->identity.len + c->name.len;
	for (size_t i = 0; i < c->join.count; i++)
		bytes += c->join.list[i].len;
	for (size_t i = 0; i < c->write.count; i++)
		bytes += c->write.list[i].len;
	return bytes;
}

static struct bearer *copy_of(const struct claims *c)
{
	size_t count = c->join.count + c->write.count;
	struct bearer *b = mem_alloc(sizeof *b + count * sizeof *b->lists + text_bytes(c));
	struct str *lists = b->lists;
	char *text = (char *)(b->lists + count);
	b->claims = *c;
	b->claims.identity = str_put(text, c->identity);
	text += c->identity.len;
	b->claims.name = str_put(text, c->name);
	text += c->name.len;
	b->claims.join = copy_patterns(c->join, &lists, &text);
	b->claims.write = copy_patterns(c->write, &lists, &text);
	return b;
}

void bearer_set(struct gateway *g, struct session *s, const struct claims *claims)
{
	CHECK(claims->identity.len == CLAIMS_IDENTITY_LEN);
	struct bearer *b = copy_of(claims);
	bearer_drop(g, s);
	if (g->bearer_count++ == 0)
		g->bearers_second = g->now_ms / SECOND_MS;
	s->bearer = b;
	b->session = s;
	b->ends_ms = g->now_ms + claims->ends_in_ms;
	bool is_late = claims->ends_in_ms <= TOKEN_WARNING_MS; /* it has just been got like that */
	wait_until(g, b, is_late ? b->ends_ms : b->ends_ms - TOKEN_WARNING_MS);
}

void bearer_drop(struct gateway *g, struct session *s)
{
	struct bearer *b = s->bearer;
	if (!b)
		return;
	s->bearer = NULL;
	g->bearer_count--;
	if (b->due_ms != UINT64_MAX)
		TAILQ_REMOVE(slot_of(g, second_of(b)), b, entry);
	mem_free(b);
}

bool bearer_may_join(const struct gateway *g, const struct session *s, struct client_event *e,
		     struct str user, struct str room)
{
	if (e->error != ERR_OK)
		return false;
	if (!s->bearer && g->options.auth == AUTH_TOKENS) {
		client_event_fail(e, ERR_UNAUTHORIZED, "a token is needed here");
		return false;
	}
	if (!s->bearer)
		return true;
	const struct claims *c = &s->bearer->claims;
	if (c->name.len && !str_equal(c->name, user))
		client_event_fail(e, ERR_USERNAME_MISMATCH, "the token is for \"" STR_FMT "\"",
				  STR_ARG(c->name));
	else if (!room_patterns_allow(&c->join, room))
		client_event_fail(e, ERR_FORBIDDEN, "the token is for other rooms");
	return e->error == ERR_OK;
}

bool bearer_may_write(const struct session *s, struct client_event *e)
{
	if (!s->bearer || room_patterns_allow(&s->bearer->claims.write, e->room))
		return true;
	client_event_fail(e, ERR_FORBIDDEN, "the token does not let you write here");
	return false;
}

/* ---- its end ---- */

static void warn(struct gateway *g, const struct bearer *b)
{
	struct session *s = b->session;
	buf_printf(frame_begin_event(g, s->wire, "tokenExpires", (struct str){0}),
		   "{\"inMs\":%" PRIu64 "}", b->ends_ms - g->now_ms);
	frame_end_event(g, s->wire);
	frame_send_json(g, s);
}

static void be_due(struct gateway *g, struct bearer *b)
{
	struct session *s = b->session;
	TAILQ_REMOVE(slot_of(g, second_of(b)), b, entry);
	if (b->ends_ms > g->now_ms) {
		warn(g, b);
		wait_until(g, b, b->ends_ms);
		return;
	}
	b->due_ms = UINT64_MAX;
	if (!s->is_closing)
		session_close(g, s, CLOSE_TOKEN);
}

void bearer_tick(struct gateway *g)
{
	uint64_t now = g->now_ms / SECOND_MS;
	if (g->bearer_count == 0)
		return;
	if (now - g->bearers_second > BEARER_SLOTS) /* once round is all of them */
		g->bearers_second = now - BEARER_SLOTS;
	while (g->bearers_second < now) {
		struct bearer *b = TAILQ_FIRST(slot_of(g, ++g->bearers_second));
		while (b) {
			struct bearer *next = TAILQ_NEXT(b, entry);
			if (b->due_ms <= g->now_ms)
				be_due(g, b);
			b = next;
		}
	}
}

uint64_t bearer_next_due(const struct gateway *g)
{
	return g->bearer_count ? (g->bearers_second + 1) * SECOND_MS : UINT64_MAX;
}

void bearers_check(const struct gateway *g)
{
	const struct bearer *b;
	uint32_t waiting = 0;
	for (size_t i = 0; i < BEARER_SLOTS; i++) {
		TAILQ_FOREACH (b, &g->bearers[i], entry) {
			CHECK(b->session->bearer == b && b->due_ms <= b->ends_ms);
			CHECK(second_of(b) % BEARER_SLOTS == i);
			waiting++;
		}
	}
	CHECK(waiting <= g->bearer_count); /* those whose end has come wait for nothing more */
}
