// SPDX-License-Identifier: MIT
/* requests.c — what roomd asks of historyd, repeated until it is answered or nobody can be waiting
 * any more. */
#include "proto/shard.h"
#include "roomd/state.h"

bool store_request_is_about_room(const struct store_request *q)
{
	static const bool by_kind[] = {
#define ABOUT_room true
#define ABOUT_user2 false
#define Q(kind, about, ...) ABOUT_##about,
		STORE_REQUESTS(Q)
#undef Q
	};
	CHECK(q->kind < ARRAY_LEN(by_kind));
	return by_kind[q->kind];
}

void store_request_publish(struct roomd *r, const struct store_request *q)
{
	switch (q->kind) {
#define Q(kind, about, event, ...)                                                            \
	case STORE_REQUEST_##kind:                                                            \
		bus_put_##event(&r->out->ask[shard_of(q->about, r->options.historyd_shards)], \
				&(struct ev_##event){.req = q->number, __VA_ARGS__});         \
		break;
		STORE_REQUESTS(Q)
#undef Q
	}
}

uint64_t store_request_start(struct roomd *r, const struct store_request *params)
{
	struct store_request *q = mem_alloc(sizeof *q);
	*q = *params;
	q->number = ++r->last_request;
	q->retry_ms = r->now_ms + STORE_REQUEST_MS;
	q->room = str_copy(params->room);
	q->user = str_copy(params->user);
	q->user2 = str_copy(params->user2);
	table_add(&r->requests_by_number, q);
	if (q->kind == STORE_REQUEST_INVITE_PUT)
		table_add(&r->invite_puts, q);
	TAILQ_INSERT_TAIL(&r->requests, q, entry);
	store_request_publish(r, q);
	return q->number;
}

struct store_request *store_request_find(struct roomd *r, uint64_t number)
{
	return table_find(&r->requests_by_number, str_of((const char *)&number, sizeof number));
}

struct store_request *store_request_of_requester(const struct roomd *r,
						 const struct invite_requester *requester)
{
	return table_find(&r->invite_puts, str_of((const char *)requester, sizeof *requester));
}

void store_request_end(struct roomd *r, struct store_request *q)
{
	TAILQ_REMOVE(q->is_patient ? &r->patient : &r->requests, q, entry);
	struct str number = str_of((const char *)&q->number, sizeof q->number);
	struct str requester = str_of((const char *)&q->requester, sizeof q->requester);
	CHECK(table_remove(&r->requests_by_number, number) == q);
	if (q->kind == STORE_REQUEST_INVITE_PUT)
		CHECK(table_remove(&r->invite_puts, requester) == q);
	str_free(&q->room);
	str_free(&q->user);
	str_free(&q->user2);
	mem_free(q);
}
