// SPDX-License-Identifier: MIT
/* tls_thread.c — see shell/tls_thread.h. */
#include "gateway/shell/tls_thread.h"

#include <signal.h>
#include <unistd.h>

enum {
	LOOK_MS = 250,
	HANDSHAKE_MS = 10000,
	EVICT_MS = 1000,  /* when too many shake hands, whoever has been waited for so long goes */
	FLUSH_MS = 10000, /* without progress */
	LEAVE_MS = 3000,  /* the loop's own patience ends before that */
	REFUSED_MS = 1000,
	END_MS = 500, /* for the last bytes to leave, when the gateway stops */
};

void tls_thread_list(struct tls_link *l, struct tls_link_list *list)
{
	if (l->list)
		TAILQ_REMOVE(l->list, l, entry);
	TAILQ_INSERT_TAIL(list, l, entry);
	l->list = list;
	l->since_ms = uv_now(&l->thread->loop);
}

/* ---- time ---- */

static void end_due(struct tls_thread *t, struct tls_link_list *list, uint64_t after_ms)
{
	struct tls_link *l;
	while ((l = TAILQ_FIRST(list)) != NULL && l->since_ms + after_ms <= uv_now(&t->loop)) {
		if (list == &t->handshakes)
			atomic_fetch_add(&t->failed_total, 1);
		tls_link_end(l);
	}
}

static bool is_empty(const struct tls_thread *t)
{
	return TAILQ_EMPTY(&t->handshakes) && TAILQ_EMPTY(&t->open) && TAILQ_EMPTY(&t->flushing) &&
	       TAILQ_EMPTY(&t->leaving) && TAILQ_EMPTY(&t->refused);
}

static void end_all(struct tls_thread *t)
{
	end_due(t, &t->open, 0);
	end_due(t, &t->flushing, 0);
	end_due(t, &t->leaving, 0);
	end_due(t, &t->refused, 0);
	uv_close((uv_handle_t *)&t->timer, NULL);
	uv_close((uv_handle_t *)&t->wake, NULL);
}

static void on_time(uv_timer_t *timer)
{
	struct tls_thread *t = timer->data;
	bool is_crowded = atomic_load(&t->shaking) >= t->options.handshakes_max;
	if (t->end_ms)
		end_due(t, &t->handshakes, 0);
	end_due(t, &t->handshakes, is_crowded ? EVICT_MS : HANDSHAKE_MS);
	end_due(t, &t->flushing, FLUSH_MS);
	end_due(t, &t->leaving, LEAVE_MS);
	end_due(t, &t->refused, REFUSED_MS);
	if (t->end_ms && (is_empty(t) || uv_now(&t->loop) >= t->end_ms))
		end_all(t);
}

/* ---- the thread ---- */

static void on_wake(uv_async_t *wake)
{
	struct tls_thread *t = wake->data;
	size_t count;
	struct tls_handed *items = tls_queue_take(&t->accepted, &count);
	SSL_CTX *ctx = count ? t->options.certificate(t->options.ctx) : NULL;
	for (size_t i = 0; i < count; i++)
		tls_link_open(t, ctx, items[i].fd);
	SSL_CTX_free(ctx);
	mem_free(items);
	if (!atomic_load(&t->should_end) || t->end_ms)
		return;
	t->end_ms = uv_now(&t->loop) + END_MS;
	CHECK(uv_timer_start(&t->timer, on_time, 0, LOOK_MS / 10) == 0);
}

static void *run(void *ctx)
{
	struct tls_thread *t = ctx;
	uv_run(&t->loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&t->loop) == 0);
	return NULL;
}

/* Signals are the loop's business. */
static void start_thread(struct tls_thread *t)
{
	sigset_t all, before;
	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	CHECK(pthread_create(&t->id, NULL, run, t) == 0);
	(void)pthread_setname_np(t->id, "tls");
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

void tls_thread_start(struct tls_thread *t, const struct tls_thread_options *o)
{
	struct tls_link_list *lists[] = {&t->handshakes, &t->open,    &t->flushing,
					 &t->leaving,    &t->refused, &t->gone};
	t->options = *o;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		TAILQ_INIT(lists[i]);
	tls_queue_init(&t->accepted);
	CHECK(uv_loop_init(&t->loop) == 0);
	CHECK(uv_async_init(&t->loop, &t->wake, on_wake) == 0);
	CHECK(uv_timer_init(&t->loop, &t->timer) == 0);
	t->wake.data = t->timer.data = t;
	CHECK(uv_timer_start(&t->timer, on_time, LOOK_MS, LOOK_MS) == 0);
	start_thread(t);
}

void tls_thread_accept(struct tls_thread *t, int fd)
{
	atomic_fetch_add(&t->shaking, 1);
	tls_queue_put(&t->accepted, (struct tls_handed){.fd = fd});
	CHECK(uv_async_send(&t->wake) == 0);
}

void tls_thread_join(struct tls_thread *t)
{
	atomic_store(&t->should_end, true);
	CHECK(uv_async_send(&t->wake) == 0);
	CHECK(pthread_join(t->id, NULL) == 0);
	tls_queue_free(&t->accepted);
}
