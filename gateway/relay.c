// SPDX-License-Identifier: MIT
/* relay.c — see relay.h: the side that asks first, then the side that executes. */
#include "gateway/relay.h"

struct relay_call {
	TAILQ_ENTRY(relay_call) entry;
	struct relay_calls *list; /* relay.calls or .unknown, by ask_ms, or .answered */
	uint64_t number, owner;
	uint64_t ask_ms;              /* when it is asked next */
	uint64_t heard_ms;            /* the owner's last sign of life */
	void *waiter;                 /* NULL: nobody any more */
	bool is_answered;             /* the waiter has the answer */
	uint64_t about;               /* of RELAY_GONE and RELAY_LOST: the call */
	struct relay_request request; /* views into `text` */
	char *text;
};

/* Who asks for what. */
struct task_key {
	uint64_t gateway, epoch, number;
};

struct relay_task {
	struct eio_request request;
	TAILQ_ENTRY(relay_task) entry; /* in relay.running by heard_ms, or .kept by done_ms */
	struct task_key key;
	uint64_t heard_ms, done_ms;
	bool is_done;
	bool is_over;     /* the answer has arrived: only the key is kept, for late repetitions */
	struct str query; /* owned */
	struct buf route; /* of the newest question */
	unsigned status;
	struct buf type, body; /* the answer */
};

static struct str call_key(const void *item)
{
	return str_of((const char *)&((const struct relay_call *)item)->number, sizeof(uint64_t));
}

static struct str key_str(const struct task_key *key)
{
	return str_of((const char *)key, sizeof *key);
}

static struct str task_key(const void *item)
{
	return key_str(&((const struct relay_task *)item)->key);
}

static void free_task(struct relay *r, struct relay_task *t);
static void end_call(struct relay *r, struct relay_call *c);

void relay_open(struct relay *r, uint64_t seed)
{
	bus_reader_init(&r->reader);
	table_init(&r->calls_by_number, call_key, seed);
	table_init(&r->tasks_by_key, task_key, seed);
	TAILQ_INIT(&r->calls);
	TAILQ_INIT(&r->answered);
	TAILQ_INIT(&r->unknown);
	TAILQ_INIT(&r->running);
	TAILQ_INIT(&r->kept);
}

void relay_close(struct relay *r)
{
	while (!TAILQ_EMPTY(&r->calls))
		end_call(r, TAILQ_FIRST(&r->calls));
	while (!TAILQ_EMPTY(&r->answered))
		end_call(r, TAILQ_FIRST(&r->answered));
	while (!TAILQ_EMPTY(&r->unknown))
		end_call(r, TAILQ_FIRST(&r->unknown));
	while (!TAILQ_EMPTY(&r->running))
		free_task(r, TAILQ_FIRST(&r->running));
	while (!TAILQ_EMPTY(&r->kept))
		free_task(r, TAILQ_FIRST(&r->kept));
	table_free(&r->calls_by_number);
	table_free(&r->tasks_by_key);
	bus_reader_free(&r->reader);
	batch_free(&r->scratch);
}

struct eio_request *relay_request_of(struct relay_task *t)
{
	return &t->request;
}

struct relay_task *relay_task_of(struct eio_request *request)
{
	return CONTAINER_OF(request, struct relay_task, request);
}

/* ---- asking ---- */

static void wait_in(struct relay *r, struct relay_call *c, struct relay_calls *list)
{
	if (c->list)
		TAILQ_REMOVE(c->list, c, entry);
	r->unknown_count -= c->list == &r->unknown;
	TAILQ_INSERT_TAIL(list, c, entry);
	r->unknown_count += list == &r->unknown;
	c->list = list;
}

static bool put_call(struct relay *r, const struct relay_call *c)
{
	batch_reset(&r->scratch);
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
			c->heard_ms = now_ms;
		c->ask_ms = now_ms + RELAY_REPEAT_MS;
		wait_in(r, c, &r->calls);
	} else {
		c->ask_ms = now_ms + RELAY_LOOK_MS;
		wait_in(r, c, &r->unknown);
	}
}

static struct relay_call *start_call(struct relay *r, uint64_t now_ms, uint64_t owner,
				     const struct relay_request *q, uint64_t about, void *waiter)
{
	struct relay_call *c = mem_alloc(sizeof *c);
	*c = (struct relay_call){.number = ++r->last_number,
				 .owner = owner,
				 .heard_ms = now_ms,
				 .waiter = waiter,
				 .about = about,
				 .request = *q};
	c->text = mem_alloc(q->query.len + q->body.len);
	c->request.query = str_put(c->text, q->query);
	c->request.body = str_put(c->text + q->query.len, q->body);
	table_add(&r->calls_by_number, c);
	send_call(r, now_ms, c);
	return c;
}

static void end_call(struct relay *r, struct relay_call *c)
{
	TAILQ_REMOVE(c->list, c, entry);
	r->unknown_count -= c->list == &r->unknown;
	table_remove(&r->calls_by_number, call_key(c));
	mem_free(c->text);
	mem_free(c);
}

