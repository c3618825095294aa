// SPDX-License-Identifier: MIT
/* historyd.c — see historyd.h. What each event of the bus makes historyd do; to whom it is said and
 * when is turn.c's, what a room's next seq is log.c's. Next: pages.c. */
#include "historyd/state.h"

/* One received message while its events are handled. */
struct mail {
	struct historyd *h;
	uint64_t utc_ms;
	struct envelope env;
	struct gateway *gateway;    /* NULL unless it is a gateway's */
	struct turn_answer *answer; /* NULL unless it is a message of questions */
};

struct historyd *historyd_open(const struct historyd_options *options, struct store *store)
{
	struct historyd *h = mem_alloc(sizeof *h);
	h->is_writable = true;
	store->epoch = options->epoch;
	turn_init(&h->turn, store);
	room_logs_init(&h->logs, &h->turn, options);
	inboxes_init(&h->inboxes, &h->turn, options->seed);
	gateways_init(&h->gateways, options->seed);
	bus_reader_init(&h->reader);
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

/* ---- the events; a row of bus.def without its function here does not compile ---- */

#define HANDLE_ANY(name)
#define HANDLE_GATEWAY(name)
#define HANDLE_ROOMD(name)
#define HANDLE_HISTORYD(name) static void on_##name(struct mail *m, const struct ev_##name *in);
#define E(number, name, from, to, meaning) HANDLE_##to(name)
BUS_EVENTS(E)
#undef E
#undef HANDLE_ANY
#undef HANDLE_GATEWAY
#undef HANDLE_ROOMD
#undef HANDLE_HISTORYD

static enum err find_log(struct mail *m, struct str room, struct room_log **log)
{
	return room.len ? room_logs_find(&m->h->logs, room, log) : ERR_BAD_FIELD;
}

static void refuse_post(struct mail *m, const struct ev_chat_post *in, enum err why)
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

static void repeat_post(struct mail *m, const struct ev_chat_post *in, uint64_t seq,
			uint64_t time_ms)
{
	const struct ev_chat_repeat ev = {
		.gateway = m->env.id,
		.req = in->req,
		.room = in->room,
		.seq = seq,
		.time = time_ms,
	};
	bus_put_chat_repeat(&m->h->turn.down, &ev);
	m->h->tally.repeated++;
}

static void store_post(struct mail *m, const struct ev_chat_post *in, struct room_log *log)
{
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
static void on_posts_begin(struct mail *m, const struct ev_posts_begin *in)
{
	(void)in;
	if (m->h->is_writable)
		gateway_begin(m->gateway);
}

/* The store does not answer, so the post cannot be decided now: nor can those that follow it. */
static void leave_post(struct mail *m, const struct ev_chat_post *in)
{
	gateway_stop_room(&m->h->gateways, m->gateway, in->room);
	m->h->totals.left++;
}

/* What is not answered is sent again by its gateway. */
static void on_chat_post(struct mail *m, const struct ev_chat_post *in)
{
	struct historyd *h = m->h;
	if (!h->is_writable || !gateway_is_taken(&h->gateways, m->gateway, in->room)) {
		h->totals.left++;
		return;
	}
	if (in->room.len == 0 || in->user.len == 0 || in->cid.len == 0) {
		refuse_post(m, in, ERR_BAD_FIELD);
		return;
	}
	struct room_log *log;
	if (find_log(m, in->room, &log) != ERR_OK) {
		leave_post(m, in);
		return;
	}
	if (!room_log_admits(log, in->user)) {
		refuse_post(m, in, ERR_FORBIDDEN);
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

static void on_room_ask(struct mail *m, const struct ev_room_ask *in)
{
	struct ev_room_facts ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_room_facts(&m->answer->unavailable, &ev);
	struct room_log *log;
	enum err status = find_log(m, in->room, &log);
	ev.status = status;
	if (status == ERR_OK) {
		ev.owner = room_log_name(log, LOG_OWNER);
		ev.guest = room_log_name(log, LOG_GUEST);
	}
	bus_put_room_facts(&m->answer->answer.events, &ev);
}

static enum err make_private(struct mail *m, const struct ev_private_put *in)
{
	struct room_log *log;
	if (!m->h->is_writable)
		return ERR_UNAVAILABLE;
	if (in->user.len == 0 || in->user2.len == 0)
		return ERR_BAD_FIELD;
	enum err e = find_log(m, in->room, &log);
	if (e != ERR_OK)
		return e;
	return room_log_make_private(&m->h->logs, log, in->user, in->user2);
}

static void on_private_put(struct mail *m, const struct ev_private_put *in)
{
	struct ev_private_done ev = {.req = in->req, .room = in->room, .status = ERR_UNAVAILABLE};
	bus_put_private_done(&m->answer->unavailable, &ev);
	ev.status = make_private(m, in);
	bus_put_private_done(&m->answer->answer.events, &ev);
}

static void on_invites_ask(struct mail *m, const struct ev_invites_ask *in)
{
	struct ev_invites ev = {.req = in->req, .user2 = in->user2, .status = ERR_UNAVAILABLE};
	bus_put_invites(&m->answer->unavailable, &ev);
	struct inbox *inbox;
	enum err status = inboxes_find(&m->h->inboxes, in->user2, &inbox);
	ev.status = status;
	buf_reset(&m->h->scratch);
	if (status == ERR_OK)
		ev.pending = inbox_list(inbox, &m->h->scratch);
	bus_put_invites(&m->answer->answer.events, &ev);
}

static enum err put_invite(struct mail *m, const struct ev_invite_put *in)
{
	struct inbox *inbox;
	if (!m->h->is_writable)
		return ERR_UNAVAILABLE;
	if (in->room.len == 0 || in->user.len == 0 || in->user2.len == 0)
		return ERR_BAD_FIELD;
	enum err e = inboxes_find(&m->h->inboxes, in->user2, &inbox);
	if (e != ERR_OK)
		return e;
	const struct rec_invitation invitation = {.room = in->room, .user = in->user};
	return inbox_put(&m->h->inboxes, inbox, &invitation);
}

static void answer_invite(struct mail *m, struct ev_invite_done ev, enum err status)
{
	ev.status = ERR_UNAVAILABLE;
	bus_put_invite_done(&m->answer->unavailable, &ev);
	ev.status = status;
	bus_put_invite_done(&m->answer->answer.events, &ev);
}

static void on_invite_put(struct mail *m, const struct ev_invite_put *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	answer_invite(m, ev, put_invite(m, in));
}

static void on_invite_drop(struct mail *m, const struct ev_invite_drop *in)
{
	const struct ev_invite_done ev = {.req = in->req, .room = in->room, .user2 = in->user2};
	enum err status = ERR_UNAVAILABLE;
	struct inbox *inbox;
	if (m->h->is_writable)
		status = inboxes_find(&m->h->inboxes, in->user2, &inbox);
	if (status == ERR_OK)
		inbox_drop(&m->h->inboxes, inbox, in->room);
	answer_invite(m, ev, status);
}

static void not_ours(struct mail *m)
{
	m->h->totals.unknown_events++;
}

/* Pages are read from the store alone: see pages.c. */
static void on_page_ask(struct mail *m, const struct ev_page_ask *in)
{
	(void)in;
	not_ours(m);
}

/* ---- dispatch ---- */

#define HANDLE_ANY(name) (void)0
#define HANDLE_GATEWAY(name) not_ours(m)
#define HANDLE_ROOMD(name) not_ours(m)
#define HANDLE_HISTORYD(name) on_##name(m, &ev->as.name)

static void handle(struct mail *m, const struct bus_event *ev)
{
	bool is_gateways = ev->type == EV_chat_post || ev->type == EV_posts_begin;
	bool is_question = m->answer != NULL;
	if (is_gateways == is_question && ev->type != EV_heartbeat) {
		not_ours(m);
		return;
	}
	switch (ev->type) {
		BUS_EVENTS(DISPATCH_ROW)
	}
}

static void handle_all(struct mail *m)
{
	struct historyd *h = m->h;
	struct bus_event ev;
	while (bus_next(&h->reader, &ev))
		handle(m, &ev);
	h->totals.bad_messages += h->reader.bad;
	if (h->reader.bad && m->gateway) /* nobody knows what stood behind the break */
		gateway_stop(&h->gateways, m->gateway);
}

/* Opens a message of this kind of sender, or counts it as bad. */
static bool open_mail(struct mail *m, struct str message, enum service from)
{
	if (bus_open(&m->h->reader, message, &m->env) && m->env.from == from)
		return true;
	m->h->totals.bad_messages++;
	return false;
}

void historyd_step(struct historyd *h, uint64_t now_ms, uint64_t utc_ms, struct str message)
{
	struct mail m = {.h = h, .utc_ms = utc_ms};
	if (!open_mail(&m, message, SERVICE_GATEWAY))
		return;
	m.gateway = gateways_receive(&h->gateways, &m.env, now_ms);
	if (m.gateway)
		handle_all(&m);
}

void historyd_question(struct historyd *h, uint64_t now_ms, struct str message, uint64_t asker)
{
	(void)now_ms;
	struct mail m = {.h = h, .answer = turn_answer(&h->turn, asker)};
	if (open_mail(&m, message, SERVICE_ROOMD))
		handle_all(&m);
}

/* ---- the turn's end ---- */

static void count_results(struct historyd *h)
{
	h->totals.stored += h->tally.stored;
	h->totals.repeated += h->tally.repeated;
	h->totals.refused += h->tally.refused;
}

/* While commits fail, the store may be closed and opened again between two turns, and only then it
 * turns out whether the batch that failed is on disk. So nothing is remembered from turn to turn
 * until a commit succeeds. */
enum err historyd_flush(struct historyd *h, uint64_t now_ms, struct historyd_out *out)
{
	(void)now_ms;
	bool has_writes = h->turn.writes > 0;
	enum err result = turn_end(&h->turn, out);
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
	stats->unknown_events += h->reader.unknown;
	stats->gaps = h->gateways.gaps;
}
