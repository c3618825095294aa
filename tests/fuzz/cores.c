// SPDX-License-Identifier: MIT
/* cores.c — fuzz target: whatever may come by the bus, given to a service's core, message after
 * message while time passes. The first byte says which core. Most envelopes are as they should be,
 * so that what stands in them is acted on; a core's invariants are checked after each step. */
#include "gateway/core/events.h"
#include "gateway/core/gateway.h"
#include "historyd/historyd.h"
#include "proto/link.h"
#include "roomd/roomd.h"
#include "tests/fuzz/script.h"
#include "tests/support/store_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PEERS = 4,
	CLIENTS = 3,
	STEPS_MAX = 200,
	EVENTS_MAX = 6,
	SHARDS_ODD = 2, /* every other input has so many shards */
	START_MS = 1000,
	OUR_EPOCH = 9,
	FRAME_MAX = 8192,
};

/* What a step is; more than one number for what is to happen often. */
enum { STEP_SAY_END = 6, STEP_ANSWER_END = 9, STEP_TIME_END = 11, STEP_OWN_END = 15, STEPS };

/* Somebody who talks to the core. */
struct peer {
	struct envelope self; /* seq 0: of the last message */
	struct bus_source source;
};

struct rig {
	struct script script;
	struct peer peers[PEERS];
	struct batch batch;
	struct buf message;
	uint64_t now_ms;
};

static struct peer *take_peer(struct rig *r)
{
	return &r->peers[script_byte(&r->script) % PEERS];
}

/* The next message of this peer. `kind` has what is not as it should be, a bit each. */
enum { ODD_LOST = 1, ODD_RESTART = 2, ODD_OTHER = 4, ODD_PIPE = 8, ODD_BYTES = 16, ODD_ALL = 32 };

static struct str next_message(struct rig *r, struct peer *p, enum service to, bool is_answer)
{
	uint8_t odd = script_byte(&r->script);
	uint8_t events = script_byte(&r->script) % EVENTS_MAX;
	odd = odd >= 0xc0 ? odd & 0x3f : 0;
	if (odd & ODD_ALL)
		return script_bytes(&r->script);
	if (odd & ODD_RESTART)
		p->self.epoch++, p->self.seq = 0;
	if (odd & ODD_PIPE)
		p->source.pipe += p->source.pipe != 0;
	p->self.seq += odd & ODD_LOST ? script_byte(&r->script) : 1;
	struct envelope env = p->self;
	if (is_answer)
		env.seq = 0;
	if (odd & ODD_OTHER) {
		env.id = script_number(&r->script);
		env.to = script_number(&r->script);
		env.roomds = script_number(&r->script);
		env.historyds = script_number(&r->script);
		env.cluster = script_name(&r->script, CLUSTER_MAX);
	}
	batch_reset(&r->batch);
	for (uint8_t i = 0; i <= events; i++)
		script_event(&r->script, p->self.from, to, &r->batch);
	buf_reset(&r->message);
	bus_put_header(&r->message, &env);
	buf_str(&r->message, buf_view(&r->batch.bytes));
	if (odd & ODD_BYTES)
		buf_str(&r->message, script_bytes(&r->script));
	return buf_view(&r->message);
}

static void pass_time(struct rig *r)
{
	static const uint64_t steps_ms[] = {1, 10, 100, 250, 1000, 1500, 5000, 60000};
	r->now_ms += steps_ms[script_byte(&r->script) % ARRAY_LEN(steps_ms)];
}

static void hear_all(struct rig *r, const struct batch *batches)
{
	for (size_t i = 0; i < SHARDS_ODD; i++)
		script_hear(&r->script, &batches[i]);
}

/* ---- the gateway ---- */

struct client {
	struct session *session;
	bool is_blocked, is_paused, is_closing;
};

struct gateway_rig {
	struct gateway *gateway;
	struct gateway_out out;
	struct client clients[CLIENTS];
};

static void carry_out(struct gateway_rig *g)
{
	for (size_t i = 0; i < g->out.op_count; i++) {
		struct client *c = g->out.ops[i].conn;
		CHECK(c->session);
		switch (g->out.ops[i].kind) {
		case CLIENT_CLOSE:
			c->is_closing = true;
			break;
		case CLIENT_PAUSE:
		case CLIENT_RESUME:
			c->is_paused = g->out.ops[i].kind == CLIENT_PAUSE;
			break;
		case CLIENT_SEND:
		case CLIENT_PING:
		case CLIENT_LOOK:
			break;
		}
	}
}

/* The turn's end, as the shell does it. */
static void end_turn(struct rig *r, struct gateway_rig *g)
{
	gateway_check(g->gateway);
	(void)gateway_flush(g->gateway, r->now_ms, &g->out);
	gateway_check(g->gateway);
	carry_out(g);
	hear_all(r, g->out.roomd);
	hear_all(r, g->out.historyd);
	hear_all(r, g->out.read);
	gateway_out_reset(&g->out);
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &g->clients[i];
		if (c->is_closing) {
			gateway_disconnect(g->gateway, r->now_ms, c->session, &g->out);
			*c = (struct client){0};
		}
	}
}

