// SPDX-License-Identifier: MIT
/* request.c — see request.h. All waits are equally long, so the queue is always in order of the
 * next repetition. */
#include "gateway/request.h"
#include "gateway/frame.h"

static struct batch *batch_for(struct gateway *g, const struct request *r)
{
	switch (r->kind) {
	case REQUEST_CLAIM:
	case REQUEST_JOIN:
	case REQUEST_PRESENCE:
	case REQUEST_PRIVATE:
	case REQUEST_INVITE:
		return &g->out->roomd[r->shard];
	case REQUEST_POST:
		return &g->out->historyd[r->shard];
	case REQUEST_PAGE_VIEW:
	case REQUEST_PAGE_READER:
	case REQUEST_PAGE_CLIENT:
		break;
	}
	return &g->out->read[r->shard];
}

static void publish(struct gateway *g, const struct request *r)
{
	struct batch *b = batch_for(g, r);
	switch (r->kind) {
	case REQUEST_CLAIM:
		bus_put_claim(b, &(struct ev_claim){.user = r->user, .key = r->cid});
		return;
	case REQUEST_JOIN:
		bus_put_join(b, &(struct ev_join){.room = r->room, .user = r->user});
		return;
	case REQUEST_PRESENCE:
		bus_put_presence_ask(b, &(struct ev_presence_ask){.room = r->room});
		return;
	case REQUEST_POST:
		bus_put_chat_post(b, &(struct ev_chat_post){.req = r->number,
							    .room = r->room,
							    .user = r->user,
							    .cid = r->cid,
							    .body = r->body});
		return;
	case REQUEST_PRIVATE:
		bus_put_private_ask(b, &(struct ev_private_ask){.req = r->number,
								.room = r->room,
								.user = r->user,
								.user2 = r->user2});
		return;
	case REQUEST_INVITE:
		bus_put_invite_ask(b, &(struct ev_invite_ask){.req = r->number,
							      .room = r->room,
							      .user = r->user,
							      .user2 = r->user2});
		return;
	case REQUEST_PAGE_VIEW:
	case REQUEST_PAGE_READER:
	case REQUEST_PAGE_CLIENT:
		g->stats.pages_total++;
		bus_put_page_ask(b, &(struct ev_page_ask){.req = r->number,
							  .room = r->room,
							  .after = r->after,
							  .before = r->before,
							  .limit = r->limit,
							  .newest = r->is_newest});
		return;
	}
}

/* A client waits for these and is told when nobody answers. */
static bool is_clients(const struct request *r)
{
	return r->kind == REQUEST_POST || r->kind == REQUEST_PRIVATE || r->kind == REQUEST_INVITE ||
	       r->kind == REQUEST_PAGE_CLIENT;
}

