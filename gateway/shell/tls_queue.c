// SPDX-License-Identifier: MIT
/* tls_queue.c — see shell/tls_queue.h. */
#include "gateway/shell/tls_queue.h"

#include <unistd.h>

void tls_queue_init(struct tls_queue *q)
{
	*q = (struct tls_queue){0};
	CHECK(pthread_mutex_init(&q->lock, NULL) == 0);
}

void tls_queue_put(struct tls_queue *q, struct tls_handed item)
{
	CHECK(pthread_mutex_lock(&q->lock) == 0);
	if (q->count == q->cap) {
		q->cap = q->cap ? 2 * q->cap : 16;
		q->items = mem_resize(q->items, q->cap * sizeof *q->items);
	}
	q->items[q->count++] = item;
	CHECK(pthread_mutex_unlock(&q->lock) == 0);
}

struct tls_handed *tls_queue_take(struct tls_queue *q, size_t *count)
{
	CHECK(pthread_mutex_lock(&q->lock) == 0);
	struct tls_handed *items = q->items;
	*count = q->count;
	q->items = NULL;
	q->count = q->cap = 0;
	CHECK(pthread_mutex_unlock(&q->lock) == 0);
	return items;
}

void tls_queue_free(struct tls_queue *q)
{
	for (size_t i = 0; i < q->count; i++) {
		close(q->items[i].fd);
		peer_drop(q->items[i].peer);
	}
	mem_free(q->items);
	CHECK(pthread_mutex_destroy(&q->lock) == 0);
}