struct relay_call *relay_ask(struct relay *r, uint64_t now_ms, uint64_t owner,
			     const struct relay_request *q, void *waiter)
{
	if (r->calls_by_number.count >= RELAY_CALLS_MAX || r->unknown_count >= RELAY_UNKNOWN_MAX) {
		r->refused_total++;
		return NULL;
	}
	r->asked_total++;
	return start_call(r, now_ms, owner, q, 0, waiter);
}

void relay_hang_up(struct relay *r, uint64_t now_ms, struct relay_call *c)
{
	const struct relay_request gone = {.kind = c->is_answered ? RELAY_LOST : RELAY_GONE};
	(void)start_call(r, now_ms, c->owner, &gone, c->number, NULL);
	end_call(r, c);
}

void relay_delivered(struct relay *r, struct relay_call *c)
{
	batch_reset(&r->scratch);
	bus_put_relay_done(&r->scratch, &(struct ev_relay_done){.number = c->number});
	(void)r->app.ask(r->ctx, c->owner, &r->scratch);
	end_call(r, c);
}

/* The call stays until its client has the answer, or has hung up. */
static void give(struct relay *r, struct relay_call *c, const struct eio_answer *answer)
{
	if (!c->waiter) {
		end_call(r, c);
		return;
	}
	if (c->is_answered)
		return;
	c->is_answered = true;
	wait_in(r, c, &r->answered);
	r->app.answered(r->ctx, c->waiter, answer);
}

static void on_answer(struct relay *r, uint64_t now_ms, const struct ev_relay_answer *ev)
{
	struct relay_call *c = table_find(&r->calls_by_number,
					  str_of((const char *)&ev->number, sizeof ev->number));
	if (!c)
		return;
	c->heard_ms = now_ms;
	if (!ev->status) /* still under way */
		return;
	char type[64] = "";
	memcpy(type, ev->type.ptr, ev->type.len < sizeof type ? ev->type.len : 0);
	give(r, c,
	     &(struct eio_answer){.status = (unsigned)ev->status,
				  .type = *type ? type : NULL,
				  .body = ev->body});
}

/* ---- executing ---- */

static void free_contents(struct relay *r, struct relay_task *t)
{
	r->kept_bytes -= t->body.len;
	str_free(&t->query);
	buf_free(&t->route);
	buf_free(&t->type);
	buf_free(&t->body);
}

static void free_task(struct relay *r, struct relay_task *t)
{
	TAILQ_REMOVE(t->is_done ? &r->kept : &r->running, t, entry);
	table_remove(&r->tasks_by_key, task_key(t));
	r->over_count -= t->is_over;
	free_contents(r, t);
	mem_free(t);
}

static void end_task(struct relay *r, struct relay_task *t)
{
	if (t->is_over)
		return;
	t->is_over = true;
	r->over_count++;
	free_contents(r, t);
}

static void answer_with(struct relay *r, struct str route, const struct ev_relay_answer *ev)
{
	batch_reset(&r->scratch);
	bus_put_relay_answer(&r->scratch, ev);
	r->app.answer(r->ctx, route, &r->scratch);
}

static void send_result(struct relay *r, const struct relay_task *t)
{
	answer_with(r, buf_view(&t->route),
		    &(struct ev_relay_answer){.number = t->key.number,
					      .status = t->status,
					      .type = buf_view(&t->type),
					      .body = buf_view(&t->body)});
}

/* A question has one answer, and a newer one has come. */
static void renew(struct relay *r, uint64_t now_ms, struct relay_task *t, struct str route)
{
	if (!t->is_done) {
		answer_with(r, buf_view(&t->route),
			    &(struct ev_relay_answer){.number = t->key.number});
		t->heard_ms = now_ms;
		TAILQ_REMOVE(&r->running, t, entry);
		TAILQ_INSERT_TAIL(&r->running, t, entry);
	}
	buf_reset(&t->route);
	buf_str(&t->route, route);
	r->repeated_total++;
	if (t->is_done)
		send_result(r, t);
}

static void start_task(struct relay *r, uint64_t now_ms, const struct task_key *key,
		       const struct ev_relay_ask *ev, struct str route)
{
	if (r->tasks_by_key.count - r->over_count >=
	    RELAY_CALLS_MAX) { /* asked again, or given up */
		r->refused_total++;
		return;
	}
	struct relay_task *t = mem_alloc(sizeof *t);
	*t = (struct relay_task){.key = *key, .heard_ms = now_ms, .query = str_copy(ev->query)};
	buf_str(&t->route, route);
	table_add(&r->tasks_by_key, t);
	TAILQ_INSERT_TAIL(&r->running, t, entry);
	r->executed_total++;
	const struct relay_request q = {.kind = (enum relay_kind)ev->kind,
					.query = t->query,
					.is_octets = ev->octets != 0,
					.body = ev->body};
	r->app.run(r->ctx, t, &q);
}