static void put_field(struct buf *b, struct script *s, const struct client_field_row *field)
{
	buf_printf(b, "%s\"%s\":", b->ptr[b->len - 1] == '{' ? "" : ",", field->name);
	if (field->kind == FIELD_NUMBER) {
		buf_printf(b, "%" PRIu64, script_number(s));
		return;
	}
	struct str text = script_name(s, ROOM_MAX);
	buf_printf(b, "\"" STR_FMT "\"", STR_ARG(text));
}

static void client_speaks(struct rig *r, struct gateway_rig *g, struct client *c)
{
	struct buf frame = {.max = FRAME_MAX};
	const struct client_event_row *row = client_event_row(
		(enum client_event_type)(script_byte(&r->script) % CLIENT_EVENT_COUNT));
	uint8_t fields = script_byte(&r->script);
	buf_printf(&frame, "{\"event\":\"%s\",\"id\":%u,\"data\":{", row->name, fields);
	for (size_t i = 0; i < row->field_count; i++)
		if (!(row->fields[i].flags & FIELD_OPTIONAL) || fields & 1 << i)
			put_field(&frame, &r->script, &row->fields[i]);
	BUF_LIT(&frame, "}}");
	if (!frame.overflow && !c->is_paused)
		gateway_frame(g->gateway, r->now_ms, c->session, buf_view(&frame), &g->out);
	buf_free(&frame);
}

static void client_step(struct rig *r, struct gateway_rig *g)
{
	struct client *c = &g->clients[script_byte(&r->script) % CLIENTS];
	uint8_t what = script_byte(&r->script) % 8;
	if (!c->session) {
		c->session = gateway_connect(g->gateway, r->now_ms, c, WIRE_NATIVE, what & 1);
	} else if (what == 0) {
		gateway_disconnect(g->gateway, r->now_ms, c->session, &g->out);
		*c = (struct client){0};
	} else if (what == 1 && !c->is_blocked) {
		gateway_blocked(g->gateway, r->now_ms, c->session);
		c->is_blocked = true;
	} else if (what == 1) {
		c->is_blocked = false;
		gateway_writable(g->gateway, r->now_ms, c->session, &g->out);
	} else {
		client_speaks(r, g, c);
	}
}

static void gateway_turn(struct rig *r, struct gateway_rig *g, uint8_t step)
{
	struct peer *p = take_peer(r);
	bool is_answer = step >= STEP_SAY_END && p->self.from == SERVICE_HISTORYD;
	if (step < STEP_ANSWER_END) {
		struct str message = next_message(r, p, SERVICE_GATEWAY, is_answer);
		gateway_step(g->gateway, r->now_ms, &p->source, message, &g->out);
	} else if (step < STEP_TIME_END) {
		pass_time(r);
		gateway_tick(g->gateway, r->now_ms, &g->out);
	} else {
		client_step(r, g);
	}
	end_turn(r, g);
}

static void run_gateway(struct rig *r, uint32_t shards)
{
	struct gateway_rig g = {0};
	struct gateway_options o;
	gateway_options_default(&o);
	o.id = 1;
	o.epoch = OUR_EPOCH;
	o.rate = 0;
	o.roomd_shards = o.historyd_shards = shards;
	o.address = STR("tcp://gateway:1");
	for (uint32_t i = 0; i < PEERS; i++) {
		enum service kind = i & 1 ? SERVICE_HISTORYD : SERVICE_ROOMD;
		uint32_t shard = i / 2 % shards;
		r->peers[i] = (struct peer){.self = {.from = kind, .id = shard, .epoch = i + 1},
					    .source = {.kind = kind, .shard = shard}};
	}
	g.gateway = gateway_open(&o, r->now_ms);
	for (size_t i = 0; i < STEPS_MAX && r->script.left; i++)
		gateway_turn(r, &g, script_byte(&r->script) % STEPS);
	for (size_t i = 0; i < CLIENTS; i++)
		if (g.clients[i].session)
			gateway_disconnect(g.gateway, r->now_ms, g.clients[i].session, &g.out);
	gateway_check(g.gateway);
	gateway_close(g.gateway);
	gateway_out_free(&g.out);
}

/* ---- roomd ---- */

static void roomd_turn(struct rig *r, struct roomd *roomd, struct roomd_out *out, uint8_t step)
{
	struct peer *p = take_peer(r);
	if (step < STEP_ANSWER_END) {
		bool is_answer = p->self.from == SERVICE_HISTORYD;
		struct str message = next_message(r, p, SERVICE_ROOMD, is_answer);
		roomd_step(roomd, r->now_ms, &p->source, message, out);
	} else if (step < STEP_OWN_END) {
		pass_time(r);
		roomd_tick(roomd, r->now_ms, out);
	} else {
		roomd_pipe_closed(roomd, p->source.pipe);
	}
	roomd_check(roomd);
	script_hear(&r->script, &out->down);
	hear_all(r, out->ask);
	roomd_out_reset(out);
}

