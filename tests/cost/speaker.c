// SPDX-License-Identifier: MIT
/* speaker.c — see speaker.h. */
#include "tests/cost/speaker.h"

enum { NUMBER_DIGITS = 8 };

static struct buf *text_begin(struct speaker *s, const char *event)
{
	buf_reset(&s->text);
	if (s->person.wire == WIRE_NATIVE)
		buf_printf(&s->text, "{\"event\":\"%s\",\"id\":1,\"data\":", event);
	else
		buf_printf(&s->text, "[\"%s\",", event);
	return &s->text;
}

static void text_end(struct speaker *s)
{
	buf_append(&s->text, s->person.wire == WIRE_NATIVE ? "}" : "]", 1);
}

void speaker_plan_join(struct speaker *s, size_t user, size_t room)
{
	struct buf *b = text_begin(s, "userJoin");
	buf_printf(b, "{\"username\":\"user-%05zu\",\"room\":\"room-%03zu\"}", user, room);
	text_end(s);
}

void speaker_plan_message(struct speaker *s, size_t room)
{
	struct buf *b = text_begin(s, "updateChat");
	buf_printf(b, "{\"room\":\"room-%03zu\",\"body\":\"%0*d\",\"cid\":\"", room, BODY_BYTES, 0);
	s->number_at = b->len;
	buf_printf(b, "%0*d\"}", NUMBER_DIGITS, 0);
	text_end(s);
}

void speaker_plan_history(struct speaker *s, size_t room, uint64_t before, uint64_t limit)
{
	struct buf *b = text_begin(s, "history");
	buf_printf(b, "{\"room\":\"room-%03zu\",\"before\":%" PRIu64 ",\"limit\":%" PRIu64 "}",
		   room, before, limit);
	text_end(s);
}

void speaker_say(struct speaker *s)
{
	person_say(&s->person, buf_view(&s->text));
}

void speaker_say_new(struct speaker *s, uint64_t number)
{
	for (size_t i = s->number_at + NUMBER_DIGITS; i-- > s->number_at; number /= 10)
		s->text.ptr[i] = (char)('0' + number % 10);
	speaker_say(s);
}