static struct str put_text(char **at, struct str s)
{
	struct str kept = str_of(*at, s.len);
	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

/* Questions about whole rooms, of which repair.c lets only so many go at a time. */
static void count_in_flight(struct gateway *g, const struct request *r, int change)
{
	if (r->kind == REQUEST_PRESENCE)
		g->repairs[REPAIR_PRESENCE][r->shard].in_flight += (uint32_t)change;
	else if (r->kind == REQUEST_PAGE_VIEW)
		g->repairs[REPAIR_LOG][r->shard].in_flight += (uint32_t)change;
}

struct request *request_start(struct gateway *g, const struct request_wish *wish)
{
	struct request *r = mem_alloc(sizeof *r);
	*r = (struct request){
		.number = ++g->last_request,
		.kind = wish->kind,
		.shard = wish->shard,
		.asked_ms = g->now_ms,
		.retry_ms = g->now_ms + RETRY_MS,
		.session = wish->session ? wish->session->number : 0,
		.has_id = wish->has_id,
		.id = wish->id,
		.after = wish->after,
		.before = wish->before,
		.limit = wish->limit,
		.is_newest = wish->is_newest,
	};
	r->text = mem_alloc(wish->room.len + wish->user.len + wish->user2.len + wish->cid.len +
			    wish->body.len);
	char *at = r->text;
	r->room = put_text(&at, wish->room);
	r->user = put_text(&at, wish->user);
	r->user2 = put_text(&at, wish->user2);
	r->cid = put_text(&at, wish->cid);
	r->body = put_text(&at, wish->body);
	TAILQ_INSERT_TAIL(&g->requests, r, entry);
	if (is_clients(r))
		TAILQ_INSERT_TAIL(&g->promised, r, by_age);
	table_add(&g->requests_by_number, r);
	struct session *s = r->session ? session_find(g, r->session) : NULL;
	if (s)
		session_in_flight(g, s, +1);
	count_in_flight(g, r, +1);
	publish(g, r);
	return r;
}

void request_end(struct gateway *g, struct request *r)
{
	struct session *s = r->session ? session_find(g, r->session) : NULL;
	if (s)
		session_in_flight(g, s, -1);
	count_in_flight(g, r, -1);
	TAILQ_REMOVE(&g->requests, r, entry);
	if (is_clients(r))
		TAILQ_REMOVE(&g->promised, r, by_age);
	table_remove(&g->requests_by_number, str_of((const char *)&r->number, sizeof r->number));
	mem_free(r->text);
	mem_free(r);
}

struct request *request_find(struct gateway *g, uint64_t number)
{
	return table_find(&g->requests_by_number, str_of((const char *)&number, sizeof number));
}

static void repeat(struct gateway *g, struct request *r)
{
	TAILQ_REMOVE(&g->requests, r, entry);
	r->retry_ms = g->now_ms + RETRY_MS;
	TAILQ_INSERT_TAIL(&g->requests, r, entry);
	if (r->kind == REQUEST_POST)
		g->stats.posts_retried_total++;
	publish(g, r);
}

void request_repeat_all(struct gateway *g, enum service service, uint32_t shard)
{
	const struct request *first = TAILQ_FIRST(&g->requests);
	struct request *r = TAILQ_LAST(&g->requests, request_list);
	while (r) { /* from the end, so that they come to stand in front in their order */
		struct request *before = r == first ? NULL : TAILQ_PREV(r, request_list, entry);
		bool is_roomds = batch_for(g, r) == &g->out->roomd[r->shard];
		if (r->shard == shard && is_roomds == (service == SERVICE_ROOMD)) {
			r->retry_ms = g->now_ms;
			TAILQ_REMOVE(&g->requests, r, entry);
			TAILQ_INSERT_HEAD(&g->requests, r, entry);
		}
		r = before;
	}
	request_tick(g);
}

static void give_up(struct gateway *g, struct request *r)
{
	struct session *s = session_find(g, r->session);
	if (r->kind == REQUEST_POST)
		g->stats.posts_unavailable_total++;
	if (s)
		frame_send_error(g, s, r->has_id, r->id, ERR_UNAVAILABLE, NULL);
	request_end(g, r);
}

void request_tick(struct gateway *g)
{
	struct request *r;
	uint32_t repeats = 0;
	while ((r = TAILQ_FIRST(&g->promised)) != NULL && r->asked_ms + GIVE_UP_MS <= g->now_ms)
		give_up(g, r);
	while ((r = TAILQ_FIRST(&g->requests)) != NULL && r->retry_ms <= g->now_ms &&
	       repeats++ < REPEATS_A_TURN)
		repeat(g, r);
}

uint64_t request_next_due(const struct gateway *g)
{
	const struct request *next = TAILQ_FIRST(&g->requests);
	const struct request *oldest = TAILQ_FIRST(&g->promised);
	uint64_t due = next ? next->retry_ms : UINT64_MAX;
	return oldest && oldest->asked_ms + GIVE_UP_MS < due ? oldest->asked_ms + GIVE_UP_MS : due;
}
