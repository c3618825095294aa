// SPDX-License-Identifier: MIT
/* test_relay.c — relayed requests, between two gateways whose messages are lost, repeated, late and
 * out of order. */
#include "gateway/relay.h"
#include "tests/sim/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants the three above first
#include <cmocka.h>
#include <stdio.h>

enum { SIDES = 2, MAIL_MAX = 4096, WAITERS = 64, PATIENCE_MS = 60000 };

struct mail {
	uint32_t to, from;
	bool is_answer;
	struct buf bytes;
	uint64_t at_ms;
};

struct waiter { /* a client's request */
	struct relay_call *call;
	unsigned answers, status;
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
	struct mail mail[MAIL_MAX];
	size_t mail_count;
	uint64_t now_ms;
	struct rng rng;
	uint32_t loss, repeats, delay_ms; /* of 100, of 100 */
	bool is_cut, is_unknown;
	struct waiter waiter[WAITERS];
	struct relay_task *held; /* a poll that has not been answered */
	unsigned runs, gones, losts;
};

static void put_mail(struct world *w, uint32_t from, uint32_t to, bool is_answer,
		     const struct batch *events)
{
	if (w->is_cut || rng_below(&w->rng, 100) < w->loss)
		return;
	uint32_t copies = rng_below(&w->rng, 100) < w->repeats ? 2 : 1;
	for (uint32_t i = 0; i < copies && w->mail_count < MAIL_MAX; i++) {
		struct mail *m = &w->mail[w->mail_count++];
		*m = (struct mail){.to = to, .from = from, .is_answer = is_answer};
		m->at_ms = w->now_ms + (w->delay_ms ? rng_below(&w->rng, w->delay_ms) : 0);
		bus_put_header(&m->bytes, &(struct envelope){.from = SERVICE_GATEWAY,
							     .id = from,
							     .epoch = w->side[from].relay.epoch});
		buf_str(&m->bytes, buf_view(&events->bytes));
	}
}

static bool on_ask(void *ctx, uint64_t gateway, const struct batch *events)
{
	struct side *s = ctx;
	if (s->world->is_unknown)
		return false;
	put_mail(s->world, s->index, (uint32_t)gateway, false, events);
	return true;
}

static void on_answer(void *ctx, struct str route, const struct batch *events)
{
	struct side *s = ctx;
	put_mail(s->world, s->index, (uint32_t)(route.ptr[0] - '0'), true, events);
}

static void on_answered(void *ctx, void *waiter, const struct eio_answer *a)
{
	struct side *s = ctx;
	struct waiter *w = waiter;
	w->answers++;
	w->is_unreachable = a == NULL;
	if (a) {
		w->status = a->status;
		snprintf(w->body, sizeof w->body, STR_FMT, STR_ARG(a->body));
	}
	if (w->is_slow)
		return;
	relay_delivered(&s->relay, w->call);
	w->call = NULL;
}

/* "hold" is answered later, everything else by its own query. */
static void on_run(void *ctx, struct relay_task *t, const struct relay_request *q)
{
	struct side *s = ctx;
	s->world->runs++;
	static char big[RELAYED_MAX];
	if (str_equal(q->query, STR("hold")))
		s->world->held = t;
	else if (str_equal(q->query, STR("big")))
		relay_finish(&s->relay, s->world->now_ms, t,
			     &(struct eio_answer){.status = 200, .body = {big, sizeof big}});
	else
		relay_finish(&s->relay, s->world->now_ms, t,
			     &(struct eio_answer){.status = 200, .body = q->query});
}

static void on_gone(void *ctx, struct relay_task *t)
{
	struct side *s = ctx;
	s->world->gones++;
	if (s->world->held == t)
		s->world->held = NULL;
}

static void on_lost(void *ctx, struct str query)
{
	struct side *s = ctx;
	s->world->losts += str_equal(query, STR("now")) || str_equal(query, STR("big"));
}

static void open_side(struct world *w, uint32_t i, uint64_t epoch)
{
	struct side *s = &w->side[i];
	*s = (struct side){.world = w, .index = i};
	s->relay.id = i;
	s->relay.epoch = epoch;
	s->relay.ctx = s;
	s->relay.app = (struct relay_app){.ask = on_ask,
					  .answer = on_answer,
					  .answered = on_answered,
					  .run = on_run,
					  .gone = on_gone,
					  .lost = on_lost};
	relay_open(&s->relay, i + 1);
}

