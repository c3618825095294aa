// SPDX-License-Identifier: MIT
/* bus_peer.c — see bus_peer.h. */
#include "tests/support/bus_peer.h"

struct str bus_peer_message(struct bus_peer *p)
{
	if (!p->is_answering)
		p->self.seq++;
	buf_reset(&p->message);
	bus_put_header(&p->message, &p->self);
	buf_str(&p->message, buf_view(&p->batch.bytes));
	batch_reset(&p->batch);
	return buf_view(&p->message);
}

void bus_peer_free(struct bus_peer *p)
{
	batch_free(&p->batch);
	buf_free(&p->message);
}

bool bus_find(const struct batch *batch, enum ev_type type, size_t n, struct bus_event *ev)
{
	static struct buf message;
	static struct bus_reader reader;
	struct envelope env;
	if (reader.starts)
		bus_reader_free(&reader);
	buf_free(&message);
	bus_reader_init(&reader, SERVICE_ANY);
	bus_put_header(&message, &(struct envelope){.from = SERVICE_ROOMD});
	buf_str(&message, buf_view(&batch->bytes));
	CHECK(bus_open(&reader, buf_view(&message), &env));
	while (bus_next(&reader, ev))
		if (ev->type == type && n-- == 0)
			return true;
	CHECK(!reader.in.bad);
	return false;
}

size_t bus_count(const struct batch *batch, enum ev_type type)
{
	struct bus_event ev;
	size_t count = 0;
	while (bus_find(batch, type, count, &ev))
		count++;
	return count;
}
