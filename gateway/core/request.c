// SPDX-License-Identifier: MIT
/* request.c — see request.h. All waits are equally long, so the queue is always in order of the
 * next repetition. What clients wait for is also in a list by age, which is the order in which
 * posts are published: at first one by one, and again from gateway.again on. */
#include "gateway/core/handlers.h"
#include "gateway/core/session.h"
#include "gateway/core/request.h"

static const struct request_row {
	bool is_clients; /* a client waits for it and is told when nobody answers */
	bool is_roomds;  /* it goes to roomd, else to historyd */
	bool is_repair;  /* it counts in the window of … */
	enum repair_kind repair;
} rows[] = {
#define ROW_IS_CLIENT true
#define ROW_IS_GATEWAY false
#define ROW_TO_roomd true
#define ROW_TO_historyd false
#define ROW_TO_read false
#define ROW_REPAIR_NONE .is_repair = false
#define ROW_REPAIR_PRESENCE .is_repair = true, .repair = REPAIR_PRESENCE
#define ROW_REPAIR_LOG .is_repair = true, .repair = REPAIR_LOG
#define R(kind, outbox, who, repair, ...) \
	{.is_clients = ROW_IS_##who, .is_roomds = ROW_TO_##outbox, ROW_REPAIR_##repair},
	REQUESTS(R)
#undef R
};

static const struct request_row *row_of(const struct request *r)
{
	CHECK(r->kind < ARRAY_LEN(rows));
	return &rows[r->kind];
}

static void publish(struct gateway *g, const struct request *r)
{
	CHECK(r->shard < SHARDS_MAX);
	switch (r->kind) {
#define COUNT_NONE (void)0
#define COUNT_lists_asked_total g->stats.lists_asked_total++
#define COUNT_pages_total g->stats.pages_total++
#define R(kind, outbox, who, repair, count, event, ...)                                        \
	case REQUEST_##kind:                                                                   \
		COUNT_##count;                                                                 \
		bus_put_##event(&g->out->outbox[r->shard], &(struct ev_##event){__VA_ARGS__}); \
		break;
		REQUESTS(R)
#undef R
	}
}

/* A client waits for these and is told when nobody answers. */
static bool is_clients(const struct request *r)
{
	return row_of(r)->is_clients;
}

static struct str put_text(char **at, struct str s)
{
	struct str kept = str_of(*at, s.len);
	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

/* Requests about whole rooms, of which repair.c lets only so many go at a time. */
static void count_in_flight(struct gateway *g, const struct request *r, int change)
{
	if (r->kind != REQUEST_PRESENCE && r->kind != REQUEST_PAGE_VIEW)
		return;
	enum repair_kind kind = r->kind == REQUEST_PRESENCE ? REPAIR_PRESENCE : REPAIR_LOG;
	uint32_t *in_flight = &g->repairs[kind][r->shard].in_flight;
	CHECK(change > 0 || *in_flight > 0);
	*in_flight += (uint32_t)change;
}

/* ---- the posts of a room ---- */

struct request *request_first_post(const struct gateway *g, struct str room)
{
	return table_find(&g->posts, room);
}

struct request *request_next_post(const struct gateway *g, const struct request *r)
{
	return r->next == request_first_post(g, r->room) ? NULL : r->next;
}

static void enter_ring(struct gateway *g, struct request *r)
{
	struct request *first = request_first_post(g, r->room);
	r->next = first ? first : r;
	r->prev = first ? first->prev : r;
	r->next->prev = r;
	r->prev->next = r;
	if (!first)
		table_add(&g->posts, r);
}

static void leave_ring(struct gateway *g, struct request *r)
{
	bool is_first = request_first_post(g, r->room) == r;
	if (is_first)
		table_remove(&g->posts, r->room);
	if (is_first && r->next != r)
		table_add(&g->posts, r->next);
	CHECK(r->next->prev == r && r->prev->next == r);
	r->next->prev = r->prev;
	r->prev->next = r->next;
}

/* ---- beginning and ending ---- */

/* The first post to this shard from `r` on; NULL when there is none. */
static struct request *find_post(struct request *r, uint32_t shard)
{
	while (r && (r->kind != REQUEST_POST || r->shard != shard))
		r = TAILQ_NEXT(r, by_age);
	return r;
}

/* Posts are being published again; a new one waits until it is its turn. */
static bool has_to_wait(const struct gateway *g, const struct request *r)
{
	return r->kind == REQUEST_POST && g->again[r->shard];
}

/* By the time at which the client asked, which is long ago when it had to wait for a join. */
static void promise(struct gateway *g, struct request *r)
{
	struct request *before = TAILQ_LAST(&g->promised, request_list);
	while (before && before->asked_ms > r->asked_ms)
		before = TAILQ_PREV(before, request_list, by_age);
	if (before)
		TAILQ_INSERT_AFTER(&g->promised, before, r, by_age);
	else
		TAILQ_INSERT_HEAD(&g->promised, r, by_age);
	if (has_to_wait(g, r) && g->again[r->shard]->asked_ms > r->asked_ms)
		g->again[r->shard] = r;
}

struct request *request_start(struct gateway *g, const struct request_params *params)
{
	struct request *r = mem_alloc(sizeof *r);
	*r = (struct request){
		.number = ++g->last_request,
		.kind = params->kind,
		.shard = params->shard,
		.asked_ms = g->now_ms - g->late_ms,
		.retry_ms = g->now_ms + RETRY_MS,
		.session = params->session ? params->session->number : 0,
		.has_id = params->has_id,
		.id = params->id,
		.after = params->after,
		.before = params->before,
		.limit = params->limit,
		.is_newest = params->is_newest,
		.is_parked = params->is_parked,
		.epoch = params->epoch,
		.may_reset = params->may_reset,
	};
	r->text = mem_alloc(params->room.len + params->user.len + params->user2.len +
			    params->cid.len + params->body.len);
	char *at = r->text;
	r->room = put_text(&at, params->room);
	r->user = put_text(&at, params->user);
	r->user2 = put_text(&at, params->user2);
	r->cid = put_text(&at, params->cid);
	r->body = put_text(&at, params->body);
	if (!r->is_parked)
		TAILQ_INSERT_TAIL(&g->requests, r, entry);
	if (!r->is_parked && is_clients(r))
		promise(g, r);
	table_add(&g->requests_by_number, r);
	struct session *s = r->session ? session_find(g, r->session) : NULL;
	if (s && is_clients(r))
		session_in_flight(g, s, +1);
	count_in_flight(g, r, +1);
	if (r->kind == REQUEST_POST)
		enter_ring(g, r);
	if (!has_to_wait(g, r) && !r->is_parked && !params->is_late)
		publish(g, r);
	return r;
}

void request_end(struct gateway *g, struct request *r)
{
	struct session *s = r->session ? session_find(g, r->session) : NULL;
	if (s && is_clients(r))
		session_in_flight(g, s, -1);
	count_in_flight(g, r, -1);
	if (r->kind == REQUEST_POST)
		leave_ring(g, r);
	if (r == g->again[r->shard])
		g->again[r->shard] = find_post(TAILQ_NEXT(r, by_age), r->shard);
	if (!r->is_parked) {
		TAILQ_REMOVE(&g->requests, r, entry);
		if (is_clients(r))
			TAILQ_REMOVE(&g->promised, r, by_age);
	}
	table_remove(&g->requests_by_number, str_of((const char *)&r->number, sizeof r->number));
	mem_free(r->text);
	mem_free(r);
}

void request_park(struct gateway *g, struct request *r)
{
	CHECK(!r->is_parked && is_clients(r));
	r->is_parked = true;
	TAILQ_REMOVE(&g->requests, r, entry);
	TAILQ_REMOVE(&g->promised, r, by_age);
}

void request_unpark(struct gateway *g, struct request *r, uint64_t waits_ms)
{
	CHECK(r->is_parked);
	r->is_parked = false;
	if (r->asked_ms < waits_ms)
		r->asked_ms = waits_ms;
	r->retry_ms = g->now_ms + RETRY_MS;
	TAILQ_INSERT_TAIL(&g->requests, r, entry);
	promise(g, r);
	publish(g, r);
}

struct request *request_find(struct gateway *g, uint64_t number)
{
	return table_find(&g->requests_by_number, str_of((const char *)&number, sizeof number));
}

/* ---- again ---- */

static void wait_again(struct gateway *g, struct request *r)
{
	TAILQ_REMOVE(&g->requests, r, entry);
	r->retry_ms = g->now_ms + RETRY_MS;
	TAILQ_INSERT_TAIL(&g->requests, r, entry);
}

static void repeat(struct gateway *g, struct request *r)
{
	wait_again(g, r);
	if (r->kind == REQUEST_POST)
		g->stats.posts_retried_total++;
	publish(g, r);
}

static void go_on(struct gateway *g, uint32_t shard)
{
	struct request *r;
	for (uint32_t n = 0; n < REPEATS_A_TURN && (r = g->again[shard]) != NULL; n++) {
		g->again[shard] = find_post(TAILQ_NEXT(r, by_age), shard);
		repeat(g, r);
	}
}

/* Publishes all posts under way to this historyd again, in their order. What is in the outbox
 * already was published before this and is taken only where nothing was missed. */
static void begin_posts(struct gateway *g, uint32_t shard)
{
	struct request *first = find_post(TAILQ_FIRST(&g->promised), shard);
	if (g->historyd[shard].minor >= 1) /* an older historyd takes posts as they come */
		bus_put_posts_begin(&g->out->historyd[shard],
				    &(struct ev_posts_begin){.first = first ? first->number : 0});
	g->again[shard] = first;
	go_on(g, shard);
}

void on_posts_ask(struct gateway *g, const struct ev_posts_ask *ev)
{
	if (ev->gateway == g->options.id)
		begin_posts(g, (uint32_t)g->from.id);
}

static void repeat_due(struct gateway *g)
{
	struct request *r;
	for (uint32_t n = 0; n < REPEATS_A_TURN && (r = TAILQ_FIRST(&g->requests)) != NULL &&
			     r->retry_ms <= g->now_ms;
	     n++) {
		if (has_to_wait(g, r))
			wait_again(g, r);
		else
			repeat(g, r);
	}
}

/* All but posts: the order of these means nothing. */
static void repeat_others(struct gateway *g, enum service service, uint32_t shard)
{
	const struct request *first = TAILQ_FIRST(&g->requests);
	struct request *r = TAILQ_LAST(&g->requests, request_list);
	while (r) { /* from the end, so that they come to stand in front in their order */
		struct request *before = r == first ? NULL : TAILQ_PREV(r, request_list, entry);
		if (r->kind != REQUEST_POST && r->shard == shard &&
		    row_of(r)->is_roomds == (service == SERVICE_ROOMD)) {
			r->retry_ms = g->now_ms;
			TAILQ_REMOVE(&g->requests, r, entry);
			TAILQ_INSERT_HEAD(&g->requests, r, entry);
		}
		r = before;
	}
	repeat_due(g);
}

void request_repeat_all(struct gateway *g, enum service service, uint32_t shard)
{
	if (service == SERVICE_HISTORYD)
		begin_posts(g, shard);
	repeat_others(g, service, shard);
}

void request_tick(struct gateway *g)
{
	for (uint32_t shard = 0; shard < g->options.historyd_shards; shard++)
		go_on(g, shard);
	repeat_due(g);
}

uint64_t request_next_due(const struct gateway *g)
{
	for (uint32_t shard = 0; shard < g->options.historyd_shards; shard++)
		if (g->again[shard])
			return 0;
	const struct request *next = TAILQ_FIRST(&g->requests);
	const struct request *oldest = TAILQ_FIRST(&g->promised);
	uint64_t due = next ? next->retry_ms : UINT64_MAX;
	return oldest && oldest->asked_ms + GIVE_UP_MS < due ? oldest->asked_ms + GIVE_UP_MS : due;
}