void relay_finish(struct relay *r, uint64_t now_ms, struct relay_task *t,
		  const struct eio_answer *answer)
{
	TAILQ_REMOVE(&r->running, t, entry);
	TAILQ_INSERT_TAIL(&r->kept, t, entry);
	t->is_done = true;
	t->done_ms = now_ms;
	t->status = answer->status;
	if (answer->type)
		buf_str(&t->type, str_from(answer->type));
	buf_str(&t->body, answer->body);
	r->kept_bytes += t->body.len;
	send_result(r, t);
}

/* Its client has hung up, or its gateway is silent. */
static void drop_running(struct relay *r, struct relay_task *t)
{
	TAILQ_REMOVE(&r->running, t, entry);
	TAILQ_INSERT_TAIL(&r->kept, t, entry);
	t->is_done = true;
	t->done_ms = t->heard_ms;
	r->app.gone(r->ctx, t);
}

/* The session is not told twice, and an answer that reached nobody is not kept. */
static void stop_task(struct relay *r, const struct task_key *about)
{
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(about));
	if (!t || t->is_over)
		return;
	if (t->is_done)
		r->app.lost(r->ctx, t->query);
	else
		drop_running(r, t);
	end_task(r, t);
}

static void on_ask(struct relay *r, uint64_t now_ms, const struct envelope *from,
		   const struct ev_relay_ask *ev, struct str route)
{
	const struct task_key key = {from->id, from->epoch, ev->number};
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(&key));
	if (ev->kind == RELAY_GONE || ev->kind == RELAY_LOST) {
		stop_task(r, &(struct task_key){from->id, from->epoch, ev->about});
		answer_with(r, route,
			    &(struct ev_relay_answer){.number = ev->number, .status = 200});
	} else if (t) {
		if (!t->is_over)
			renew(r, now_ms, t, route);
	} else if (ev->kind == RELAY_GET || ev->kind == RELAY_POST) {
		start_task(r, now_ms, &key, ev, route);
	}
}

static void on_done(struct relay *r, const struct envelope *from, const struct ev_relay_done *ev)
{
	const struct task_key key = {from->id, from->epoch, ev->number};
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(&key));
	if (t && t->is_done)
		end_task(r, t);
}

void relay_receive(struct relay *r, uint64_t now_ms, struct str message, struct str route)
{
	struct envelope from;
	struct bus_event ev;
	if (!bus_open(&r->reader, message, &from) || from.from != SERVICE_GATEWAY)
		return;
	while (bus_next(&r->reader, &ev)) {
		if (ev.type == EV_relay_answer && !route.len)
			on_answer(r, now_ms, &ev.as.relay_answer);
		else if (ev.type == EV_relay_ask && route.len)
			on_ask(r, now_ms, &from, &ev.as.relay_ask, route);
		else if (ev.type == EV_relay_done && route.len)
			on_done(r, &from, &ev.as.relay_done);
	}
}

/* ---- time ---- */

/* Asks again what is due, or gives up an owner who is silent. */
static void tick_calls(struct relay *r, uint64_t now_ms, struct relay_calls *list,
		       uint64_t patience_ms)
{
	struct relay_call *c;
	while ((c = TAILQ_FIRST(list)) != NULL && c->ask_ms <= now_ms) {
		if (c->heard_ms + patience_ms > now_ms) {
			send_call(r, now_ms, c);
			continue;
		}
		r->unreachable_total++;
		give(r, c, NULL);
	}
}

void relay_tick(struct relay *r, uint64_t now_ms)
{
	struct relay_task *t;
	tick_calls(r, now_ms, &r->calls, RELAY_SILENCE_MS);
	tick_calls(r, now_ms, &r->unknown, RELAY_UNKNOWN_MS);
	while ((t = TAILQ_FIRST(&r->running)) != NULL && t->heard_ms + RELAY_SILENCE_MS <= now_ms) {
		drop_running(r, t);
		end_task(r, t);
	}
	while ((t = TAILQ_FIRST(&r->kept)) != NULL &&
	       (t->done_ms + RELAY_KEEP_MS <= now_ms || r->kept_bytes > RELAY_BYTES_MAX ||
		r->over_count > RELAY_OVER_MAX))
		free_task(r, t);
}

uint64_t relay_next_due(const struct relay *r)
{
	const struct relay_call *c = TAILQ_FIRST(&r->calls);
	const struct relay_call *unknown = TAILQ_FIRST(&r->unknown);
	const struct relay_task *running = TAILQ_FIRST(&r->running);
	const struct relay_task *kept = TAILQ_FIRST(&r->kept);
	uint64_t due = c ? c->ask_ms : UINT64_MAX;
	if (unknown && unknown->ask_ms < due)
		due = unknown->ask_ms;
	if (running && running->heard_ms + RELAY_SILENCE_MS < due)
		due = running->heard_ms + RELAY_SILENCE_MS;
	if (kept && kept->done_ms + RELAY_KEEP_MS < due)
		due = kept->done_ms + RELAY_KEEP_MS;
	return due;
}
