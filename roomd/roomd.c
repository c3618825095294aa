// SPDX-License-Identifier: MIT
/* roomd.c — see roomd.h: opening and closing, the bus's events and their handlers, what is due. */
#include "roomd/state.h"

static struct str peer_key(const void *item)
{
	const struct peer *p = item;
	return str_of((const char *)&p->id, sizeof p->id);
}

static struct str room_key(const void *item)
{
	return ((const struct room *)item)->name;
}

static struct str name_key(const void *item)
{
	return ((const struct name *)item)->user;
}

static struct str requester_key(const struct invite_requester *requester)
{
	return str_of((const char *)requester, sizeof *requester);
}

static struct str invite_put_key(const void *item)
{
	return requester_key(&((const struct store_request *)item)->requester);
}

static struct str store_request_key(const void *item)
{
	const struct store_request *q = item;
	return str_of((const char *)&q->number, sizeof q->number);
}

void roomd_out_reset(struct roomd_out *out)
{
	batch_reset(&out->down);
	for (size_t i = 0; i < SHARDS_MAX; i++)
		batch_reset(&out->ask[i]);
}

void roomd_out_free(struct roomd_out *out)
{
	batch_free(&out->down);
	for (size_t i = 0; i < SHARDS_MAX; i++)
		batch_free(&out->ask[i]);
}

struct roomd *roomd_open(const struct roomd_options *options, uint64_t now_ms)
{
	struct roomd *r = mem_alloc(sizeof *r);
	CHECK(options->historyd_shards >= 1 && options->historyd_shards <= SHARDS_MAX);
	r->options = *options;
	r->opened_ms = now_ms;
	r->topology = (struct topology){.kind = SERVICE_ROOMD,
					.id = options->id,
					.roomds = options->roomd_shards,
					.historyds = options->historyd_shards};
	r->rounds = now_ms << 16; /* not those of an earlier life */
	r->now_ms = now_ms;
	r->ticked_ms = now_ms;
	bus_reader_init(&r->reader, SERVICE_ROOMD);
	table_init(&r->peers, peer_key, options->seed);
	table_init(&r->rooms, room_key, options->seed);
	table_init(&r->names, name_key, options->seed);
	table_init(&r->requests_by_number, store_request_key, options->seed);
	table_init(&r->invite_puts, invite_put_key, options->seed);
	TAILQ_INIT(&r->all_peers);
	TAILQ_INIT(&r->requests);
	TAILQ_INIT(&r->patient);
	TAILQ_INIT(&r->unseen);
	TAILQ_INIT(&r->expelled);
	TAILQ_INIT(&r->typing);
	TAILQ_INIT(&r->reserved);
	return r;
}

void roomd_close(struct roomd *r)
{
	struct roomd_out out = {0};
	/* cppcheck-suppress autoVariables ; r ends before it does */
	r->out = &out;
	store_request_drop_all(r);
	while (!TAILQ_EMPTY(&r->all_peers))
		peer_free(r, TAILQ_FIRST(&r->all_peers));
	while (!TAILQ_EMPTY(&r->reserved))
		name_free(r, TAILQ_FIRST(&r->reserved));
	CHECK(r->rooms.count == 0 && r->names.count == 0 && r->peers.count == 0);
	CHECK(r->requests_by_number.count == 0 && r->invite_puts.count == 0);
	CHECK(TAILQ_EMPTY(&r->typing) && TAILQ_EMPTY(&r->unseen) && r->expelled_count == 0);
	table_free(&r->peers);
	table_free(&r->rooms);
	table_free(&r->names);
	table_free(&r->requests_by_number);
	table_free(&r->invite_puts);
	bus_reader_free(&r->reader);
	buf_free(&r->scratch);
	roomd_out_free(&out);
	mem_free(r);
}

/* ---- events ---- */

void on_claim(struct roomd *r, const struct ev_claim *ev)
{
	struct name *n = name_claim(r, ev);
	if (n)
		invite_load(r, n);
}

#define HANDLE_ROOMD(name) on_##name(r, &ev->as.name)
#define HANDLE_ANY(name) roomd_on_##name(r, &ev->as.name)
#define HANDLE_GATEWAY(name) (void)0 /* bus_next gives none of these */
#define HANDLE_HISTORYD(name) (void)0

static void dispatch(struct roomd *r, const struct bus_event *ev)
{
	if (!whole_owns(r, ev))
		return;
	switch (ev->type) {
		BUS_EVENTS(DISPATCH_ROW)
	}
}

static void settle(struct roomd *r)
{
	if (r->is_settled || r->now_ms < r->opened_ms + SETTLE_MS)
		return;
	r->is_settled = !peer_round_open(r) || r->now_ms >= r->opened_ms + SETTLE_MAX_MS;
}

void roomd_step(struct roomd *r, uint64_t now_ms, const struct bus_source *source,
		struct str message, struct roomd_out *out)
{
	struct bus_event ev;
	r->now_ms = now_ms;
	r->out = out;
	r->peer = NULL;
	r->source = *source;
	settle(r);
	/* Only gateways dial us. */
	enum service expected = source->kind == SERVICE_ANY ? SERVICE_GATEWAY : source->kind;
	if (!bus_open(&r->reader, message, &r->from) || r->from.from != expected) {
		r->stats.bus_bad_total++;
		return;
	}
	if (!whole_admits(r) || (r->from.from == SERVICE_GATEWAY && !peer_follow(r, &r->from)))
		return;
	while (bus_next(&r->reader, &ev))
		dispatch(r, &ev);
	r->stats.bus_bad_total += r->reader.in.bad;
	r->stats.bus_unknown_total += r->reader.unknown;
	r->reader.unknown = 0;
}

void roomd_tick(struct roomd *r, uint64_t now_ms, struct roomd_out *out)
{
	r->now_ms = now_ms;
	r->ticked_ms = now_ms;
	r->out = out;
	settle(r);
	whole_tick(r);
	peer_tick(r);
	typing_tick(r);
	store_request_tick(r);
	invite_tick(r);
	expelled_tick(r);
	directory_tick(r);
	name_tick(r);
}

uint64_t roomd_next_due(const struct roomd *r)
{
	/* Leases, rounds and invitations are looked at twice a heartbeat, counted from the last
	 * look: were it from the last message, a busy bus would put it off for ever. Only typing
	 * and requests want more. */
	uint64_t due = r->ticked_ms + HEARTBEAT_MS / 2;
	const struct room_user *u = TAILQ_FIRST(&r->typing);
	const struct store_request *q = TAILQ_FIRST(&r->requests);
	if (u && u->typing_until_ms < due)
		due = u->typing_until_ms;
	if (q && q->retry_ms < due)
		due = q->retry_ms;
	return due;
}

void roomd_pipe_closed(struct roomd *r, uint32_t pipe)
{
	peer_pipe_closed(r, pipe);
}

void roomd_stats(const struct roomd *r, struct roomd_stats *stats)
{
	*stats = r->stats;
	stats->bus_misfits_total = r->topology.misfits;
	stats->rooms = r->rooms.count;
	stats->users = r->names.count;
}
