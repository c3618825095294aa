// SPDX-License-Identifier: MIT
/* calls.c — see relay.h: the side that asks. A call lasts until its client has the answer and the
 * owner knows, or the client has hung up, or the owner is silent. Not here: executing for others
 * (relay/tasks.c). */
#include "gateway/relay/sides.h"

struct relay_call {
	TAILQ_ENTRY(relay_call) entry;
	struct relay_calls *list; /* relay.calls or .unknown, by ask_ms, or .answered */
	uint64_t number, owner;
	uint64_t ask_ms;              /* when it is asked next */
	uint64_t active_ms;           /* the owner's last sign of life */
	void *caller;                 /* NULL: nobody any more */
	bool is_answered;             /* the waiter has the answer … */
	bool is_given_up;             /* … which is not the owner's */
	uint64_t about;               /* of RELAY_GONE and RELAY_LOST: the call */
	struct relay_request request; /* views into `text`; what is said of it next */
	char *text;
};

static struct str call_key(const void *item)
{
	return str_of((const char *)&((const struct relay_call *)item)->number, sizeof(uint64_t));
}

static void wait_in(struct relay *r, struct relay_call *c, struct relay_calls *list)
{
	if (c->list)
		TAILQ_REMOVE(c->list, c, entry);
	r->unknown_count -= c->list == &r->unknown;
	TAILQ_INSERT_TAIL(list, c, entry);
	r->unknown_count += list == &r->unknown;
	c->list = list;
}

static void end_call(struct relay *r, struct relay_call *c)
{
	TAILQ_REMOVE(c->list, c, entry);
	r->unknown_count -= c->list == &r->unknown;
	table_remove(&r->calls_by_number, call_key(c));
	mem_free(c->text);
	mem_free(c);
}

void relay_calls_open(struct relay *r, uint64_t seed)
{
	table_init(&r->calls_by_number, call_key, seed);
	TAILQ_INIT(&r->calls);
	TAILQ_INIT(&r->answered);
	TAILQ_INIT(&r->unknown);
}

void relay_calls_close(struct relay *r)
{
	while (!TAILQ_EMPTY(&r->calls))
		end_call(r, TAILQ_FIRST(&r->calls));
	while (!TAILQ_EMPTY(&r->answered))
		end_call(r, TAILQ_FIRST(&r->answered));
	while (!TAILQ_EMPTY(&r->unknown))
		end_call(r, TAILQ_FIRST(&r->unknown));
	table_free(&r->calls_by_number);
}

static bool put_call(struct relay *r, const struct relay_call *c)
{
	batch_reset(&r->scratch);
	if (c->request.kind == RELAY_DONE)
		bus_put_relay_done(&r->scratch, &(struct ev_relay_done){.number = c->number});
	else
		bus_put_relay_ask(&r->scratch, &(struct ev_relay_ask){
						       .number = c->number,
						       .kind = c->request.kind,
						       .query = c->request.query,
						       .octets = c->request.is_octets,
						       .body = c->request.body,
						       .about = c->about,
					       });
	return r->app.ask(r->ctx, c->owner, &r->scratch);
}

static void send_call(struct relay *r, uint64_t now_ms, struct relay_call *c)
{
	bool was_known = c->list == &r->calls;
	if (put_call(r, c) || was_known) {
		if (!was_known)
			c->active_ms = now_ms;
		c->ask_ms = now_ms + RELAY_REPEAT_MS;
		wait_in(r, c, &r->calls);
	} else {
		c->ask_ms = now_ms + RELAY_LOOK_MS;
		wait_in(r, c, &r->unknown);
	}
}

static struct relay_call *start_call(struct relay *r, uint64_t now_ms, uint64_t owner,
				     const struct relay_request *q, uint64_t about, void *caller)
{
	struct relay_call *c = mem_alloc(sizeof *c);
	*c = (struct relay_call){.number = ++r->last_number,
				 .owner = owner,
				 .active_ms = now_ms,
				 .caller = caller,
				 .about = about,
				 .request = *q};
	c->text = mem_alloc(q->query.len + q->body.len);
	c->request.query = str_put(c->text, q->query);
	c->request.body = str_put(c->text + q->query.len, q->body);
	table_add(&r->calls_by_number, c);
	send_call(r, now_ms, c);
	return c;
}