static void run_roomd(struct rig *r, uint32_t shards)
{
	struct roomd_out out = {0};
	const struct roomd_options o = {
		.epoch = OUR_EPOCH, .roomd_shards = shards, .historyd_shards = shards, .seed = 1};
	for (uint32_t i = 0; i < PEERS; i++) {
		uint32_t shard = i % shards;
		r->peers[i] = (struct peer){.self = {.from = SERVICE_GATEWAY, .id = i, .epoch = 1},
					    .source = {.kind = SERVICE_ANY, .pipe = i}};
		if (i == PEERS - 1)
			r->peers[i] = (struct peer){
				.self = {.from = SERVICE_HISTORYD, .id = shard, .epoch = 1},
				.source = {.kind = SERVICE_HISTORYD, .shard = shard}};
	}
	struct roomd *roomd = roomd_open(&o, r->now_ms);
	for (size_t i = 0; i < STEPS_MAX && r->script.left; i++)
		roomd_turn(r, roomd, &out, script_byte(&r->script) % STEPS);
	roomd_close(roomd);
	roomd_out_free(&out);
}

/* ---- historyd ---- */

struct historyd_rig {
	struct historyd_options options;
	struct historyd *historyd;
	struct store_memory *memory;
	struct store *store;
	struct historyd_out out;
	struct bus_reader reader; /* of the reading thread */
	struct batch pages;
};

static void disk_step(struct rig *r, struct historyd_rig *h)
{
	uint8_t what = script_byte(&r->script);
	switch (what % 5) {
	case 0:
		store_memory_fail_commit(h->memory, 1, what & 8);
		break;
	case 1:
		store_memory_set_full(h->memory, what & 8);
		break;
	case 2:
		store_memory_set_unreadable(h->memory, what & 8);
		break;
	case 3:
		historyd_set_writable(h->historyd, what & 8);
		break;
	default:
		historyd_close(h->historyd);
		store_memory_crash(h->memory);
		h->options.epoch++;
		h->historyd = historyd_open(&h->options, h->store);
	}
}

static void historyd_message(struct rig *r, struct historyd_rig *h, uint8_t step)
{
	struct peer *p = take_peer(r);
	bool is_roomd = p->self.from == SERVICE_ROOMD;
	bool is_read = !is_roomd && step >= STEP_SAY_END;
	struct str message = next_message(r, p, SERVICE_HISTORYD, is_roomd || is_read);
	if (is_roomd) {
		historyd_request(h->historyd, r->now_ms, &p->source, message, step);
	} else if (is_read) {
		batch_reset(&h->pages);
		(void)!historyd_read(h->store, historyd_topology(h->historyd), &h->reader, message,
				     &h->pages);
		script_hear(&r->script, &h->pages);
	} else {
		historyd_step(h->historyd, r->now_ms, r->now_ms, &p->source, message);
	}
}

static void historyd_turn(struct rig *r, struct historyd_rig *h, uint8_t step)
{
	if (step < STEP_ANSWER_END) {
		historyd_message(r, h, step);
	} else if (step < STEP_TIME_END) {
		pass_time(r);
		historyd_tick(h->historyd, r->now_ms);
	} else if (step < STEP_OWN_END) {
		(void)historyd_flush(h->historyd, r->now_ms, &h->out);
		script_hear(&r->script, &h->out.down);
		for (size_t i = 0; i < h->out.response_count; i++)
			script_hear(&r->script, &h->out.responses[i].events);
		historyd_out_reset(&h->out);
		historyd_check(h->historyd);
		disk_step(r, h);
	} else {
		historyd_pipe_closed(h->historyd, script_byte(&r->script));
	}
}

static void run_historyd(struct rig *r, uint32_t shards)
{
	struct historyd_rig h = {.options = {.shards = shards, .epoch = 1, .rooms_max = 2}};
	for (uint32_t i = 0; i < PEERS; i++)
		r->peers[i] =
			(struct peer){.self = {.from = i == 0 ? SERVICE_ROOMD : SERVICE_GATEWAY,
					       .id = i,
					       .epoch = 1},
				      .source = {.kind = SERVICE_ANY, .pipe = i}};
	h.memory = store_memory_open();
	h.store = store_memory_store(h.memory);
	h.historyd = historyd_open(&h.options, h.store);
	bus_reader_init(&h.reader, SERVICE_HISTORYD);
	for (size_t i = 0; i < STEPS_MAX && r->script.left; i++)
		historyd_turn(r, &h, script_byte(&r->script) % STEPS);
	historyd_close(h.historyd);
	store_memory_close(h.memory);
	historyd_out_free(&h.out);
	bus_reader_free(&h.reader);
	batch_free(&h.pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const cores[])(struct rig * r, uint32_t shards) = {run_gateway, run_roomd,
									 run_historyd};
	struct rig r = {.script = {.at = data, .left = size}, .now_ms = START_MS};
	uint8_t which = script_byte(&r.script);
	cores[which % ARRAY_LEN(cores)](&r, which & 0x80 ? SHARDS_ODD : 1);
	script_free(&r.script);
	batch_free(&r.batch);
	buf_free(&r.message);
	return 0;
}
