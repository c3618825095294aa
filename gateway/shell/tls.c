// SPDX-License-Identifier: MIT
/* tls.c — see shell/tls.h: the threads together, the certificate that they share, and the way of
 * their clients into the loop. */
#include "gateway/shell/tls.h"
#include "gateway/shell/tls_cert.h"
#include "gateway/shell/tls_thread.h"
#include "proto/shell/clock.h"
#include "proto/shell/log.h"

enum {
	ERROR_MAX = 512,
	US_PER_S = 1000000,
	DAY_S = 24 * 3600,
	ENDING_DAYS = 14, /* before the certificate's end, for a warning */
};

struct tls {
	struct tls_options options;
	struct tls_thread *threads;
	size_t next; /* whose turn it is to take a client */
	uv_async_t wake;
	struct tls_queue clients; /* on their way into the loop */
	pthread_mutex_t lock;     /* of `ctx`, which the threads take for each client */
	SSL_CTX *ctx;
	atomic_uint_fast64_t connections;
	uint64_t certificate_end_s;
	bool is_stopped;
};

/* ---- the certificate ---- */

static SSL_CTX *certificate(void *of)
{
	struct tls *t = of;
	CHECK(pthread_mutex_lock(&t->lock) == 0);
	SSL_CTX *ctx = t->ctx;
	CHECK(SSL_CTX_up_ref(ctx) == 1);
	CHECK(pthread_mutex_unlock(&t->lock) == 0);
	return ctx;
}

/* False: the old one stays. */
static bool read_certificate(struct tls *t, char *error, size_t error_len)
{
	uint64_t end_s = 0;
	SSL_CTX *ctx = tls_cert_read(t->options.cert, t->options.key, &end_s, error, error_len);
	if (!ctx)
		return false;
	CHECK(pthread_mutex_lock(&t->lock) == 0);
	SSL_CTX *old = t->ctx;
	t->ctx = ctx;
	CHECK(pthread_mutex_unlock(&t->lock) == 0);
	SSL_CTX_free(old);
	t->certificate_end_s = end_s;
	return true;
}

static void log_certificate(const struct tls *t)
{
	int64_t left_s = (int64_t)t->certificate_end_s - (int64_t)(clock_utc_us() / US_PER_S);
	int64_t days = left_s / DAY_S;
	bool is_ending = left_s < (int64_t)ENDING_DAYS * DAY_S;
	log_line(is_ending ? LOG_WARN : LOG_INFO,
		 is_ending ? "tls_certificate_ends" : "tls_certificate",
		 "file=%s days_left=%" PRId64, log_text(str_from(t->options.cert)).text,
		 left_s < 0 ? -1 : days);
}

void tls_reload(struct tls *t)
{
	char error[ERROR_MAX];
	if (read_certificate(t, error, sizeof error))
		log_certificate(t);
	else
		log_error("tls_certificate_refused", "why=\"%s\"",
			  log_sentence(str_from(error)).text);
}

/* ---- clients ---- */

static void hand_over(void *of, struct tls_handed client)
{
	struct tls *t = of;
	tls_queue_put(&t->clients, client);
	CHECK(uv_async_send(&t->wake) == 0);
}

static void on_wake(uv_async_t *wake)
{
	struct tls *t = wake->data;
	size_t count;
	if (t->is_stopped)
		return;
	struct tls_handed *items = tls_queue_take(&t->clients, &count);
	for (size_t i = 0; i < count; i++)
		t->options.on_client(t->options.ctx, items[i].fd, items[i].peer);
	mem_free(items);
}

void tls_accept(struct tls *t, int fd)
{
	tls_thread_accept(&t->threads[t->next], fd);
	t->next = (t->next + 1) % t->options.threads;
}

/* ---- what others see ---- */

void tls_look(const struct tls *t, struct tls_stats *stats)
{
	*stats = (struct tls_stats){.certificate_end_s = t->certificate_end_s,
				    .connections = atomic_load(&t->connections)};
	for (size_t i = 0; i < t->options.threads; i++) {
		const struct tls_thread *thread = &t->threads[i];
		stats->handshakes += atomic_load(&thread->shaking);
		stats->handshakes_total += atomic_load(&thread->handshakes_total);
		stats->failed_total += atomic_load(&thread->failed_total);
	}
}

bool tls_is_crowded(const struct tls *t)
{
	uint64_t shaking = 0;
	for (size_t i = 0; i < t->options.threads; i++)
		shaking += atomic_load(&t->threads[i].shaking);
	return shaking >= t->options.handshakes_max;
}

/* ---- its life ---- */

struct tls *tls_open(const struct tls_options *o, uv_loop_t *loop, char *error, size_t error_len)
{
	struct tls *t = mem_alloc(sizeof *t);
	t->options = *o;
	CHECK(pthread_mutex_init(&t->lock, NULL) == 0);
	if (!read_certificate(t, error, error_len)) {
		CHECK(pthread_mutex_destroy(&t->lock) == 0);
		mem_free(t);
		return NULL;
	}
	log_certificate(t);
	tls_queue_init(&t->clients);
	CHECK(uv_async_init(loop, &t->wake, on_wake) == 0);
	t->wake.data = t;
	t->threads = mem_alloc(o->threads * sizeof *t->threads);
	const struct tls_thread_options each = {
		.handshakes_max = o->handshakes_max / o->threads,
		.connections_max = o->connections_max,
		.connections = &t->connections,
		.certificate = certificate,
		.hand_over = hand_over,
		.ctx = t,
	};
	for (size_t i = 0; i < o->threads; i++)
		tls_thread_start(&t->threads[i], &each);
	return t;
}

void tls_stop(struct tls *t)
{
	t->is_stopped = true;
}

void tls_close(struct tls *t)
{
	for (size_t i = 0; i < t->options.threads; i++)
		tls_thread_join(&t->threads[i]);
	uv_close((uv_handle_t *)&t->wake, NULL);
}

void tls_free(struct tls *t)
{
	tls_queue_free(&t->clients);
	SSL_CTX_free(t->ctx);
	CHECK(pthread_mutex_destroy(&t->lock) == 0);
	mem_free(t->threads);
	mem_free(t);
}
