// SPDX-License-Identifier: MIT
/* dialect_socketio.c — peers/socketio.mjs: Engine.IO 4 over WebSocket from the start. Packets: 0
 * open, 2 ping, 3 pong, 40 connect, 42["event",…] an event, 421[…] one that wants the ack 431[…].
 */
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

static void path(const struct client *c, struct buf *out)
{
	(void)c;
	BUF_LIT(out, "/socket.io/?EIO=4&transport=websocket");
}

static void opened(struct client *c)
{
	(void)c;
}

/* Joining begins with the server's open packet, which may come before or after this. */
static void enter(struct client *c)
{
	client_send(c, STR("40"));
}

static void ask_to_join(struct client *c)
{
	static struct buf b;
	buf_printf(&b, "421[\"join\",\"%s-%u\"]", c->load->o.label, c->room);
	client_send(c, buf_view(&b));
	buf_reset(&b);
}

static void say(struct client *c, struct str body, uint64_t id)
{
	static struct buf b;
	(void)id;
	BUF_LIT(&b, "42[\"chat message\",\"");
	buf_str(&b, body);
	BUF_LIT(&b, "\"]");
	client_send(c, buf_view(&b));
	buf_reset(&b);
}

static void take(struct client *c, struct str payload)
{
	const char *p = payload.ptr;
	if (payload.len == 1 && p[0] == '2')
		client_send(c, STR("3"));
	else if (payload.len > 2 && p[0] == '4' && p[1] == '2')
		load_message(c, payload);
	else if (payload.len >= 2 && p[0] == '4' && p[1] == '0')
		ask_to_join(c);
	else if (payload.len >= 2 && p[0] == '4' && p[1] == '3')
		load_joined(c);
	else if (payload.len == 0 || p[0] != '0')
		load_fault(c, STR_FMT, STR_ARG(payload));
}

const struct dialect dialect_socketio = {
	.name = "socketio",
	.opcode = WS_TEXT,
	.path = path,
	.open = opened,
	.enter = enter,
	.say = say,
	.take = take,
};
