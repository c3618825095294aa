// SPDX-License-Identifier: MIT
/* relay_tasks.c — see relay.h: the side that executes. A task is executed once, and what came of it
 * is kept until it has arrived. Not here: what others execute for us (relay_calls.c). */
#include "gateway/relay_sides.h"

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

static struct str key_str(const struct task_key *key)
{
	return str_of((const char *)key, sizeof *key);
}

static struct str task_key(const void *item)
{
	return key_str(&((const struct relay_task *)item)->key);
}

struct eio_request *relay_request_of(struct relay_task *t)
{
	return &t->request;
}

struct relay_task *relay_task_of(struct eio_request *request)
{
	return CONTAINER_OF(request, struct relay_task, request);
}

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

void relay_tasks_open(struct relay *r, uint64_t seed)
{
	table_init(&r->tasks_by_key, task_key, seed);
	TAILQ_INIT(&r->running);
	TAILQ_INIT(&r->kept);
}

void relay_tasks_close(struct relay *r)
{
	while (!TAILQ_EMPTY(&r->running))
		free_task(r, TAILQ_FIRST(&r->running));
	while (!TAILQ_EMPTY(&r->kept))
		free_task(r, TAILQ_FIRST(&r->kept));
	table_free(&r->tasks_by_key);
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

void relay_tasks_asked(struct relay *r, uint64_t now_ms, const struct envelope *from,
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

void relay_tasks_arrived(struct relay *r, const struct envelope *from,
			 const struct ev_relay_done *ev)
{
	const struct task_key key = {from->id, from->epoch, ev->number};
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(&key));
	if (t && t->is_done)
		end_task(r, t);
}

/* Too much is kept: an answer that nobody has confirmed goes, and its session with it. */
static void drop_oldest_answer(struct relay *r)
{
	struct relay_task *t;
	TAILQ_FOREACH (t, &r->kept, entry) {
		if (t->is_over)
			continue;
		r->app.lost(r->ctx, t->query);
		end_task(r, t);
		return;
	}
}

void relay_tasks_tick(struct relay *r, uint64_t now_ms)
{
	struct relay_task *t;
	while ((t = TAILQ_FIRST(&r->running)) != NULL && t->heard_ms + RELAY_SILENCE_MS <= now_ms) {
		drop_running(r, t);
		end_task(r, t);
	}
	while (r->kept_bytes > RELAY_BYTES_MAX)
		drop_oldest_answer(r);
	while ((t = TAILQ_FIRST(&r->kept)) != NULL &&
	       (t->done_ms + RELAY_KEEP_MS <= now_ms || r->over_count > RELAY_OVER_MAX))
		free_task(r, t);
}

uint64_t relay_tasks_next_due(const struct relay *r)
{
	const struct relay_task *running = TAILQ_FIRST(&r->running);
	const struct relay_task *kept = TAILQ_FIRST(&r->kept);
	uint64_t due = running ? running->heard_ms + RELAY_SILENCE_MS : UINT64_MAX;
	return kept && kept->done_ms + RELAY_KEEP_MS < due ? kept->done_ms + RELAY_KEEP_MS : due;
}