struct relay_call *relay_ask(struct relay *r, uint64_t now_ms, uint64_t owner,
			     const struct relay_request *q, void *caller)
{
	struct relay_call *c = NULL;
	if (r->calls_by_number.count < RELAY_CALLS_MAX)
		c = start_call(r, now_ms, owner, q, 0, caller);
	/* Whoever invents owners stands in the way of nobody whose owner is known. */
	if (c && c->list == &r->unknown && r->unknown_count > RELAY_UNKNOWN_MAX) {
		end_call(r, c);
		c = NULL;
	}
	if (c)
		r->asked_total++;
	else
		r->refused_total++;
	return c;
}

void relay_hang_up(struct relay *r, uint64_t now_ms, struct relay_call *c)
{
	const struct relay_request gone = {.kind = c->is_answered ? RELAY_LOST : RELAY_GONE};
	(void)start_call(r, now_ms, c->owner, &gone, c->number, NULL);
	end_call(r, c);
}

/* The request itself is not asked again. */
static void go_on_with(struct relay_call *c, enum relay_kind kind)
{
	mem_free(c->text);
	c->text = NULL;
	c->request = (struct relay_request){.kind = kind};
}

void relay_delivered(struct relay *r, uint64_t now_ms, struct relay_call *c)
{
	if (c->is_given_up) {
		end_call(r, c);
		return;
	}
	c->caller = NULL;
	c->active_ms = now_ms;
	go_on_with(c, RELAY_DONE);
	wait_in(r, c, &r->calls);
	send_call(r, now_ms, c);
}

/* The call stays until its client has the answer, or has hung up. */
static void give(struct relay *r, uint64_t now_ms, struct relay_call *c,
		 const struct eio_response *response)
{
	if (!c->caller) {
		end_call(r, c);
		return;
	}
	if (c->is_answered)
		return;
	c->is_answered = true;
	c->is_given_up = !response;
	c->ask_ms = now_ms + RELAY_REPEAT_MS;
	go_on_with(c, RELAY_HELD);
	wait_in(r, c, &r->answered);
	r->app.answered(r->ctx, c->caller, response);
}

void on_relay_answer(struct relay *r, uint64_t now_ms, const struct ev_relay_answer *ev)
{
	struct relay_call *c = table_find(&r->calls_by_number,
					  str_of((const char *)&ev->number, sizeof ev->number));
	if (!c)
		return;
	c->active_ms = now_ms;
	if (!ev->status) /* still under way */
		return;
	if ((c->request.kind == RELAY_DONE) != (ev->status == STATUS_CONFIRMED))
		return; /* the answer once more */
	char type[64] = "";
	memcpy(type, ev->type.ptr, ev->type.len < sizeof type ? ev->type.len : 0);
	give(r, now_ms, c,
	     &(struct eio_response){.status = (unsigned)ev->status,
				    .type = *type ? type : NULL,
				    .body = ev->body});
}

/* Asks again what is due, or gives up an owner who is silent. */
static void tick_calls(struct relay *r, uint64_t now_ms, struct relay_calls *list,
		       uint64_t patience_ms)
{
	struct relay_call *c;
	while ((c = TAILQ_FIRST(list)) != NULL && c->ask_ms <= now_ms) {
		if (c->active_ms + patience_ms > now_ms) {
			send_call(r, now_ms, c);
			continue;
		}
		r->unreachable_total++;
		give(r, now_ms, c, NULL);
	}
}

/* Signs of life to those who keep an answer that its client still takes: as long as that lasts,
 * which is not ours to end. */
static void tick_answered(struct relay *r, uint64_t now_ms)
{
	struct relay_call *c;
	while ((c = TAILQ_FIRST(&r->answered)) != NULL && c->ask_ms <= now_ms) {
		c->ask_ms = now_ms + RELAY_REPEAT_MS;
		wait_in(r, c, &r->answered);
		if (!c->is_given_up)
			(void)put_call(r, c);
	}
}

static uint64_t sooner(const struct relay_calls *list, uint64_t due_ms)
{
	const struct relay_call *c = TAILQ_FIRST(list);
	return c && c->ask_ms < due_ms ? c->ask_ms : due_ms;
}

void relay_calls_tick(struct relay *r, uint64_t now_ms)
{
	tick_answered(r, now_ms);
	tick_calls(r, now_ms, &r->calls, RELAY_SILENCE_MS);
	tick_calls(r, now_ms, &r->unknown, RELAY_UNKNOWN_MS);
}

uint64_t relay_calls_next_due(const struct relay *r)
{
	return sooner(&r->calls, sooner(&r->unknown, sooner(&r->answered, UINT64_MAX)));
}
