// SPDX-License-Identifier: MIT
/* dialect_nats.c — the NATS client protocol over WebSocket: a stream of lines in binary frames, in
 * which MSG is followed by its payload. A room is a subject; the PONG after SUB says that the
 * subscription stands. */
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

#include <stdio.h>
#include <stdlib.h>

static void path(const struct client *c, struct buf *out)
{
	(void)c;
	BUF_LIT(out, "/");
}

static void opened(struct client *c)
{
	(void)c;
}

static void enter(struct client *c)
{
	static struct buf b;
	buf_printf(
		&b,
		"CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\","
		"\"version\":\"1\",\"protocol\":1,\"name\":\"user%u\"}\r\nSUB %s-%u 1\r\nPING\r\n",
		c->number, c->load->o.label, c->room);
	client_send(c, buf_view(&b));
	buf_reset(&b);
}

static void say(struct client *c, struct str body, uint64_t id)
{
	static struct buf b;
	(void)id;
	buf_printf(&b, "PUB %s-%u %zu\r\n", c->load->o.label, c->room, body.len);
	buf_str(&b, body);
	BUF_LIT(&b, "\r\n");
	client_send(c, buf_view(&b));
	buf_reset(&b);
}

static bool begins(struct str line, const char *with)
{
	size_t len = strlen(with);
	return line.len >= len && memcmp(line.ptr, with, len) == 0;
}

/* MSG subject sid [reply-to] bytes */
static size_t payload_bytes(struct str line)
{
	const char *at = line.ptr + line.len;
	while (at > line.ptr && at[-1] != ' ')
		at--;
	return strtoul(at, NULL, 10); /* the line's end ends it */
}

/* One line, with its payload if it has one; returns how long it was, 0: not complete. */
static size_t take_one(struct client *c, struct str bytes)
{
	const char *end = memmem(bytes.ptr, bytes.len, "\r\n", 2);
	if (!end)
		return 0;
	struct str line = str_of(bytes.ptr, (size_t)(end - bytes.ptr));
	size_t used = line.len + 2;
	if (begins(line, "MSG ")) {
		size_t len = payload_bytes(line);
		if (bytes.len - used < len + 2)
			return 0;
		load_message(c, str_of(bytes.ptr + used, len));
		return used + len + 2;
	}
	if (begins(line, "PING"))
		client_send(c, STR("PONG\r\n"));
	else if (begins(line, "PONG"))
		load_joined(c);
	else if (begins(line, "-ERR"))
		load_fault(c, STR_FMT, STR_ARG(line));
	return used;
}

static size_t take_all(struct client *c, struct str bytes)
{
	size_t used = 0, one;
	while (c->state != CLIENT_IDLE &&
	       (one = take_one(c, str_of(bytes.ptr + used, bytes.len - used))) > 0)
		used += one;
	return used;
}

static void take(struct client *c, struct str payload)
{
	if (c->rest.len == 0) {
		size_t used = take_all(c, payload);
		buf_append(&c->rest, payload.ptr + used, payload.len - used);
		return;
	}
	buf_append(&c->rest, payload.ptr, payload.len);
	size_t used = take_all(c, buf_view(&c->rest));
	if (c->state == CLIENT_IDLE)
		return; /* and the rest is gone */
	c->rest.len -= used;
	memmove(c->rest.ptr, c->rest.ptr + used, c->rest.len);
}

const struct dialect dialect_nats = {
	.name = "nats",
	.opcode = WS_BINARY,
	.path = path,
	.open = opened,
	.enter = enter,
	.say = say,
	.take = take,
};
