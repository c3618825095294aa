// SPDX-License-Identifier: MIT
/* world.c — see world.h. Who sends what to whom, and in which order, is as in gateway/main.c,
 * gateway/shell/shards.c, roomd/main.c and historyd/main.c. */
#include "tests/cost/world.h"
#include "gateway/wire/ws_frame.h"

#include <jansson.h>

enum { EPOCH = 1000000, START_MS = 1000, READY_TURNS_MAX = 1000, SEED = 1 };
#define UTC_BASE 1700000000000u

static uint64_t utc_ms(const struct world *w)
{
	return UTC_BASE + w->now_ms;
}

/* ---- the bus ---- */

/* Whoever dials, dials its only shard; whoever is dialled knows the connection. */
static const struct bus_source of_roomd = {.kind = SERVICE_ROOMD};
static const struct bus_source of_historyd = {.kind = SERVICE_HISTORYD};
static const struct bus_source of_dialler = {.kind = SERVICE_ANY, .pipe = 1};

typedef void receive_fn(struct world *w, struct str message);

static void roomd_to_gateway(struct world *w, struct str message)
{
	gateway_step(w->gateway, w->now_ms, &of_roomd, message, &w->gateway_out);
}

static void historyd_to_gateway(struct world *w, struct str message)
{
	gateway_step(w->gateway, w->now_ms, &of_historyd, message, &w->gateway_out);
}

static void to_roomd(struct world *w, struct str message)
{
	roomd_step(w->roomd, w->now_ms, &of_dialler, message, &w->roomd_out);
}

static void historyd_to_roomd(struct world *w, struct str message)
{
	roomd_step(w->roomd, w->now_ms, &of_historyd, message, &w->roomd_out);
}

static void to_historyd(struct world *w, struct str message)
{
	w->has_messages = true;
	historyd_step(w->historyd, w->now_ms, utc_ms(w), &of_dialler, message);
}

static void to_historyd_ask(struct world *w, struct str message)
{
	w->has_messages = true;
	historyd_request(w->historyd, w->now_ms, &of_dialler, message, 0);
}

static void to_historyd_read(struct world *w, struct str message)
{
	CHECK(historyd_read(store_memory_store(w->disk), historyd_topology(w->historyd),
			    &w->page_reader, message, &w->pages));
}

static void send_batch(struct world *w, struct link_out *link, bool has_seq,
		       const struct batch *batch, receive_fn *receive)
{
	struct str piece;
	for (size_t n = 0; batch_piece(batch, n, &piece); n++) {
		struct envelope from = link->next;
		from.seq = has_seq ? ++link->next.seq : 0;
		buf_reset(&w->message);
		bus_put_header(&w->message, &from);
		buf_str(&w->message, piece);
		receive(w, buf_view(&w->message));
	}
}

static void publish(struct world *w, struct link_out *link, const struct batch *batch,
		    receive_fn *receive)
{
	send_batch(w, link, true, batch, receive);
}

/* Requests, and their answers. */
static void ask(struct world *w, struct link_out *link, const struct batch *batch,
		receive_fn *receive)
{
	send_batch(w, link, false, batch, receive);
}

static void heartbeat(struct world *w, struct link_out *link, bool is_ready, receive_fn *receive)
{
	struct batch batch = {0};
	if (!link_heartbeat_due(link, w->now_ms))
		return;
	link->heartbeat_ms = w->now_ms;
	bus_put_heartbeat(&batch, &(struct ev_heartbeat){.ready = is_ready});
	publish(w, link, &batch, receive);
	batch_free(&batch);
}

/* ---- turns ---- */

static void turn_gateway(struct world *w)
{
	struct gateway_out *out = &w->gateway_out;
	if (gateway_next_due(w->gateway) <= w->now_ms)
		gateway_tick(w->gateway, w->now_ms, out);
	(void)gateway_flush(w->gateway, w->now_ms, out); /* what is more than a turn has the next */
	publish(w, &w->up_historyd, &out->historyd[0], to_historyd);
	ask(w, &w->up_historyd, &out->read[0], to_historyd_read);
	publish(w, &w->up_roomd, &out->roomd[0], to_roomd);
	ops_carry_out(&w->ops, out, w->now_ms);
	gateway_out_reset(out);
	heartbeat(w, &w->up_historyd, true, to_historyd);
	heartbeat(w, &w->up_roomd, true, to_roomd);
}

static void turn_roomd(struct world *w)
{
	if (roomd_next_due(w->roomd) <= w->now_ms)
		roomd_tick(w->roomd, w->now_ms, &w->roomd_out);
	publish(w, &w->down_roomd, &w->roomd_out.down, roomd_to_gateway);
	ask(w, &w->down_roomd, &w->roomd_out.ask[0], to_historyd_ask);
	roomd_out_reset(&w->roomd_out);
	heartbeat(w, &w->down_roomd, roomd_heartbeat(w->roomd, w->now_ms).ready, roomd_to_gateway);
}

