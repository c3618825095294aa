// SPDX-License-Identifier: MIT
/* hearings.c — what people are told, held to what the story says. Each thing is taken by one
 * sentence. In a room, messages come in order, and so does what one user does beside them; a coming
 * is told before anything else of that user. Else there is no order: messages come from historyd,
 * and the rest from roomd. */
#include "tests/scripts/play.h"

/* What was said or done before has reached everybody then: comings and goings are put together for
 * a quarter of a second, and the rest is faster. */
enum { FENCE_MS = 400, SHOWN_MAX = 6 };

static const char *verb(enum thing_kind kind)
{
	switch (kind) {
	case THING_SAY:
		return "say";
	case THING_JOIN:
		return "join";
	case THING_LEAVE:
		return "leave";
	case THING_TYPE:
		return "type";
	case THING_STOP:
		return "stop typing";
	case THING_INVITE:
		return "invite to";
	case THING_ERROR:
		return "error";
	case THING_OTHER:
		break;
	}
	return "something else";
}

/* " heard, and not in the story: ann say "hi" in hall; …" */
static void list_untaken(const struct guest *g, struct buf *list)
{
	size_t count = 0;
	for (const struct thing *t = g->things; t; t = t->next)
		if (!t->is_taken && count++ < SHOWN_MAX)
			buf_printf(list, "%s" STR_FMT " %s \"" STR_FMT "\" in " STR_FMT,
				   count > 1 ? "; " : "", STR_ARG(t->user), verb(t->kind),
				   STR_ARG(t->text), STR_ARG(t->room));
	if (!count)
		BUF_LIT(list, "nothing");
}

static bool fail_with_rest(struct play *p, const struct sentence *s, const struct guest *g,
			   const char *what)
{
	struct buf rest = {0};
	list_untaken(g, &rest);
	play_fail(p, s, STR_FMT " %s; untold: " STR_FMT, STR_ARG(g->who), what,
		  STR_ARG(buf_view(&rest)));
	buf_free(&rest);
	return false;
}

/* ---- one thing ---- */

static bool is_meant(const struct thing *t, const struct thing *expected)
{
	bool is_room = str_equal(t->room, expected->room) ||
		       (expected->kind == THING_ERROR && !expected->room.len);
	return !t->is_taken && t->kind == expected->kind && is_room &&
	       str_equal(t->user, expected->user) && str_equal(t->text, expected->text);
}

static bool is_of_same_user(const struct thing *a, const struct thing *b)
{
	return str_equal(a->user, b->user) && str_equal(a->room, b->room);
}

/* Whether the user has left the room before it came like this. */
static bool has_left(const struct guest *g, const struct thing *coming)
{
	for (const struct thing *t = g->things; t != coming; t = t->next)
		if (t->kind == THING_LEAVE && is_of_same_user(t, coming))
			return true;
	return false;
}

/* Whether `early` must not have come before `late`, since the story has it later. */
static bool is_out_of_order(const struct guest *g, const struct thing *early,
			    const struct thing *late)
{
	if (early->kind == THING_SAY && late->kind == THING_SAY)
		return str_equal(early->room, late->room);
	if (!is_of_same_user(early, late))
		return false;
	if (early->kind == THING_SAY)
		return late->kind == THING_JOIN && !has_left(g, late);
	return late->kind != THING_SAY || early->kind == THING_JOIN;
}

/* Whether one that is told of later in the story has come before. */
static bool is_overtaken(const struct guest *g, const struct thing *until)
{
	for (const struct thing *t = g->things; t != until; t = t->next)
		if (!t->is_taken && is_out_of_order(g, t, until))
			return true;
	return false;
}

static bool hear(struct play *p, const struct sentence *s, struct guest *g,
		 const struct thing *expected)
{
	for (;;) {
		struct thing *t = g->things;
		while (t && !is_meant(t, expected))
			t = t->next;
		if (t && is_overtaken(g, t))
			return fail_with_rest(p, s, g, "hears something else before");
		if (t) {
			t->is_taken = true;
			return true;
		}
		if (!play_wait(p))
			return fail_with_rest(p, s, g, "does not hear that");
	}
}

