// SPDX-License-Identifier: MIT
/* relay.c — see relay.h: messages to the side that they are for, and what is due. Not here: asking
 * (relay/calls.c), executing (relay/tasks.c). */
#include "gateway/relay/sides.h"

void relay_open(struct relay *r, uint64_t seed)
{
	bus_reader_init(&r->reader, SERVICE_GATEWAY);
	relay_calls_open(r, seed);
	relay_tasks_open(r, seed);
}

void relay_close(struct relay *r)
{
	relay_calls_close(r);
	relay_tasks_close(r);
	bus_reader_free(&r->reader);
	batch_free(&r->scratch);
}

void relay_receive(struct relay *r, uint64_t now_ms, struct str message, struct str route)
{
	struct envelope from;
	struct bus_event ev;
	if (!bus_open(&r->reader, message, &from))
		return;
	while (bus_next(&r->reader, &ev)) {
		if (ev.type == EV_relay_answer && !route.len)
			on_relay_answer(r, now_ms, &ev.as.relay_answer);
		else if (ev.type == EV_relay_ask && route.len)
			on_relay_ask(r, now_ms, &from, &ev.as.relay_ask, route);
		else if (ev.type == EV_relay_done && route.len)
			on_relay_done(r, now_ms, &from, &ev.as.relay_done, route);
	}
}

void relay_tick(struct relay *r, uint64_t now_ms)
{
	relay_calls_tick(r, now_ms);
	relay_tasks_tick(r, now_ms);
}

uint64_t relay_next_due(const struct relay *r)
{
	uint64_t calls = relay_calls_next_due(r);
	uint64_t tasks = relay_tasks_next_due(r);
	return calls < tasks ? calls : tasks;
}