static int open_world(void **state)
{
	struct world *w = mem_alloc(sizeof *w);
	w->rng = (struct rng){7};
	w->now_ms = 1000;
	for (uint32_t i = 0; i < SIDES; i++)
		open_side(w, i, 1);
	*state = w;
	return 0;
}

static int close_world(void **state)
{
	struct world *w = *state;
	for (uint32_t i = 0; i < SIDES; i++)
		relay_close(&w->side[i].relay);
	for (size_t i = 0; i < w->mail_count; i++)
		buf_free(&w->mail[i].bytes);
	mem_free(w);
	return 0;
}

static void carry(struct world *w)
{
	for (size_t i = 0; i < w->mail_count;) {
		if (w->mail[i].at_ms > w->now_ms) {
			i++;
			continue;
		}
		struct mail m = w->mail[i];
		w->mail[i] = w->mail[--w->mail_count];
		const char route = (char)('0' + m.from);
		relay_receive(&w->side[m.to].relay, w->now_ms, buf_view(&m.bytes),
			      m.is_answer ? (struct str){0} : str_of(&route, 1));
		buf_free(&m.bytes);
		i = 0;
	}
}

static void pass(struct world *w, uint64_t ms)
{
	for (uint64_t end = w->now_ms + ms; w->now_ms < end; w->now_ms += 10) {
		carry(w);
		for (uint32_t i = 0; i < SIDES; i++)
			relay_tick(&w->side[i].relay, w->now_ms);
	}
	carry(w);
}

static void ask(struct world *w, struct waiter *waiter, const char *query)
{
	*waiter = (struct waiter){0};
	waiter->call = relay_ask(
		&w->side[0].relay, w->now_ms, 1,
		&(struct relay_request){.kind = RELAY_GET, .query = str_from(query)}, waiter);
	assert_non_null(waiter->call);
}

static void test_a_request_is_answered(void **state)
{
	struct world *w = *state;
	ask(w, &w->waiter[0], "now");
	pass(w, 10);
	assert_int_equal(w->waiter[0].answers, 1);
	assert_string_equal(w->waiter[0].body, "now");
	pass(w, 10);
	assert_int_equal(w->side[1].relay.kept_bytes, 0); /* it has arrived */
}

static void test_a_poll_waits_as_long_as_it_has_to(void **state)
{
	struct world *w = *state;
	ask(w, &w->waiter[0], "hold");
	pass(w, 45000);
	assert_int_equal(w->runs, 1);
	assert_int_equal(w->waiter[0].answers, 0);
	relay_finish(&w->side[1].relay, w->now_ms, w->held,
		     &(struct eio_answer){.status = 200, .body = STR("late")});
	pass(w, 10);
	assert_string_equal(w->waiter[0].body, "late");
}

static void test_each_is_executed_once_and_answered_once(void **state)
{
	struct world *w = *state;
	w->loss = 40;
	w->repeats = 40;
	w->delay_ms = 900;
	for (size_t i = 0; i < WAITERS; i++) {
		char query[8];
		snprintf(query, sizeof query, "q%zu", i);
		ask(w, &w->waiter[i], query);
		pass(w, 100);
	}
	pass(w, PATIENCE_MS);
	unsigned reached = 0;
	for (size_t i = 0; i < WAITERS; i++) {
		char query[8];
		snprintf(query, sizeof query, "q%zu", i);
		assert_int_equal(w->waiter[i].answers, 1);
		if (w->waiter[i].is_unreachable)
			continue;
		assert_string_equal(w->waiter[i].body, query);
		reached++;
	}
	assert_int_equal(w->runs, WAITERS);
	assert_true(reached > WAITERS - 3); /* seven in a row may be lost */
}

static void test_a_hang_up_is_passed_on(void **state)
{
	struct world *w = *state;
	w->loss = 50;
	ask(w, &w->waiter[0], "hold");
	pass(w, 5000);
	assert_non_null(w->held);
	relay_hang_up(&w->side[0].relay, w->now_ms, w->waiter[0].call);
	pass(w, 6000);
	assert_int_equal(w->gones, 1);
	assert_null(w->held);
}

static void test_an_owner_out_of_reach_is_given_up(void **state)
{
	struct world *w = *state;
	ask(w, &w->waiter[0], "hold");
	pass(w, 3000);
	w->is_cut = true;
	pass(w, RELAY_SILENCE_MS + RELAY_REPEAT_MS);
	assert_int_equal(w->waiter[0].answers, 1);
	assert_true(w->waiter[0].is_unreachable);
	assert_int_equal(w->gones, 1); /* and the owner does not wait for ever either */
}