static void turn_historyd(struct world *w)
{
	struct historyd_out *out = &w->historyd_out;
	if (w->has_messages)
		CHECK(historyd_flush(w->historyd, w->now_ms, out) == ERR_OK);
	w->has_messages = false;
	publish(w, &w->down_historyd, &out->down, historyd_to_gateway);
	for (size_t i = 0; i < out->response_count; i++)
		ask(w, &w->down_historyd, &out->responses[i].events, historyd_to_roomd);
	historyd_out_reset(out);
	ask(w, &w->down_historyd, &w->pages, historyd_to_gateway);
	batch_reset(&w->pages);
	heartbeat(w, &w->down_historyd, true, historyd_to_gateway);
}

void world_turn(struct world *w)
{
	w->now_ms += TURN_MS;
	turn_gateway(w);
	turn_roomd(w);
	turn_historyd(w);
}

void world_turns(struct world *w, uint64_t turns)
{
	while (turns--)
		world_turn(w);
}

/* ---- the beginning and the end ---- */

static struct link_out link_of(enum service service)
{
	return (struct link_out){.next = {.from = service, .epoch = EPOCH}};
}

void world_open(struct world *w)
{
	*w = (struct world){
		.now_ms = START_MS,
		.up_roomd = link_of(SERVICE_GATEWAY),
		.up_historyd = link_of(SERVICE_GATEWAY),
		.down_roomd = link_of(SERVICE_ROOMD),
		.down_historyd = link_of(SERVICE_HISTORYD),
	};
	json_object_seed(SEED); /* else it is random, and so are its collisions */
	struct gateway_options options;
	gateway_options_default(&options);
	options.epoch = EPOCH;
	options.seed = SEED;
	w->gateway = gateway_open(&options, w->now_ms);
	w->roomd =
		roomd_open(&(struct roomd_options){.historyd_shards = 1, .seed = SEED}, w->now_ms);
	w->disk = store_memory_open();
	w->historyd = historyd_open(
		&(struct historyd_options){.seed = SEED, .epoch = EPOCH, .rooms_max = 100000},
		store_memory_store(w->disk));
	bus_reader_init(&w->page_reader, SERVICE_ANY);
	struct buf missing = {0};
	for (int i = 0; gateway_readiness(w->gateway, &missing) != GATEWAY_READY; i++) {
		CHECK(i < READY_TURNS_MAX);
		buf_reset(&missing);
		world_turn(w);
	}
	buf_free(&missing);
}

void world_close(struct world *w)
{
	gateway_close(w->gateway);
	roomd_close(w->roomd);
	historyd_close(w->historyd);
	store_memory_close(w->disk);
	bus_reader_free(&w->page_reader);
	gateway_out_free(&w->gateway_out);
	roomd_out_free(&w->roomd_out);
	historyd_out_free(&w->historyd_out);
	ops_free(&w->ops);
	batch_free(&w->pages);
	buf_free(&w->message);
}

/* ---- persons ---- */

static bool is_open(struct client_end *end)
{
	return CONTAINER_OF(end, struct person, end)->session != NULL;
}

static void send_frames(struct client_end *end, struct str frames, uint64_t now_ms)
{
	const struct person *p = CONTAINER_OF(end, struct person, end);
	struct frame_view f;
	(void)now_ms;
	p->world->sends++;
	p->world->bytes += frames.len;
	while (p->is_witness && frame_next(&frames, &f))
		p->world->frames++;
}

static void never_paused(struct client_end *end, bool is_paused)
{
	(void)is_paused;
	CHECK(!end); /* nobody here is slow or asks too much */
}

static void never_closed(struct client_end *end, uint16_t code, uint64_t now_ms)
{
	(void)code, (void)now_ms;
	CHECK(!end); /* nobody here is silent or mistaken */
}

static const struct client_class class = {
	.is_open = is_open,
	.send = send_frames,
	.pause = never_paused,
	.close = never_closed,
};

void person_connect(struct world *w, struct person *p, enum wire wire)
{
	*p = (struct person){.end.class = &class, .world = w, .wire = wire};
	p->session = gateway_connect(w->gateway, w->now_ms, &p->end, wire, false);
}

void person_leave(struct person *p)
{
	struct world *w = p->world;
	gateway_disconnect(w->gateway, w->now_ms, p->session, &w->gateway_out);
	p->session = NULL;
}

void person_say(struct person *p, struct str text)
{
	struct world *w = p->world;
	if (p->wire == WIRE_NATIVE)
		gateway_frame(w->gateway, w->now_ms, p->session, text, &w->gateway_out);
	else
		gateway_packet(w->gateway, w->now_ms, p->session, true, 1, text, &w->gateway_out);
}
