// SPDX-License-Identifier: MIT
/* test_relay.h — what the tests of relayed requests share: two gateways whose messages are lost,
 * repeated, late and out of order, and the clients of the first. */
#ifndef PARLOR_TESTS_TEST_RELAY_H
#define PARLOR_TESTS_TEST_RELAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include "gateway/relay/relay.h"
#include "tests/sim/rng.h"

#include <stdio.h>

enum { SIDES = 2, MESSAGES_MAX = 4096, CALLERS = 64, PATIENCE_MS = 60000 };

struct post {
	uint32_t to, from;
	bool is_response;
	struct buf bytes;
	uint64_t at_ms;
};

struct caller { /* a client's request */
	struct relay_call *call;
	unsigned responses, status;
	bool is_unreachable, is_slow; /* has not read its answer */
	char body[32];
};

struct world;
struct side {
	struct world *world;
	uint32_t index;
	struct relay relay;
};

struct world {
	struct side side[SIDES];
	struct post post[MESSAGES_MAX];
	size_t message_count;
	uint64_t now_ms;
	struct rng rng;
	uint32_t loss, repeats, delay_ms; /* of 100, of 100 */
	bool is_cut, is_unknown, is_deaf; /* no way for requests */
	struct caller caller[CALLERS];
	struct relay_task *held; /* a poll that has not been answered */
	unsigned runs, gones, arrivals, losts;
};

static inline void put_message(struct world *w, uint32_t from, uint32_t to, bool is_response,
			       const struct batch *events)
{
	if (w->is_cut || (w->is_deaf && !is_response) || rng_below(&w->rng, 100) < w->loss)
		return;
	uint32_t copies = rng_below(&w->rng, 100) < w->repeats ? 2 : 1;
	for (uint32_t i = 0; i < copies && w->message_count < MESSAGES_MAX; i++) {
		struct post *m = &w->post[w->message_count++];
		*m = (struct post){.to = to, .from = from, .is_response = is_response};
		m->at_ms = w->now_ms + (w->delay_ms ? rng_below(&w->rng, w->delay_ms) : 0);
		bus_put_header(&m->bytes, &(struct envelope){.from = SERVICE_GATEWAY,
							     .id = from,
							     .epoch = w->side[from].relay.epoch});
		buf_str(&m->bytes, buf_view(&events->bytes));
	}
}

static inline bool on_ask(void *ctx, uint64_t gateway, const struct batch *events)
{
	struct side *s = ctx;
	if (s->world->is_unknown)
		return false;
	put_message(s->world, s->index, (uint32_t)gateway, false, events);
	return true;
}

static inline void on_response(void *ctx, struct str route, const struct batch *events)
{
	struct side *s = ctx;
	put_message(s->world, s->index, (uint32_t)(route.ptr[0] - '0'), true, events);
}

static inline void on_answered(void *ctx, void *caller, const struct eio_response *a)
{
	struct side *s = ctx;
	struct caller *w = caller;
	w->responses++;
	w->is_unreachable = a == NULL;
	if (a) {
		w->status = a->status;
		snprintf(w->body, sizeof w->body, STR_FMT, STR_ARG(a->body));
	}
	if (w->is_slow)
		return;
	relay_delivered(&s->relay, s->world->now_ms, w->call);
	w->call = NULL;
}

/* "hold" is answered later, everything else by its own query. */
static inline void on_run(void *ctx, struct relay_task *t, const struct relay_request *q)
{
	struct side *s = ctx;
	s->world->runs++;
	static char big[RELAYED_MAX];
	if (str_equal(q->query, STR("hold")))
		s->world->held = t;
	else if (str_equal(q->query, STR("big")))
		relay_finish(&s->relay, s->world->now_ms, t,
			     &(struct eio_response){.status = 200, .body = {big, sizeof big}});
	else
		relay_finish(&s->relay, s->world->now_ms, t,
			     &(struct eio_response){.status = 200, .body = q->query});
}

static inline void on_gone(void *ctx, struct relay_task *t)
{
	struct side *s = ctx;
	s->world->gones++;
	if (s->world->held == t)
		s->world->held = NULL;
}

static inline void on_arrived(void *ctx, struct relay_task *t)
{
	struct side *s = ctx;
	(void)t;
	s->world->arrivals++;
}

static inline void on_lost(void *ctx, struct str query)
{
	struct side *s = ctx;
	s->world->losts += str_equal(query, STR("now")) || str_equal(query, STR("big"));
}

static inline void open_side(struct world *w, uint32_t i, uint64_t epoch)
{
	struct side *s = &w->side[i];
	*s = (struct side){.world = w, .index = i};
	s->relay.id = i;
	s->relay.epoch = epoch;
	s->relay.ctx = s;
	s->relay.app = (struct relay_app){.ask = on_ask,
					  .response = on_response,
					  .answered = on_answered,
					  .run = on_run,
					  .gone = on_gone,
					  .arrived = on_arrived,
					  .lost = on_lost};
	relay_open(&s->relay, i + 1);
}

static inline int open_world(void **state)
{
	struct world *w = mem_alloc(sizeof *w);
	w->rng = (struct rng){7};
	w->now_ms = 1000;
	for (uint32_t i = 0; i < SIDES; i++)
		open_side(w, i, 1);
	*state = w;
	return 0;
}

static inline int close_world(void **state)
{
	struct world *w = *state;
	for (uint32_t i = 0; i < SIDES; i++)
		relay_close(&w->side[i].relay);
	for (size_t i = 0; i < w->message_count; i++)
		buf_free(&w->post[i].bytes);
	mem_free(w);
	return 0;
}

static inline void carry(struct world *w)
{
	for (size_t i = 0; i < w->message_count;) {
		if (w->post[i].at_ms > w->now_ms) {
			i++;
			continue;
		}
		struct post m = w->post[i];
		w->post[i] = w->post[--w->message_count];
		const char route = (char)('0' + m.from);
		relay_receive(&w->side[m.to].relay, w->now_ms, buf_view(&m.bytes),
			      !m.is_response ? str_of(&route, 1) : (struct str){0});
		buf_free(&m.bytes);
		i = 0;
	}
}

static inline void pass(struct world *w, uint64_t ms)
{
	for (uint64_t end = w->now_ms + ms; w->now_ms < end; w->now_ms += 10) {
		carry(w);
		for (uint32_t i = 0; i < SIDES; i++)
			relay_tick(&w->side[i].relay, w->now_ms);
	}
	carry(w);
}

static inline void ask(struct world *w, struct caller *caller, const char *query)
{
	*caller = (struct caller){0};
	caller->call = relay_ask(
		&w->side[0].relay, w->now_ms, 1,
		&(struct relay_request){.kind = RELAY_GET, .query = str_from(query)}, caller);
	assert_non_null(caller->call);
}

/* Likewise, for a client that does not read the answer. */
static inline void ask_slowly(struct world *w, struct caller *caller, const char *query)
{
	ask(w, caller, query);
	caller->is_slow = true;
}

#endif
