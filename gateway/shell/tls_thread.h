// SPDX-License-Identifier: MIT
/* tls_thread.h — one thread that ends TLS: its loop, its links by what they wait for, and how long
 * each may. Inside of shell/tls*.c only. */
#ifndef PARLOR_GATEWAY_SHELL_TLS_THREAD_H
#define PARLOR_GATEWAY_SHELL_TLS_THREAD_H

#include "gateway/shell/tls_link.h"
#include "gateway/shell/tls_queue.h"

struct tls_thread_options {
	uint64_t handshakes_max; /* of this thread */
	uint64_t connections_max;
	atomic_uint_fast64_t *connections; /* of all threads; to stay within that */
	/* Both are called by the thread. */
	SSL_CTX *(*certificate)(void *ctx); /* with a reference for the caller */
	void (*hand_over)(void *ctx, struct tls_handed client);
	void *ctx;
};

struct tls_thread {
	struct tls_thread_options options;
	pthread_t id;
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t timer;
	struct tls_queue accepted;
	/* Links in the order in which their wait began. */
	struct tls_link_list handshakes;
	struct tls_link_list open;     /* no wait */
	struct tls_link_list flushing; /* the loop has ended its half; the client must take */
	struct tls_link_list leaving;  /* all is sent; the client must end */
	struct tls_link_list refused;  /* told why; the client must end */
	struct tls_link_list gone;     /* freed when libuv is done with them */
	/* Read by others: */
	atomic_uint_fast64_t shaking; /* those that were accepted and have not shaken hands yet */
	atomic_uint_fast64_t handshakes_total, failed_total;
	atomic_bool should_end;
	uint64_t end_ms; /* 0: goes on */
	char piece[TLS_PIECE];
};

void tls_thread_start(struct tls_thread *t, const struct tls_thread_options *o);
void tls_thread_accept(struct tls_thread *t, int fd); /* by any thread */
void tls_thread_join(struct tls_thread *t);

/* For links: waits in that list from now on. */
void tls_thread_list(struct tls_link *l, struct tls_link_list *list);

#endif
