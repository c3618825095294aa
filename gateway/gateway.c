// SPDX-License-Identifier: MIT
/* gateway.c — see gateway.h: opening and closing, the bus's events and their handlers, what is due.
 */
#include "gateway/announce.h"
#include "gateway/frame.h"
#include "gateway/repair.h"
#include "gateway/request.h"
#include "gateway/view.h"

void gateway_options_default(struct gateway_options *o)
{
	*o = (struct gateway_options){
		.roomd_shards = 1,
		.historyd_shards = 1,
		.name_bytes_max = 64,
		.room_bytes_max = 128,
		.body_bytes_max = 4000,
		.frame_bytes_max = 64 * 1024,
		.rooms_max = 100,
		.in_flight_max = 64,
		.rate = 50,
		.burst = 200,
		.rate_bytes = 64 * 1024,
		.join_ms = 30000,
		.ping_ms = 25000,
		.pong_ms = 20000,
		.stall_ms = 30000,
		.log_bytes = 256 * 1024,
		.session_bytes = 64 * 1024,
		.sessions_bytes = 256 * 1024 * 1024,
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
	/* Numbers of an earlier life must not be taken for this one's. */
	g->last_request = options->epoch << 16;
	bus_reader_init(&g->reader);
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
	repair_init(g);
	directory_init(&g->directory, options->seed);
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
	bus_reader_free(&g->reader);
	directory_free(&g->directory);
	buf_free(&g->json);
	mem_free(g);
}

/* ---- the bus ---- */

/* With each of its heartbeats: it may have forgotten. */
static void say_address(struct gateway *g, const struct envelope *to)
{
	if (to->from == SERVICE_ROOMD && g->options.address.len)
		bus_put_gateway_at(&g->out->roomd[to->id],
				   &(struct ev_gateway_at){.address = g->options.address});
}

static void on_heartbeat(struct gateway *g, const struct ev_heartbeat *ev)
{
	struct link *l =
		g->from.from == SERVICE_ROOMD ? &g->roomd[g->from.id] : &g->historyd[g->from.id];
	l->ready = ev->ready != 0;
	say_address(g, &g->from);
}

static void on_claim_answer(struct gateway *g, const struct ev_claim_answer *ev)
{
	if (ev->gateway == g->options.id)
		user_claim_answered(g, ev);
}

static void on_join_answer(struct gateway *g, const struct ev_join_answer *ev)
{
	if (ev->gateway == g->options.id)
		join_answered(g, ev);
}

static void on_user_in(struct gateway *g, const struct ev_user_in *ev)
{
	struct view *v = view_find(g, ev->room);
	if (v)
		view_user_in(g, v, ev->user, ev->version);
}

static void on_user_out(struct gateway *g, const struct ev_user_out *ev)
{
	struct view *v = view_find(g, ev->room);
	if (v)
		view_user_out(g, v, ev->user, ev->version);
}

static void on_typing_on(struct gateway *g, const struct ev_typing_on *ev)
{
	struct view *v = view_find(g, ev->room);
	if (v)
		view_typing(g, v, ev->user, true);
}

static void on_typing_off(struct gateway *g, const struct ev_typing_off *ev)
{
	struct view *v = view_find(g, ev->room);
	if (v)
		view_typing(g, v, ev->user, false);
}

static void on_presence(struct gateway *g, const struct ev_presence *ev)
{
	struct view *v = ev->gateway == g->options.id ? view_find(g, ev->room) : NULL;
	if (v)
		view_presence(g, v, ev);
}

static void on_private_answer(struct gateway *g, const struct ev_private_answer *ev)
{
	private_answered(g, ev);
}

static void on_invite_answer(struct gateway *g, const struct ev_invite_answer *ev)
{
	private_invite_answered(g, ev);
}

static void on_invited(struct gateway *g, const struct ev_invited *ev)
{
	user_invited(g, ev);
}

/* Everything that the shard should know of this gateway, from scratch. */
static void on_members_ask(struct gateway *g, const struct ev_members_ask *ev)
{
	if (ev->gateway != g->options.id || g->from.from != SERVICE_ROOMD)
		return;
	g->stats.bus_resyncs_total++;
	repair_members(g, (uint32_t)g->from.id, ev->round);
}

static void on_gateways(struct gateway *g, const struct ev_gateways *ev)
{
	if (g->from.from == SERVICE_ROOMD)
		directory_heard(&g->directory, g->now_ms, ev);
}

/* These travel between shells: see relay.h. */
static void on_relay_ask(struct gateway *g, const struct ev_relay_ask *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_relay_answer(struct gateway *g, const struct ev_relay_answer *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_relay_done(struct gateway *g, const struct ev_relay_done *ev)
{
	(void)ev;
	g->stats.bus_unknown_total++;
}

static void on_chat_stored(struct gateway *g, const struct ev_chat_stored *ev)
{
	chat_stored(g, ev);
}

static void on_chat_repeat(struct gateway *g, const struct ev_chat_repeat *ev)
{
	chat_repeated(g, ev);
}

static void on_chat_refused(struct gateway *g, const struct ev_chat_refused *ev)
{
	chat_refused(g, ev);
}

static void on_posts_ask(struct gateway *g, const struct ev_posts_ask *ev)
{
	if (ev->gateway == g->options.id && g->from.from == SERVICE_HISTORYD)
		request_begin_posts(g, (uint32_t)g->from.id);
}

static void on_page(struct gateway *g, const struct ev_page *ev)
{
	chat_page(g, ev);
}

#define HANDLE_GATEWAY(name) on_##name(g, &ev->as.name)
#define HANDLE_ANY(name) on_##name(g, &ev->as.name)
#define HANDLE_ROOMD(name) g->stats.bus_unknown_total++ /* not for us */
#define HANDLE_HISTORYD(name) g->stats.bus_unknown_total++

static void dispatch(struct gateway *g, const struct bus_event *ev)
{
	switch (ev->type) {
		BUS_EVENTS(DISPATCH_ROW)
	}
}

/* False: not in order, to be dropped. Answers come without a sequence. */
static bool follow_link(struct gateway *g, const struct envelope *env)
{
	bool is_roomd = env->from == SERVICE_ROOMD;
	uint32_t shards = is_roomd ? g->options.roomd_shards : g->options.historyd_shards;
	if (env->from == SERVICE_GATEWAY || env->id >= shards) {
		g->stats.bus_bad_total++;
		return false;
	}
	if (env->seq == 0)
		return true;
	struct link *l = is_roomd ? &g->roomd[env->id] : &g->historyd[env->id];
	switch (link_receive(l, env, g->now_ms)) {
	case LINK_STALE:
		return false;
	case LINK_GAP:
		g->stats.bus_gaps_total++;
		repair_shard(g, env->from, (uint32_t)env->id, false);
		return true;
	case LINK_NEW:
		repair_shard(g, env->from, (uint32_t)env->id, true);
		say_address(g, env);
		return true;
	case LINK_NEXT:
		break;
	}
	return true;
}

void gateway_step(struct gateway *g, uint64_t now_ms, struct str message, struct gateway_out *out)
{
	g->now_ms = now_ms;
	g->out = out;
	struct bus_event ev;
	if (!bus_open(&g->reader, message, &g->from)) {
		g->stats.bus_bad_total++;
		return;
	}
	if (!follow_link(g, &g->from))
		return;
	uint64_t unknown = g->reader.unknown;
	while (bus_next(&g->reader, &ev))
		dispatch(g, &ev);
	g->stats.bus_unknown_total += g->reader.unknown - unknown;
	g->stats.bus_bad_total += g->reader.bad;
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
	request_tick(g);
	deliver_tick(g);
	repair_tick(g);
	session_tick(g);
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

static bool shards_ready(const struct link *links, uint32_t count, const char *name,
			 struct buf *missing)
{
	bool is_ready = true;
	for (uint32_t i = 0; i < count; i++) {
		if (links[i].up && links[i].ready)
			continue;
		is_ready = false;
		buf_printf(missing, "%s\"%s-%u\"", missing->len ? "," : "", name, i);
	}
	return is_ready;
}

bool gateway_is_ready(const struct gateway *g, struct buf *missing)
{
	bool roomds = shards_ready(g->roomd, g->options.roomd_shards, "roomd", missing);
	bool historyds = shards_ready(g->historyd, g->options.historyd_shards, "historyd", missing);
	return roomds && historyds;
}

const struct directory *gateway_directory(const struct gateway *g)
{
	return &g->directory;
}

const struct gateway_stats *gateway_stats(struct gateway *g)
{
	return &g->stats;
}
