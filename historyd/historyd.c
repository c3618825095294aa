// SPDX-License-Identifier: MIT
/* historyd.c — see historyd.h. What each event of the bus makes historyd do; to whom it is said and
 * when is turn.c's, what a room's next seq is log.c's; roomd's requests are in requests.c. Next:
 * requests.c. */
#include "historyd/state.h"

struct historyd *historyd_open(const struct historyd_options *options, struct store *store)
{
	struct historyd *h = mem_alloc(sizeof *h);
	h->is_writable = true;
	store->epoch = options->epoch;
	turn_init(&h->turn, store);
	room_logs_init(&h->logs, &h->turn, options);
	inboxes_init(&h->inboxes, &h->turn, options->seed);
	gateways_init(&h->gateways, options->seed);
	h->topology = (struct topology){
		.kind = SERVICE_HISTORYD, .id = options->shard, .historyds = options->shards};
	topology_learn_cluster(&h->topology, options->cluster);
	bus_reader_init(&h->reader, SERVICE_HISTORYD);
	return h;
}

void historyd_close(struct historyd *h)
{
	room_logs_free(&h->logs);
	inboxes_forget(&h->inboxes);
	gateways_free(&h->gateways);
	turn_free(&h->turn);
	bus_reader_free(&h->reader);
	buf_free(&h->scratch);
	mem_free(h);
}

/* ---- posts ---- */

static void reject_post(struct message *m, const struct ev_chat_post *in, enum err why)
{
	const struct ev_chat_refused ev = {
		.gateway = m->env.id,
		.req = in->req,
		.room = in->room,
		.status = why,
	};
	bus_put_chat_refused(&m->h->turn.down, &ev);
	m->h->tally.refused++;
}

static void repeat_post(struct message *m, const struct ev_chat_post *in, uint64_t seq,
			uint64_t time_ms)
{
	const struct ev_chat_repeat ev = {
		.gateway = m->env.id,
		.req = in->req,
		.room = in->room,
		.seq = seq,
		.time = time_ms,
		.epoch = m->h->logs.epoch,
	};
	bus_put_chat_repeat(&m->h->turn.down, &ev);
	m->h->tally.repeated++;
}

static void store_post(struct message *m, const struct ev_chat_post *in, struct room_log *log)
{
	CHECK(m->h->is_writable);
	uint64_t held_ms = room_log_append(&m->h->logs, log, in, m->utc_ms);
	if (held_ms > m->h->held_ms)
		m->h->held_ms = held_ms;
	const struct ev_chat_stored ev = {
		.gateway = m->env.id,
		.req = in->req,
		.room = in->room,
		.seq = log->seq,
		.time = log->time_ms,
		.user = in->user,
		.cid = in->cid,
		.body = in->body,
		.epoch = m->h->logs.epoch,
		.owner = room_log_name(log, LOG_OWNER),
		.guest = room_log_name(log, LOG_GUEST),
	};
	bus_put_chat_stored(&m->h->turn.down, &ev);
	m->h->tally.stored++;
}

/* Not while nothing can be stored: what follows would not be taken. */
void on_posts_begin(struct message *m, const struct ev_posts_begin *in)
{
	(void)in;
	CHECK(m->gateway);
	if (m->h->is_writable)
		gateway_begin(m->gateway);
}

/* The store does not answer, so the post cannot be decided now: nor can those that follow it. */
static void leave_post(struct message *m, const struct ev_chat_post *in)
{
	gateway_stop_room(&m->h->gateways, m->gateway, in->room);
	m->h->totals.messages_left_total++;
}

/* What is not answered is sent again by its gateway. */
void on_chat_post(struct message *m, const struct ev_chat_post *in)
{
	struct historyd *h = m->h;
	CHECK(m->gateway);
	if (!h->is_writable || !gateway_is_taken(&h->gateways, m->gateway, in->room)) {
		h->totals.messages_left_total++;
		return;
	}
	if (in->room.len == 0 || in->user.len == 0 || in->cid.len == 0) {
		reject_post(m, in, ERR_BAD_FIELD);
		return;
	}
	if (!message_owns(m, in->room)) {
		reject_post(m, in, ERR_UNAVAILABLE);
		return;
	}
	struct room_log *log;
	if (message_find_log(m, in->room, &log) != ERR_OK) {
		leave_post(m, in);
		return;
	}
	if (!room_log_admits(log, in->user)) {
		reject_post(m, in, ERR_FORBIDDEN);
		return;
	}
	uint64_t seq;
	uint64_t time_ms;
	if (room_log_find_cid(&h->logs, log, in, &seq, &time_ms) != ERR_OK)
		leave_post(m, in);
	else if (seq)
		repeat_post(m, in, seq, time_ms);
	else
		store_post(m, in, log);
}

/* Pages are read from the store alone: see pages.c. */
void on_page_ask(struct message *m, const struct ev_page_ask *in)
{
	(void)in;
	m->h->totals.bus_unknown_total++;
}

/* ---- dispatch ---- */

#define HANDLE_ANY(name) (void)0
#define HANDLE_GATEWAY(name) (void)0 /* bus_next gives none of these */
#define HANDLE_ROOMD(name) (void)0
#define HANDLE_HISTORYD(name) on_##name(m, &ev->as.name)

static void handle(struct message *m, const struct bus_event *ev)
{
	switch (ev->type) {
		BUS_EVENTS(DISPATCH_ROW)
	}
}

