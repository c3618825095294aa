// SPDX-License-Identifier: MIT
/* tasks.c — see relay.h: the side that executes. A task is executed once, and its result is kept
 * until it has arrived. Not here: what others execute for us (relay/calls.c). */
#include "gateway/relay/sides.h"

/* Who asks for what. */
struct task_key {
	uint64_t gateway, epoch, number;
};

struct relay_task {
	struct eio_request request;
	TAILQ_ENTRY(relay_task) entry;
	/* relay.running; .kept with its answer, until that has arrived; or .over: only the key is
	 * left, for late repetitions. */
	struct relay_tasks *list;
	struct task_key key;
	uint64_t since_ms; /* each list is by this: the requester's last sign of life, or the end */
	struct str query;  /* owned */
	struct buf route;  /* of the newest request */
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

static void move_to(uint64_t now_ms, struct relay_task *t, struct relay_tasks *list)
{
	if (t->list)
		TAILQ_REMOVE(t->list, t, entry);
	TAILQ_INSERT_TAIL(list, t, entry);
	t->list = list;
	t->since_ms = now_ms;
}

static void free_task(struct relay *r, struct relay_task *t)
{
	TAILQ_REMOVE(t->list, t, entry);
	table_remove(&r->tasks_by_key, task_key(t));
	r->over_count -= t->list == &r->over;
	free_contents(r, t);
	mem_free(t);
}

void relay_tasks_open(struct relay *r, uint64_t seed)
{
	table_init(&r->tasks_by_key, task_key, seed);
	TAILQ_INIT(&r->running);
	TAILQ_INIT(&r->kept);
	TAILQ_INIT(&r->over);
}

void relay_tasks_close(struct relay *r)
{
	while (!TAILQ_EMPTY(&r->running))
		free_task(r, TAILQ_FIRST(&r->running));
	while (!TAILQ_EMPTY(&r->kept))
		free_task(r, TAILQ_FIRST(&r->kept));
	while (!TAILQ_EMPTY(&r->over))
		free_task(r, TAILQ_FIRST(&r->over));
	table_free(&r->tasks_by_key);
}

static void end_task(struct relay *r, uint64_t now_ms, struct relay_task *t)
{
	move_to(now_ms, t, &r->over);
	r->over_count++;
	free_contents(r, t);
}

static void respond_with(struct relay *r, struct str route, const struct ev_relay_answer *ev)
{
	batch_reset(&r->scratch);
	bus_put_relay_answer(&r->scratch, ev);
	r->app.response(r->ctx, route, &r->scratch);
}

static void send_result(struct relay *r, const struct relay_task *t)
{
	respond_with(r, buf_view(&t->route),
		     &(struct ev_relay_answer){.number = t->key.number,
					       .status = t->status,
					       .type = buf_view(&t->type),
					       .body = buf_view(&t->body)});
}

/* A request has one answer, and a newer one has come. */
static void renew(struct relay *r, uint64_t now_ms, struct relay_task *t, struct str route)
{
	move_to(now_ms, t, t->list);
	if (t->list == &r->running)
		respond_with(r, buf_view(&t->route),
			     &(struct ev_relay_answer){.number = t->key.number});
	buf_reset(&t->route);
	buf_str(&t->route, route);
	r->repeated_total++;
	if (t->list == &r->kept)
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
	*t = (struct relay_task){.key = *key, .query = str_copy(ev->query)};
	buf_str(&t->route, route);
	table_add(&r->tasks_by_key, t);
	move_to(now_ms, t, &r->running);
	r->executed_total++;
	const struct relay_request q = {.kind = (enum relay_kind)ev->kind,
					.query = t->query,
					.is_octets = ev->octets != 0,
					.body = ev->body};
	r->app.run(r->ctx, t, &q);
}

void relay_finish(struct relay *r, uint64_t now_ms, struct relay_task *t,
		  const struct eio_response *response)
{
	move_to(now_ms, t, &r->kept);
	t->status = response->status;
	if (response->type)
		buf_str(&t->type, str_from(response->type));
	buf_str(&t->body, response->body);
	r->kept_bytes += t->body.len;
	send_result(r, t);
}

/* Nobody waits for it any more. */
static void drop_running(struct relay *r, uint64_t now_ms, struct relay_task *t)
{
	end_task(r, now_ms, t);
	r->app.gone(r->ctx, t);
}

/* The answer may be lost, and is kept no longer. */
static void lose_response(struct relay *r, uint64_t now_ms, struct relay_task *t)
{
	struct str query = t->query;
	t->query = (struct str){0};
	end_task(r, now_ms, t);
	r->app.lost(r->ctx, query);
	str_free(&query);
}

/* Its client has hung up. The session is not told twice. */
static void stop_task(struct relay *r, uint64_t now_ms, struct relay_task *t)
{
	if (t && t->list == &r->kept)
		lose_response(r, now_ms, t);
	else if (t && t->list == &r->running)
		drop_running(r, now_ms, t);
}

void on_relay_ask(struct relay *r, uint64_t now_ms, const struct envelope *from,
		  const struct ev_relay_ask *ev, struct str route)
{
	const struct task_key key = {from->id, from->epoch, ev->number};
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(&key));
	if (ev->kind == RELAY_GONE || ev->kind == RELAY_LOST) {
		const struct task_key about = {from->id, from->epoch, ev->about};
		stop_task(r, now_ms, table_find(&r->tasks_by_key, key_str(&about)));
		respond_with(r, route,
			     &(struct ev_relay_answer){.number = ev->number, .status = 200});
	} else if (ev->kind == RELAY_HELD) {
		if (t && t->list == &r->kept)
			move_to(now_ms, t, &r->kept);
	} else if (t) {
		if (t->list != &r->over)
			renew(r, now_ms, t, route);
	} else if (ev->kind == RELAY_GET || ev->kind == RELAY_POST) {
		start_task(r, now_ms, &key, ev, route);
	}
}