static bool hear_says(struct play *p, const struct sentence *s, struct guest *g,
		      struct thing *expected)
{
	for (size_t i = 0; i < s->texts.count; i++) {
		expected->text = s->texts.list[i];
		if (!hear(p, s, g, expected))
			return false;
	}
	return true;
}

/* ---- nothing, lists, ends ---- */

static bool has_untaken(const struct guest *g)
{
	for (const struct thing *t = g->things; t; t = t->next)
		if (!t->is_taken)
			return true;
	return false;
}

static bool hear_nothing(struct play *p, const struct sentence *s, struct guest *g)
{
	world_run(&p->world, p->world.now_ms + FENCE_MS);
	return !has_untaken(g) || fail_with_rest(p, s, g, "is told more than the story says");
}

static bool is_named(const struct texts *users, struct str name)
{
	for (size_t i = 0; i < users->count; i++)
		if (str_equal(users->list[i], name))
			return true;
	return false;
}

static bool see(struct play *p, const struct sentence *s, struct guest *g)
{
	struct seat *seat = guest_seat(g, sentence_text(s, "ROOM"));
	for (;;) {
		bool is_same = seat->users.count == s->texts.count;
		for (size_t i = 0; is_same && i < s->texts.count; i++)
			is_same = is_named(&seat->users, s->texts.list[i]);
		if (is_same)
			return true;
		if (!play_wait(p))
			return play_fail(p, s, STR_FMT " sees %zu others", STR_ARG(g->who),
					 seat->users.count);
	}
}

static bool be_closed(struct play *p, const struct sentence *s, struct guest *g)
{
	while (g->conn)
		if (!play_wait(p))
			return play_fail(p, s, STR_FMT " is not closed", STR_ARG(g->who));
	if (g->close_code != sentence_number(s, "NUMBER"))
		return play_fail(p, s, STR_FMT " is closed with %u", STR_ARG(g->who),
				 g->close_code);
	g->close_code = 0;
	return true;
}

bool play_hearing(struct play *p, const struct sentence *s)
{
	struct guest *g = play_guest(p, sentence_text(s, "WHO"));
	struct thing expected = {.user = sentence_text(s, "USER"),
				 .room = sentence_text(s, "ROOM")};
	switch ((int)s->kind) {
	case SENTENCE_hear_say:
		expected.kind = THING_SAY;
		return hear_says(p, s, g, &expected);
	case SENTENCE_hear_join:
		expected.kind = THING_JOIN;
		return hear(p, s, g, &expected);
	case SENTENCE_hear_leave:
		expected.kind = THING_LEAVE;
		return hear(p, s, g, &expected);
	case SENTENCE_hear_type:
		expected.kind = THING_TYPE;
		return hear(p, s, g, &expected);
	case SENTENCE_hear_stop:
		expected.kind = THING_STOP;
		return hear(p, s, g, &expected);
	case SENTENCE_hear_invite:
		expected.kind = THING_INVITE;
		return hear(p, s, g, &expected);
	case SENTENCE_hear_error:
		expected.kind = THING_ERROR;
		expected.text = sentence_text(s, "CODE");
		expected.room = sentence_text(s, "in");
		return hear(p, s, g, &expected);
	case SENTENCE_hear_none:
		return hear_nothing(p, s, g);
	case SENTENCE_see:
		return see(p, s, g);
	case SENTENCE_closed:
		return be_closed(p, s, g);
	}
	return play_fail(p, s, "nothing that one is told");
}

bool play_ending(struct play *p, const struct sentence *last)
{
	world_run(&p->world, p->world.now_ms + FENCE_MS);
	for (size_t i = 0; i < p->guest_count; i++) {
		struct guest *g = &p->guests[i];
		if (has_untaken(g))
			return fail_with_rest(p, last, g, "was told more than the story says");
		if (g->close_code)
			return play_fail(p, last, STR_FMT " was closed with %u", STR_ARG(g->who),
					 g->close_code);
	}
	return true;
}
