// SPDX-License-Identifier: MIT
/* shards.c — see shell/shards.h. */
#include "gateway/shell/shards.h"
#include "proto/shell/clock.h"

enum { TURN_MESSAGES = 64 }; /* taken from one port before the clients see the results */

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct shard_port *p = poll->data;
	struct port_message m;
	uint64_t now_ms = clock_steady_ms();
	(void)status;
	(void)events;
	for (int n = 0; n < TURN_MESSAGES && port_receive(p->port, &m); n++) {
		gateway_step(p->all->core, now_ms, &p->source, m.bytes, p->all->out);
		port_message_free(&m);
	}
}

/* What is opened now. */
struct opening {
	struct shards *all;
	uv_loop_t *loop;
	const char *address;
	enum service service;
	uint32_t shard;
};

static void open_port(const struct opening *o, struct shard_port *p, enum port_kind kind,
		      enum endpoint endpoint)
{
	const struct port_options po = {
		.kind = kind,
		.address = o->address,
		.endpoint = endpoint,
		.self.to = o->shard + 1,
		.whole = gateway_topology(o->all->core),
	};
	p->source = (struct bus_source){.kind = o->service, .shard = o->shard};
	p->all = o->all;
	p->port = service_open_port(o->all->main, &po, o->service, o->shard);
	if (kind == PORT_PUBLISH)
		return;
	CHECK(uv_poll_init(o->loop, &p->poll, port_fd(p->port)) == 0);
	p->poll.data = p;
	CHECK(uv_poll_start(&p->poll, UV_READABLE, on_readable) == 0);
}

void shards_open(struct shards *s, uv_loop_t *loop, const struct address_list *roomds,
		 const struct address_list *historyds)
{
	s->roomd_count = roomds->count;
	s->historyd_count = historyds->count;
	for (uint32_t i = 0; i < s->roomd_count; i++) {
		const struct opening o = {s, loop, roomds->at[i], SERVICE_ROOMD, i};
		open_port(&o, &s->roomd_down[i], PORT_SUBSCRIBE, ENDPOINT_DOWN);
		open_port(&o, &s->roomd_up[i], PORT_PUBLISH, ENDPOINT_UP);
	}
	for (uint32_t i = 0; i < s->historyd_count; i++) {
		const struct opening o = {s, loop, historyds->at[i], SERVICE_HISTORYD, i};
		open_port(&o, &s->historyd_down[i], PORT_SUBSCRIBE, ENDPOINT_DOWN);
		open_port(&o, &s->historyd_read[i], PORT_REQUEST, ENDPOINT_READ);
		open_port(&o, &s->historyd_up[i], PORT_PUBLISH, ENDPOINT_UP);
	}
}

/* A message that finds its queue full is lost like anything else on the bus, and said again. */
static void send_batch(struct shard_port *p, struct batch *batch)
{
	if (batch->count == 0)
		return;
	port_send(p->port, batch);
	batch_reset(batch);
}

/* What one event buys, and what all of a message can. */
struct pace {
	uint64_t event_us, max_us;
};
static const struct pace posts_pace = {1000, 4000};
static const struct pace asks_pace = {100, 1000}; /* joins wait for them several times over */

/* Whether so many events may go now. */
static bool may_send(const struct pace *pace, uint64_t *not_before_us, uint64_t events,
		     uint64_t now_us)
{
	uint64_t wait_us = events * pace->event_us;
	if (events == 0 || now_us < *not_before_us)
		return false;
	*not_before_us = now_us + (wait_us < pace->max_us ? wait_us : pace->max_us);
	return true;
}

static uint64_t send_posts(struct shards *s, uint64_t now_us)
{
	uint64_t events = 0;
	for (uint32_t i = 0; i < s->historyd_count; i++)
		events += s->out->historyd[i].count;
	if (!may_send(&posts_pace, &s->posts_us, events, now_us))
		return events ? s->posts_us : 0;
	for (uint32_t i = 0; i < s->historyd_count; i++)
		send_batch(&s->historyd_up[i], &s->out->historyd[i]);
	return 0;
}

static uint64_t send_asks(struct shards *s, uint64_t now_us)
{
	uint64_t events = 0;
	for (uint32_t i = 0; i < s->historyd_count; i++)
		events += s->out->read[i].count;
	for (uint32_t i = 0; i < s->roomd_count; i++)
		events += s->out->roomd[i].count;
	if (!may_send(&asks_pace, &s->asks_us, events, now_us))
		return events ? s->asks_us : 0;
	for (uint32_t i = 0; i < s->historyd_count; i++)
		send_batch(&s->historyd_read[i], &s->out->read[i]);
	for (uint32_t i = 0; i < s->roomd_count; i++)
		send_batch(&s->roomd_up[i], &s->out->roomd[i]);
	return 0;
}

uint64_t shards_send(struct shards *s, uint64_t now_us)
{
	uint64_t asks_us = send_asks(s, now_us);
	uint64_t posts_us = send_posts(s, now_us);
	return asks_us && (!posts_us || asks_us < posts_us) ? asks_us : posts_us;
}

void shards_heartbeat(struct shards *s, bool is_ready, uint64_t now_ms)
{
	const struct ev_heartbeat state = {.ready = is_ready};
	for (uint32_t i = 0; i < s->historyd_count; i++)
		port_heartbeat(s->historyd_up[i].port, &state, now_ms);
	for (uint32_t i = 0; i < s->roomd_count; i++)
		port_heartbeat(s->roomd_up[i].port, &state, now_ms);
}

static void stop_polling(struct shard_port *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		uv_close((uv_handle_t *)&ports[i].poll, NULL);
}

void shards_stop(struct shards *s)
{
	stop_polling(s->roomd_down, s->roomd_count);
	stop_polling(s->historyd_down, s->historyd_count);
	stop_polling(s->historyd_read, s->historyd_count);
}