/* What nobody has confirmed is kept within a bound, and never executed again. */
static void test_answers_kept_are_bounded(void **state)
{
	enum { ANSWERS = RELAY_BYTES_MAX / RELAYED_MAX + 4 };
	struct world *w = *state;
	for (size_t i = 0; i < ANSWERS; i++) {
		ask(w, &w->waiter[i], "big");
		w->waiter[i].is_slow = true;
		pass(w, 10);
	}
	assert_int_equal(w->losts, 4);
	assert_true(w->side[1].relay.kept_bytes <= RELAY_BYTES_MAX);
	pass(w, 3000);
	assert_int_equal(w->runs, ANSWERS);
}

static void test_an_owner_may_become_known(void **state)
{
	struct world *w = *state;
	w->is_unknown = true;
	ask(w, &w->waiter[0], "now");
	ask(w, &w->waiter[1], "now");
	pass(w, 2000);
	assert_int_equal(w->waiter[0].answers, 0);
	w->is_unknown = false;
	pass(w, RELAY_LOOK_MS + 20);
	assert_string_equal(w->waiter[0].body, "now");
	assert_string_equal(w->waiter[1].body, "now");

	w->is_unknown = true;
	ask(w, &w->waiter[0], "now");
	pass(w, RELAY_UNKNOWN_MS + RELAY_LOOK_MS);
	assert_true(w->waiter[0].is_unreachable);
}

static void test_invented_owners_do_not_fill_the_line(void **state)
{
	struct world *w = *state;
	w->is_unknown = true;
	const struct relay_request q = {.kind = RELAY_GET, .query = STR("now")};
	for (int i = 0; i < RELAY_UNKNOWN_MAX; i++)
		w->waiter[0].call =
			relay_ask(&w->side[0].relay, w->now_ms, (uint64_t)i, &q, &w->waiter[0]);
	assert_null(relay_ask(&w->side[0].relay, w->now_ms, 1, &q, &w->waiter[1]));
	w->waiter[0].is_slow = true; /* it has given none of them back */
	pass(w, RELAY_UNKNOWN_MS + RELAY_LOOK_MS);
	assert_int_equal(w->side[0].relay.unknown_count, 0);
	w->is_unknown = false;
	ask(w, &w->waiter[1], "now");
	pass(w, 10);
	assert_string_equal(w->waiter[1].body, "now");
}

static void test_an_answer_that_did_not_arrive_ends_the_session(void **state)
{
	struct world *w = *state;
	ask(w, &w->waiter[0], "now");
	w->waiter[0].is_slow = true;
	pass(w, 3000);
	assert_int_equal(w->waiter[0].answers, 1);
	assert_int_equal(w->losts, 0);
	w->loss = 50;
	relay_hang_up(&w->side[0].relay, w->now_ms, w->waiter[0].call);
	pass(w, 6000);
	assert_int_equal(w->losts, 1);
}

static void test_a_restart_of_the_asker_repeats_nothing(void **state)
{
	struct world *w = *state;
	ask(w, &w->waiter[0], "hold");
	pass(w, 100);
	relay_close(&w->side[0].relay);
	open_side(w, 0, 2);
	ask(w, &w->waiter[1], "now"); /* with the number of the one before */
	pass(w, 100);
	assert_string_equal(w->waiter[1].body, "now");
	pass(w, RELAY_SILENCE_MS);
	assert_int_equal(w->gones, 1);
}

static void test_strange_bytes_harm_nobody(void **state)
{
	struct world *w = *state;
	char bytes[64];
	for (int i = 0; i < 5000; i++) {
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] = (char)rng_next(&w->rng);
		relay_receive(&w->side[0].relay, w->now_ms,
			      str_of(bytes, rng_below(&w->rng, sizeof bytes)),
			      i % 2 ? STR("1") : (struct str){0});
	}
	ask(w, &w->waiter[0], "now");
	pass(w, 10);
	assert_int_equal(w->waiter[0].answers, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_is_answered),
		TEST(test_a_poll_waits_as_long_as_it_has_to),
		TEST(test_each_is_executed_once_and_answered_once),
		TEST(test_a_hang_up_is_passed_on),
		TEST(test_an_owner_out_of_reach_is_given_up),
		TEST(test_answers_kept_are_bounded),
		TEST(test_an_owner_may_become_known),
		TEST(test_invented_owners_do_not_fill_the_line),
		TEST(test_an_answer_that_did_not_arrive_ends_the_session),
		TEST(test_a_restart_of_the_asker_repeats_nothing),
		TEST(test_strange_bytes_harm_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