static void handle_all(struct message *m)
{
	struct historyd *h = m->h;
	struct bus_event ev;
	while (bus_next(&h->reader, &ev))
		handle(m, &ev);
	h->totals.bus_bad_total += h->reader.in.bad;
	if (h->reader.in.bad && m->gateway) /* nobody knows what stood behind the break */
		gateway_stop(&h->gateways, m->gateway);
}

/* Opens a message of this kind of sender, or counts it as bad. */
static bool open_message(struct message *m, struct str message, enum service from)
{
	if (bus_open(&m->h->reader, message, &m->env) && m->env.from == from)
		return true;
	m->h->totals.bus_bad_total++;
	return false;
}

void historyd_step(struct historyd *h, uint64_t now_ms, uint64_t utc_ms,
		   const struct bus_source *source, struct str message)
{
	struct message m = {.h = h, .utc_ms = utc_ms, .source = *source};
	bool is_twin = false;
	if (!open_message(&m, message, SERVICE_GATEWAY))
		return;
	enum topology_fault fault = topology_admit(&h->topology, source, &m.env);
	if (fault == TOPOLOGY_FITS)
		m.gateway = gateways_receive(&h->gateways, &m.env, source->pipe, now_ms, &is_twin);
	if (is_twin) {
		fault = TOPOLOGY_TWIN;
		topology_note(&h->topology, fault, source, &m.env);
	}
	if (fault != TOPOLOGY_FITS)
		topology_reject(&h->topology, &h->turn.down, &m.env, fault, now_ms);
	else if (m.gateway)
		handle_all(&m);
}

/* Whether this roomd is the one that is served under its id. */
static bool admit_roomd(struct message *m, uint64_t now_ms)
{
	if (m->env.id >= SHARDS_MAX)
		return false;
	struct link *l = &m->h->roomds[m->env.id];
	if (!link_admits(l, &m->env, m->source.pipe, now_ms))
		return false;
	l->epoch = m->env.epoch;
	l->active_ms = now_ms;
	l->up = true;
	return true;
}

void historyd_request(struct historyd *h, uint64_t now_ms, const struct bus_source *source,
		      struct str message, uint64_t requester)
{
	struct message m = {
		.h = h, .source = *source, .response = turn_response(&h->turn, requester)};
	if (!open_message(&m, message, SERVICE_ROOMD))
		return;
	enum topology_fault fault = topology_admit(&h->topology, source, &m.env);
	if (fault == TOPOLOGY_FITS && !admit_roomd(&m, now_ms)) {
		fault = TOPOLOGY_TWIN;
		topology_note(&h->topology, fault, source, &m.env);
	}
	if (fault != TOPOLOGY_FITS)
		topology_reject(&h->topology, &m.response->response.events, &m.env, fault, now_ms);
	else
		handle_all(&m);
}

void historyd_pipe_closed(struct historyd *h, uint32_t pipe)
{
	gateways_pipe_closed(&h->gateways, pipe);
	for (size_t i = 0; i < SHARDS_MAX; i++)
		link_pipe_closed(&h->roomds[i], pipe);
}

const struct topology *historyd_topology(const struct historyd *h)
{
	return &h->topology;
}

/* ---- the turn's end ---- */

static void count_results(struct historyd *h)
{
	h->totals.messages_stored_total += h->tally.stored;
	h->totals.messages_repeated_total += h->tally.repeated;
	h->totals.messages_refused_total += h->tally.refused;
}

/* While commits fail, the store may be closed and opened again between two turns, and only then it
 * turns out whether the batch that failed is on disk. So nothing is remembered from turn to turn
 * until a commit succeeds. */
enum err historyd_flush(struct historyd *h, uint64_t now_ms, struct historyd_out *out)
{
	(void)now_ms;
	bool has_writes = h->turn.writes > 0;
	CHECK(h->is_writable || !has_writes);
	enum err result = turn_end(&h->turn, out);
	CHECK(h->turn.writes == 0 && h->turn.response_count == 0);
	if (result == ERR_OK)
		count_results(h);
	else /* what it took, it has not taken */
		gateways_stop_all(&h->gateways);
	if (h->is_writable)
		gateways_ask(&h->gateways, &out->down);
	h->totals.commits += has_writes && result == ERR_OK;
	h->totals.commit_failures += result != ERR_OK;
	h->tally = (struct tally){0};
	if (has_writes)
		h->is_doubtful = result != ERR_OK;
	inboxes_forget(&h->inboxes);
	if (h->is_doubtful)
		room_logs_forget(&h->logs);
	else
		room_logs_settle(&h->logs);
	return result;
}

void historyd_set_writable(struct historyd *h, bool is_writable)
{
	CHECK(h->turn.writes == 0);
	if (h->is_writable == is_writable)
		return;
	h->is_writable = is_writable;
	room_logs_forget(&h->logs);
	gateways_stop_all(&h->gateways);
}

void historyd_tick(struct historyd *h, uint64_t now_ms)
{
	gateways_tick(&h->gateways, now_ms);
	h->totals.clock_behind_ms = h->held_ms;
	h->held_ms = 0;
}

void historyd_stats(const struct historyd *h, struct historyd_stats *stats)
{
	*stats = h->totals;
	stats->rooms_in_memory = h->logs.logs.count;
	stats->gateways = h->gateways.table.count;
	stats->bus_unknown_total += h->reader.unknown;
	stats->bus_gaps_total = h->gateways.gaps;
	stats->bus_misfits_total = h->topology.misfits;
}
