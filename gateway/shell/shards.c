// SPDX-License-Identifier: MIT
/* shards.c — see shell/shards.h. */
#include "gateway/shell/shards.h"
#include "proto/shell/clock.h"

#include <stdio.h>

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

struct opening {
	struct shards *all;
	uv_loop_t *loop;
	const char *address;
	char *error;
	size_t error_len;
};

static bool open_port(const struct opening *o, struct shard_port *p, enum service service,
		      uint32_t shard, enum port_kind kind, enum endpoint endpoint)
{
	static const char *const names[] = {"up", "down", "ask", "read"};
	struct envelope self = o->all->self;
	self.to = shard + 1;
	const struct port_options po = {
		.kind = kind,
		.address = o->address,
		.endpoint = endpoint,
		.label = p->label,
		.self = self,
		.whole = gateway_topology(o->all->core),
		.tap = o->all->tap,
	};
	snprintf(p->label, sizeof p->label, "%s-%u.%s", service_name(service), shard,
		 names[endpoint]);
	p->source = (struct bus_source){.kind = service, .shard = shard};
	p->all = o->all;
	p->port = port_open(&po, o->error, o->error_len);
	if (!p->port || kind == PORT_PUBLISH)
		return p->port != NULL;
	CHECK(uv_poll_init(o->loop, &p->poll, port_fd(p->port)) == 0);
	p->poll.data = p;
	CHECK(uv_poll_start(&p->poll, UV_READABLE, on_readable) == 0);
	return true;
}

static bool open_roomd(const struct opening *o, uint32_t i)
{
	struct shards *s = o->all;
	return open_port(o, &s->roomd_down[i], SERVICE_ROOMD, i, PORT_SUBSCRIBE, ENDPOINT_DOWN) &&
	       open_port(o, &s->roomd_up[i], SERVICE_ROOMD, i, PORT_PUBLISH, ENDPOINT_UP);
}

static bool open_historyd(const struct opening *o, uint32_t i)
{
	struct shards *s = o->all;
	return open_port(o, &s->historyd_down[i], SERVICE_HISTORYD, i, PORT_SUBSCRIBE,
			 ENDPOINT_DOWN) &&
	       open_port(o, &s->historyd_read[i], SERVICE_HISTORYD, i, PORT_ASK, ENDPOINT_READ) &&
	       open_port(o, &s->historyd_up[i], SERVICE_HISTORYD, i, PORT_PUBLISH, ENDPOINT_UP);
}

bool shards_open(struct shards *s, uv_loop_t *loop, const char *tap_address,
		 const char *const *roomds, const char *const *historyds, char *error,
		 size_t error_len)
{
	struct opening o = {.all = s, .loop = loop, .error = error, .error_len = error_len};
	if (*tap_address) {
		s->tap = tap_open(tap_address, &s->self, error, error_len);
		if (!s->tap)
			return false;
	}
	for (uint32_t i = 0; i < s->roomd_count; i++) {
		o.address = roomds[i];
		if (!open_roomd(&o, i))
			return false;
	}
	for (uint32_t i = 0; i < s->historyd_count; i++) {
		o.address = historyds[i];
		if (!open_historyd(&o, i))
			return false;
	}
	return true;
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
