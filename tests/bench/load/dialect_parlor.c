// SPDX-License-Identifier: MIT
/* dialect_parlor.c — Parlor's native protocol (proto/PROTOCOL.md). A client is in its room once the
 * greeting is complete, which msgHistory ends. */
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

#include <stdlib.h>

static void path(const struct client *c, struct buf *out)
{
	(void)c;
	BUF_LIT(out, "/ws");
}

static void opened(struct client *c)
{
	(void)c;
}

static void put_room(const struct client *c, struct buf *out)
{
	buf_printf(out, "\"room\":\"%s-%u\"", c->load->o.label, c->room);
}

static void send_buf(struct client *c, struct buf *b)
{
	client_send(c, buf_view(b));
	buf_reset(b);
}

static void enter(struct client *c)
{
	static struct buf b;
	buf_printf(&b, "{\"event\":\"userJoin\",\"data\":{\"username\":\"user%u\",", c->number);
	put_room(c, &b);
	BUF_LIT(&b, "}}");
	send_buf(c, &b);
}

static void say(struct client *c, struct str body, uint64_t id)
{
	static struct buf b;
	BUF_LIT(&b, "{\"event\":\"updateChat\",\"data\":{");
	put_room(c, &b);
	BUF_LIT(&b, ",\"body\":\"");
	buf_str(&b, body);
	BUF_LIT(&b, "\"},\"id\":");
	buf_u64(&b, id);
	BUF_LIT(&b, "}");
	send_buf(c, &b);
}

static void ask_page(struct client *c, uint64_t before, uint64_t limit)
{
	static struct buf b;
	BUF_LIT(&b, "{\"event\":\"history\",\"data\":{");
	put_room(c, &b);
	buf_printf(&b, ",\"before\":%" PRIu64 ",\"limit\":%" PRIu64 "},\"id\":0}", before, limit);
	send_buf(c, &b);
}

static bool begins(struct str s, struct str with)
{
	return s.len >= with.len && memcmp(s.ptr, with.ptr, with.len) == 0;
}

static uint64_t count_messages(struct str s)
{
	static const char mark[] = "\"seq\":";
	const char *end = s.ptr + s.len;
	const char *at = s.ptr;
	uint64_t count = 0;
	while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1))) {
		at += sizeof mark - 1;
		count++;
	}
	return count;
}

static void take_ack(struct client *c, struct str payload, size_t id_at)
{
	static const char page[] = "{\"messages\":";
	char *end;
	uint64_t id = strtoull(payload.ptr + id_at, &end, 10); /* a comma ends it */
	size_t data_at = (size_t)(end - payload.ptr) + strlen(",\"data\":");
	if (id > 0)
		load_acked(c, id);
	else if (payload.len > data_at + sizeof page &&
		 memcmp(payload.ptr + data_at, page, sizeof page - 1) == 0)
		load_page(c, count_messages(payload));
	else
		load_fault(c, "an ack to nothing: " STR_FMT, STR_ARG(payload));
}

static void take(struct client *c, struct str payload)
{
	const struct str chat = STR("{\"event\":\"updateChat\"");
	const struct str ack = STR("{\"event\":\"ack\",\"id\":");
	const struct str greeting = STR("{\"event\":\"msgHistory\"");
	const struct str error = STR("{\"event\":\"error\"");
	if (begins(payload, chat))
		load_message(c, payload);
	else if (begins(payload, ack))
		take_ack(c, payload, ack.len);
	else if (begins(payload, greeting))
		load_joined(c);
	else if (begins(payload, error))
		load_fault(c, STR_FMT, STR_ARG(payload));
}

const struct dialect dialect_parlor = {
	.name = "parlor",
	.opcode = WS_TEXT,
	.path = path,
	.open = opened,
	.enter = enter,
	.say = say,
	.ask_page = ask_page,
	.take = take,
};
