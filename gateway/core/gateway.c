// SPDX-License-Identifier: MIT
/* gateway.c — see gateway.h: opening and closing, what is due by time, statistics. Not here: events
 * of the bus (on_bus.c), events of clients (client.c). */
#include "gateway/core/session.h"
#include "gateway/core/join.h"
#include "gateway/core/deliver.h"
#include "gateway/core/announce.h"
#include "gateway/core/bearer.h"
#include "gateway/core/frame.h"
#include "gateway/core/giveup.h"
#include "gateway/core/repair.h"
#include "gateway/core/request.h"

void gateway_options_default(struct gateway_options *o)
{
	*o = (struct gateway_options){.roomd_shards = 1,
				      .historyd_shards = 1,
				      .in_flight_max = 64,
#define O(field, option, flags, value, ...) .field = value,
				      GATEWAY_OPTIONS(O)
#undef O
	};
}

void gateway_out_reset(struct gateway_out *out)
{
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		batch_reset(&out->roomd[i]);
		batch_reset(&out->historyd[i]);
		batch_reset(&out->read[i]);
	}
	gateway_out_reset_ops(out);
}

void gateway_out_reset_ops(struct gateway_out *out)
{
	out->op_count = 0;
	arena_reset(&out->arena);
}

void gateway_out_free(struct gateway_out *out)
{
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		batch_free(&out->roomd[i]);
		batch_free(&out->historyd[i]);
		batch_free(&out->read[i]);
	}
	mem_free(out->ops);
	arena_free(&out->arena);
	*out = (struct gateway_out){0};
}

static struct str session_key(const void *item)
{
	const struct session *s = item;
	return str_of((const char *)&s->number, sizeof s->number);
}

static struct str user_key(const void *item)
{
	return ((const struct user *)item)->name;
}

static struct str view_key(const void *item)
{
	return ((const struct view *)item)->room;
}

static struct str post_key(const void *item)
{
	return ((const struct request *)item)->room;
}

static struct str request_key(const void *item)
{
	const struct request *r = item;
	return str_of((const char *)&r->number, sizeof r->number);
}

struct gateway *gateway_open(const struct gateway_options *options, uint64_t now_ms)
{
	struct gateway *g = mem_alloc(sizeof *g);
	g->options = *options;
	g->now_ms = now_ms;
	/* Names, rooms and bodies must fit into the bus's own ceilings. */
	CHECK(options->name_bytes_max <= USER_MAX && options->room_bytes_max <= ROOM_MAX &&
	      options->body_bytes_max <= BODY_MAX);
	CHECK(options->roomd_shards >= 1 && options->roomd_shards <= SHARDS_MAX);
	CHECK(options->historyd_shards >= 1 && options->historyd_shards <= SHARDS_MAX);
	g->topology = (struct topology){.kind = SERVICE_GATEWAY,
					.id = options->id,
					.roomds = options->roomd_shards,
					.historyds = options->historyd_shards};
	/* Numbers of an earlier life must not be taken for this one's. */
	g->last_request = options->epoch << 16;
	bus_reader_init(&g->reader, SERVICE_GATEWAY);
	table_init(&g->sessions, session_key, options->seed);
	table_init(&g->users, user_key, options->seed);
	table_init(&g->views, view_key, options->seed);
	table_init(&g->requests_by_number, request_key, options->seed);
	table_init(&g->posts, post_key, options->seed);
	TAILQ_INIT(&g->requests);
	TAILQ_INIT(&g->promised);
	TAILQ_INIT(&g->late_acks);
	TAILQ_INIT(&g->idle);
	TAILQ_INIT(&g->pinged);
	TAILQ_INIT(&g->unjoined);
	TAILQ_INIT(&g->blocked);
	TAILQ_INIT(&g->joining);
	TAILQ_INIT(&g->typing);
	TAILQ_INIT(&g->announcing);
	TAILQ_INIT(&g->dirty);
	TAILQ_INIT(&g->touched);
	for (size_t i = 0; i < BEARER_SLOTS; i++)
		TAILQ_INIT(&g->bearers[i]);
	repair_init(g);
	directory_init(&g->directory, options->seed);
	list_pace_init(&g->list_pace, options->seed);
	return g;
}

void gateway_close(struct gateway *g)
{
	struct gateway_out out = {0};
	struct session *s;
	while ((s = TAILQ_FIRST(&g->idle)) != NULL || (s = TAILQ_FIRST(&g->pinged)) != NULL)
		gateway_disconnect(g, g->now_ms, s, &out);
	while (!TAILQ_EMPTY(&g->requests))
		request_end(g, TAILQ_FIRST(&g->requests));
	gateway_out_free(&out);
	table_free(&g->sessions);
	table_free(&g->users);
	table_free(&g->views);
	table_free(&g->requests_by_number);
	table_free(&g->posts);
	list_pace_free(&g->list_pace);
	bus_reader_free(&g->reader);
	directory_free(&g->directory);
	buf_free(&g->json);
	mem_free(g);
}

/* ---- what is due ---- */

void gateway_tick(struct gateway *g, uint64_t now_ms, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	for (size_t i = 0; i < SHARDS_MAX; i++) {
		(void)link_lapsed(&g->roomd[i], now_ms);
		(void)link_lapsed(&g->historyd[i], now_ms);
	}
	join_tick(g);
	giveup_tick(g);
	request_tick(g);
	deliver_tick(g);
	repair_tick(g);
	session_tick(g);
	bearer_tick(g);
	view_tick(g);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t gateway_next_due(const struct gateway *g)
{
	const struct joining *j = TAILQ_FIRST(&g->joining);
	const struct session *s;
	uint64_t due = request_next_due(g);
	due = sooner(due, j ? j->deadline_ms : UINT64_MAX);
	due = sooner(due, deliver_next_due(g));
	due = sooner(due, repair_next_due(g));
	due = sooner(due, announce_next_due(g));
	due = sooner(due, bearer_next_due(g));
	const struct present *p = TAILQ_FIRST(&g->typing);
	due = sooner(due, p ? p->typing_ms + TYPING_MAX_MS : UINT64_MAX);
	if ((s = TAILQ_FIRST(&g->idle)) != NULL)
		due = sooner(due, s->idle_ms + g->options.ping_ms);
	if ((s = TAILQ_FIRST(&g->pinged)) != NULL)
		due = sooner(due, s->idle_ms + g->options.pong_ms);
	if ((s = TAILQ_FIRST(&g->unjoined)) != NULL)
		due = sooner(due, s->since_ms + g->options.join_ms);
	if ((s = TAILQ_FIRST(&g->blocked)) != NULL)
		due = sooner(due, sooner(g->look_ms, s->since_ms + g->options.stall_ms));
	return due;
}

void gateway_drain(struct gateway *g, uint64_t now_ms, uint64_t reconnect_after_ms,
		   struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	struct session *s;
	struct str frame[WIRES];
	for (enum wire wire = 0; wire < WIRES; wire++) {
		buf_printf(frame_begin_event(g, wire, "goingAway", (struct str){0}),
			   "{\"reconnectAfterMs\":%" PRIu64 "}", reconnect_after_ms);
		frame_end_event(g, wire);
		frame[wire] = frame_finish(&out->arena, buf_view(&g->json));
	}
	TABLE_EACH (&g->sessions, i, s)
		frame_send(g, s, frame[s->wire]);
}

const struct directory *gateway_directory(const struct gateway *g)
{
	return &g->directory;
}

const struct gateway_stats *gateway_stats(struct gateway *g)
{
	g->stats.bus_misfits_total = g->topology.misfits;
	return &g->stats;
}