/* Confirmed whatever we know of it, so that it is not said again. */
void on_relay_done(struct relay *r, uint64_t now_ms, const struct envelope *from,
		   const struct ev_relay_done *ev, struct str route)
{
	const struct task_key key = {from->id, from->epoch, ev->number};
	struct relay_task *t = table_find(&r->tasks_by_key, key_str(&key));
	respond_with(r, route,
		     &(struct ev_relay_answer){.number = ev->number, .status = STATUS_CONFIRMED});
	if (!t || t->list != &r->kept)
		return;
	end_task(r, now_ms, t);
	r->app.arrived(r->ctx, t);
}

static struct relay_task *due(const struct relay_tasks *list, uint64_t after_ms, uint64_t now_ms)
{
	struct relay_task *t = TAILQ_FIRST(list);
	return t && t->since_ms + after_ms <= now_ms ? t : NULL;
}

void relay_tasks_tick(struct relay *r, uint64_t now_ms)
{
	struct relay_task *t;
	while ((t = due(&r->running, RELAY_SILENCE_MS, now_ms)) != NULL)
		drop_running(r, now_ms, t);
	while ((t = due(&r->kept, RELAY_SILENCE_MS, now_ms)) != NULL ||
	       (r->kept_bytes > RELAY_BYTES_MAX && (t = TAILQ_FIRST(&r->kept)) != NULL)) {
		r->unconfirmed_total++;
		lose_response(r, now_ms, t);
	}
	while ((t = due(&r->over, RELAY_KEEP_MS, now_ms)) != NULL || r->over_count > RELAY_OVER_MAX)
		free_task(r, t ? t : TAILQ_FIRST(&r->over));
}

static uint64_t sooner(const struct relay_tasks *list, uint64_t after_ms, uint64_t due_ms)
{
	const struct relay_task *t = TAILQ_FIRST(list);
	return t && t->since_ms + after_ms < due_ms ? t->since_ms + after_ms : due_ms;
}

uint64_t relay_tasks_next_due(const struct relay *r)
{
	uint64_t due_ms = sooner(&r->running, RELAY_SILENCE_MS, UINT64_MAX);
	due_ms = sooner(&r->kept, RELAY_SILENCE_MS, due_ms);
	return sooner(&r->over, RELAY_KEEP_MS, due_ms);
}
