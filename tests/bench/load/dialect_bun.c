// SPDX-License-Identifier: MIT
/* dialect_bun.c — peers/bun.mjs: room and name are in the address, a frame is a message, and
 * everybody in the room, the writer too, gets "name: message". Who is connected has joined. */
#include "tests/bench/load/client.h"
#include "tests/bench/load/dialect.h"

static void path(const struct client *c, struct buf *out)
{
	buf_printf(out, "/?room=%s-%u&username=user%u", c->load->o.label, c->room, c->number);
}

static void opened(struct client *c)
{
	load_joined(c);
}

static void say(struct client *c, struct str body, uint64_t id)
{
	(void)id;
	client_send(c, body);
}

const struct dialect dialect_bun = {
	.name = "bun",
	.opcode = WS_TEXT,
	.path = path,
	.open = opened,
	.enter = load_joined,
	.say = say,
	.take = load_message,
};
